//! N-grams in a trie, whose arrays are packed to bits. An entry has the number of a word, the
//! values and a pointer to the longer n-grams; those of one entry are sorted by their words.

use super::bits;
use super::layout::Layout;
use super::pointers::Pointers;
use super::quantised::Values;
use super::score::{Gram, Search};
use super::sorted;
use crate::numbers::{f32_at, u64_at};
use std::ops::Range;

#[derive(Debug)]
pub(crate) struct Trie {
    values: Values,
    /// Probability, backoff and pointer; one more for the last pointer.
    unigrams: Range<usize>,
    middles: Vec<Middle>,
    longest: Array,
}

/// The entries of n-grams of one length.
#[derive(Debug)]
struct Array {
    place: Range<usize>,
    entries: u64,
    word_bits: u32,
    /// The size of an entry.
    bits: u64,
    words: u64,
}

#[derive(Debug)]
struct Middle {
    array: Array,
    pointers: Pointers,
}

impl Array {
    fn read(
        layout: &mut Layout,
        entries: u64,
        words: u64,
        value_bits: u32,
    ) -> Result<Self, String> {
        let word_bits = bits::width(words);
        let bits = u64::from(word_bits + value_bits);
        // One more entry for the last pointer, and bytes that are read beyond it.
        let size = (u128::from(entries) + 1) * u128::from(bits);
        let size = u64::try_from(size.div_ceil(8) + 8).unwrap_or(u64::MAX);
        Ok(Self {
            place: layout.take(size, 1, "arrays of n-grams")?,
            entries,
            word_bits,
            bits,
            words,
        })
    }

    /// The place of a word within a range of entries, and the array.
    #[inline(always)]
    fn find<'a>(&self, file: &'a [u8], range: Range<u64>, word: u32) -> Option<(u64, &'a [u8])> {
        let array = file.get(self.place.clone())?;
        let at = |index: u64| bits::read(array, index * self.bits, self.word_bits);
        let range = range.start..range.end.min(self.entries);
        let found = sorted::find(range, (0, self.words), word.into(), at)?;
        Some((found, array))
    }
}

impl Trie {
    /// Finds the arrays of a binary.
    pub(crate) fn read(
        layout: &mut Layout,
        file: &[u8],
        counts: &[u64],
        quantised: bool,
        compressed: bool,
    ) -> Result<Self, String> {
        let values = Values::read(layout, file, counts.len(), quantised)?;
        let unigrams = layout.take(counts[0] + 2, 16, "1-grams")?;
        let most_cut = (compressed && counts.len() > 2)
            .then(|| Pointers::most_cut(file, layout.at()))
            .transpose()?;
        let mut middles = Vec::new();
        for pair in counts[1..].windows(2) {
            let pointers = Pointers::read(layout, pair[0], pair[1], most_cut)?;
            let value_bits = values.middle_bits() + pointers.inline_bits();
            middles.push(Middle {
                array: Array::read(layout, pair[0], counts[0], value_bits)?,
                pointers,
            });
        }
        let last = counts[counts.len() - 1];
        let longest = Array::read(layout, last, counts[0], values.longest_bits())?;
        Ok(Self {
            values,
            unigrams,
            middles,
            longest,
        })
    }
}

/// The places of the longer n-grams.
type Node = (u64, u64);

impl Search for Trie {
    type Node = Node;

    #[inline(always)]
    fn order(&self) -> usize {
        self.middles.len() + 2
    }

    #[inline(always)]
    fn unigram(&self, file: &[u8], word: u32) -> (Gram, Node) {
        let all = file.get(self.unigrams.clone()).unwrap_or_default();
        // A damaged vocabulary can name words beyond the end: these are unknown.
        let entry = all
            .get(16 * word as usize..)
            .filter(|rest| rest.len() >= 32)
            .unwrap_or(all);
        let node = (
            u64_at(entry, 8).unwrap_or_default(),
            u64_at(entry, 24).unwrap_or_default(),
        );
        let gram = Gram {
            probability: f32_at(entry, 0).unwrap_or_default(),
            backoff: f32_at(entry, 4).unwrap_or_default(),
            is_end: node.0 >= node.1,
        };
        (gram, node)
    }

    #[inline(always)]
    fn middle(&self, file: &[u8], words: usize, word: u32, node: &mut Node) -> Option<Gram> {
        let Middle { array, pointers } = self.middles.get(words - 2)?;
        let (index, entries) = array.find(file, node.0..node.1, word)?;
        let bit = index * array.bits + u64::from(array.word_bits);
        let (probability, backoff) = self.values.middle(file, entries, bit, words)?;
        let pointer = bit + u64::from(self.values.middle_bits());
        let next = pointers.range(file, entries, pointer, index, array.bits)?;
        *node = (next.start, next.end);
        Some(Gram {
            probability,
            backoff,
            is_end: next.start >= next.end,
        })
    }

    #[inline(always)]
    fn longest(&self, file: &[u8], word: u32, node: Node) -> Option<f32> {
        let array = &self.longest;
        let (index, entries) = array.find(file, node.0..node.1, word)?;
        let bit = index * array.bits + u64::from(array.word_bits);
        self.values.longest(file, entries, bit)
    }
}
