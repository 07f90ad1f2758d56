//! How many n-grams of words occur more than once at most, for much less than counting them.

/// More words than this are no n-gram here.
pub(crate) const LONGEST: usize = 64;

/// Odd constants without structure (digits of the golden ratio and of pi).
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: u64 = 0x2436_a885_a308_d313;

/// The n-grams of the words of a text, by their hashes. Different ones may have the same, so more
/// seem to be repeated than are. Reuses its buffers from text to text.
#[derive(Default)]
pub(crate) struct SeenNgrams {
    /// For each hash: 0, 1, or 2 for more.
    counts: Vec<u8>,
    /// The last words, in a ring.
    last: Vec<u64>,
    at: usize,
    words: usize,
    /// The hash of the last words, and the factor by which the one that leaves counts in it.
    hash: u64,
    power: u64,
    shift: u32,
}

impl SeenNgrams {
    /// Starts a text of that many bytes, for n-grams of at least one word and at most [`LONGEST`].
    pub(crate) fn clear(&mut self, bytes: usize, n: usize) {
        // Four for each word, if words are as long as in most texts.
        let bits = (bytes / 2).next_power_of_two().ilog2().clamp(6, 24);
        self.counts.clear();
        self.counts.resize(1 << bits, 0);
        self.last.clear();
        self.last.resize(n, 0);
        (self.at, self.words, self.hash, self.shift) = (0, 0, 0, u64::BITS - bits);
        self.power = (0..n).fold(1, |power: u64, _| power.wrapping_mul(BASE));
    }

    /// Adds the next word by a number that equal words share.
    #[inline(always)]
    pub(crate) fn add(&mut self, word: u64) {
        let first = std::mem::replace(&mut self.last[self.at], word);
        self.at = if self.at + 1 < self.last.len() {
            self.at + 1
        } else {
            0
        };
        self.words += 1;
        self.hash = (self.hash.wrapping_mul(BASE).wrapping_add(word))
            .wrapping_sub(first.wrapping_mul(self.power));
        if self.words >= self.last.len() {
            let hash = (self.hash ^ self.hash >> 32).wrapping_mul(MIX);
            let count = &mut self.counts[(hash >> self.shift) as usize];
            *count = (*count + 1).min(2);
        }
    }

    /// The number of n-grams.
    pub(crate) fn total(&self) -> usize {
        (self.words + 1).saturating_sub(self.last.len())
    }

    /// A number that those that occur more than once do not exceed, each occurrence counted.
    pub(crate) fn repeated_at_most(&self) -> usize {
        let once: usize = self
            .counts
            .chunks(128)
            .map(|part| part.iter().map(|&count| count & 1).sum::<u8>() as usize)
            .sum();
        self.total() - once
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn no_more_are_repeated() {
        let mut state = 1u64;
        let mut seen = SeenNgrams::default();
        for known in [1, 3, 100, 1 << 40] {
            for n in [1, 2, 10, LONGEST] {
                for len in [0, 1, 9, 10, 11, 63, 64, 65, 1000] {
                    let words: Vec<u64> = (0..len)
                        .map(|_| {
                            state = state.wrapping_mul(BASE).wrapping_add(MIX);
                            (state >> 20) % known
                        })
                        .collect();
                    let mut counts: HashMap<&[u64], usize> = HashMap::new();
                    for gram in words.windows(n) {
                        *counts.entry(gram).or_default() += 1;
                    }
                    let repeated: usize = counts.values().filter(|&&count| count > 1).sum();
                    seen.clear(6 * len, n);
                    words.iter().for_each(|&word| seen.add(word));
                    assert_eq!(seen.total(), words.windows(n).count());
                    let bound = seen.repeated_at_most();
                    assert!(bound >= repeated, "{bound} for {repeated}");
                    if len == 1000 && known > 1000 {
                        assert!(bound < 400, "{bound} for {repeated}");
                    }
                }
            }
        }
    }
}
