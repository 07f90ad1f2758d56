//! N-grams in hash tables, one for each length; a key is the hash of the words' numbers.

use super::hash;
use super::layout::Layout;
use super::score::{Gram, Search};
use super::table::{Table, slots};
use std::ops::Range;

/// Tables whose n-grams take `SLOT` bytes: a key, probability, backoff, and anything.
#[derive(Debug)]
pub(crate) struct Probing<const SLOT: usize> {
    /// As the others, without keys.
    pub unigrams: Range<usize>,
    pub middles: Vec<Table<SLOT>>,
    pub longest: Table<12>,
}

impl<const SLOT: usize> Probing<SLOT> {
    /// Finds the tables of a binary.
    pub(crate) fn read(
        layout: &mut Layout,
        counts: &[u64],
        multiplier: f32,
    ) -> Result<Self, String> {
        let unigrams = layout.take(counts[0] + 1, SLOT as u64 - 8, "1-grams")?;
        let mut table = |count: u64, slot: usize| {
            layout.take(slots(count, multiplier), slot as u64, "tables of n-grams")
        };
        let middles = counts[1..counts.len() - 1]
            .iter()
            .map(|count| table(*count, SLOT).map(Table::new))
            .collect::<Result<_, _>>()?;
        let longest = Table::new(table(counts[counts.len() - 1], 12)?);
        Ok(Self {
            unigrams,
            middles,
            longest,
        })
    }
}

/// The values after a key. The sign of the probability, which is negative, says whether longer
/// n-grams end with this one.
#[inline(always)]
fn gram(values: &[u8]) -> Gram {
    let number = |at: usize| {
        let bytes = values.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    };
    let probability = number(0);
    Gram {
        probability: f32::from_bits(probability | 1 << 31),
        backoff: f32::from_bits(number(4)),
        is_end: probability >> 31 == 1,
    }
}

impl<const SLOT: usize> Search for Probing<SLOT> {
    type Node = u64;

    #[inline(always)]
    fn order(&self) -> usize {
        self.middles.len() + 2
    }

    #[inline(always)]
    fn unigram(&self, file: &[u8], word: u32) -> (Gram, u64) {
        let all = file.get(self.unigrams.clone()).unwrap_or_default();
        let size = SLOT - 8;
        // A damaged vocabulary can name words beyond the end: these are unknown.
        let values = all
            .get(size * word as usize..)
            .filter(|values| values.len() >= size);
        (gram(values.unwrap_or(all)), word.into())
    }

    #[inline(always)]
    fn middle(&self, file: &[u8], words: usize, word: u32, node: &mut u64) -> Option<Gram> {
        *node = hash::extend(*node, word);
        let slot = self.middles.get(words - 2)?.find(file, *node)?;
        Some(gram(&slot[8..]))
    }

    #[inline(always)]
    fn longest(&self, file: &[u8], word: u32, node: u64) -> Option<f32> {
        let slot = self.longest.find(file, hash::extend(node, word))?;
        slot.last_chunk().map(|bytes| f32::from_le_bytes(*bytes))
    }
}
