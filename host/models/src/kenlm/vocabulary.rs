//! From words to their numbers.

use super::hash;
use super::sorted;
use super::table::Table;
use crate::numbers::u64_at;
use std::ops::Range;

/// The number of a word that the model does not have.
pub(crate) const UNKNOWN: u32 = 0;

#[derive(Debug)]
pub(crate) enum Vocabulary {
    /// A table of hashes with numbers.
    Table(Table<12>),
    /// Sorted hashes; a word's number is its hash's place plus 1.
    Sorted(Range<usize>),
}

impl Vocabulary {
    /// The number of a word.
    #[inline(always)]
    pub(crate) fn number(&self, file: &[u8], word: &[u8]) -> u32 {
        let hash = hash::of_word(word);
        match self {
            Self::Table(table) => table.find(file, hash).map_or(UNKNOWN, number_of),
            Self::Sorted(place) => {
                let hashes = file.get(place.clone()).unwrap_or_default();
                let at = |at: u64| u64_at(hashes, 8 * at as usize);
                let all = 0..(hashes.len() / 8) as u64;
                sorted::find(all, (0, u64::MAX), hash, at).map_or(UNKNOWN, |at| at as u32 + 1)
            }
        }
    }
}

/// The number in a slot.
#[inline(always)]
pub(crate) fn number_of(slot: &[u8; 12]) -> u32 {
    slot.last_chunk()
        .map_or(UNKNOWN, |number| u32::from_le_bytes(*number))
}
