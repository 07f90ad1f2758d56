//! Global ops whose keys are more than one process looks through in a moment: their work in pieces,
//! for as many processes as there are.
//!
//! 1. [`split`]: the keys of a group of partitions go to sections of one file, by hash. Rows that
//!    could be equal are in the same section of all files.
//! 2. [`find`]: some sections of all files are looked through, for pairs of a row and an earlier one
//!    that it equals, or for how many rows have a key.
//! 3. [`Finish`]: what was found becomes masks, or groups. Only this needs all of it in one place: a
//!    bit for each row, and some bytes for each row that has a pair.
//!
//! The files live as long as the barrier. A barrier that is interrupted begins again from the keys,
//! which are checkpoints: to make these takes fifty times as long.

mod find;
mod finish;
mod layout;
mod sections;
mod split;
#[cfg(test)]
mod tests;

pub(crate) use find::find;
pub(crate) use finish::Finish;
pub(crate) use layout::{Keys, Layout, Matching};
pub(crate) use sections::{ReadAt, SectionFile};
pub(crate) use split::split;

/// A row of the dataset: its partition in the upper half, its number there in the lower one. Ascends
/// with the order of rows.
type At = [u32; 2];

/// The partition and the row of an entry's bytes.
fn at(bytes: &[u8]) -> At {
    let word = |from: usize| {
        bytes[from..from + 4]
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u32::from(*byte))
    };
    [word(0), word(4)]
}

/// A fingerprint, or another number, of `bytes`, little endian.
fn number(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u128::from(*byte))
}
