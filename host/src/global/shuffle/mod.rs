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

/// The partition and the row of an entry's last 8 bytes.
fn at(bytes: &[u8]) -> At {
    let both = number(bytes) as u64;
    [both as u32, (both >> 32) as u32]
}

/// A fingerprint, or another number, of 4, 8 or 16 bytes, little endian.
fn number(bytes: &[u8]) -> u128 {
    match bytes.len() {
        8 => bytes
            .first_chunk()
            .map_or(0, |word| u64::from_le_bytes(*word).into()),
        16 => bytes
            .first_chunk()
            .map_or(0, |word| u128::from_le_bytes(*word)),
        _ => bytes
            .first_chunk()
            .map_or(0, |word| u32::from_le_bytes(*word).into()),
    }
}
