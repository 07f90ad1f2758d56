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
    Sorted(Sorted),
}

/// Sorted hashes in a file, with an index by their first bits: a byte of memory for each word, in
/// place of three or four reads of places that are far from each other.
#[derive(Debug)]
pub(crate) struct Sorted {
    place: Range<usize>,
    /// Where the hashes with the same first bits begin, and one more.
    starts: Box<[u32]>,
    /// How many bits of a hash are not the first ones.
    shift: u32,
}

impl Sorted {
    /// Indexes the hashes at a place of a file. Of hashes that are not sorted any are found or none.
    pub(crate) fn new(file: &[u8], place: Range<usize>) -> Self {
        let hashes = file.get(place.clone()).unwrap_or_default();
        let (hashes, _) = hashes.as_chunks::<8>();
        // Four words have the same first bits.
        let bits = (hashes.len() / 4).max(2).ilog2();
        let shift = u64::BITS - bits;
        let mut starts = vec![0u32; (1 << bits) + 1].into_boxed_slice();
        let mut filled = 0;
        for (at, hash) in hashes.iter().enumerate() {
            let first = (u64::from_le_bytes(*hash) >> shift) as usize;
            while filled < first {
                filled += 1;
                starts[filled] = at as u32;
            }
        }
        starts[filled + 1..].fill(hashes.len() as u32);
        Self {
            place,
            starts,
            shift,
        }
    }

    /// The place of a hash.
    #[inline(always)]
    fn find(&self, file: &[u8], hash: u64) -> Option<u64> {
        let hashes = file.get(self.place.clone())?;
        let first = (hash >> self.shift) as usize;
        let range = u64::from(*self.starts.get(first)?)..u64::from(*self.starts.get(first + 1)?);
        let low = (first as u64) << self.shift;
        let bounds = (low, low | ((1 << self.shift) - 1));
        sorted::find(range, bounds, hash, |at| u64_at(hashes, 8 * at as usize))
    }
}

impl Vocabulary {
    /// The bytes of memory that it takes beside the file.
    pub(crate) fn index_bytes(&self) -> usize {
        match self {
            Self::Table(_) => 0,
            Self::Sorted(hashes) => size_of_val(&*hashes.starts),
        }
    }

    /// The number of a word.
    #[inline(always)]
    pub(crate) fn number(&self, file: &[u8], word: &[u8]) -> u32 {
        let hash = hash::of_word(word);
        match self {
            Self::Table(table) => table.find(file, hash).map_or(UNKNOWN, number_of),
            Self::Sorted(hashes) => hashes.find(file, hash).map_or(UNKNOWN, |at| at as u32 + 1),
        }
    }
}

/// The number in a slot.
#[inline(always)]
pub(crate) fn number_of(slot: &[u8; 12]) -> u32 {
    slot.last_chunk()
        .map_or(UNKNOWN, |number| u32::from_le_bytes(*number))
}
