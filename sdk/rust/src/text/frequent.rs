//! How often the most frequent n-grams of a text can occur at most, for much less than counting
//! them.
//!
//! N-grams are counted by hashes in a table that fits the first-level cache. Different ones may share
//! a counter, which only makes counts larger. And not all are counted, but parts of eight bytes at
//! every third place: each occurrence of an n-gram contains one of these places, as its first, second
//! or third, and with it the same part. So the occurrences of some n-grams are at most three times
//! those of as many parts.

use super::repeats::BASE;
use super::symbols::{Symbols, Text};

/// Bounds the occurrences of n-grams. Reuses its buffers from text to text.
#[derive(Debug, Default)]
pub struct FrequentNgrams {
    symbols: Symbols,
    counts: Vec<u32>,
}

/// Bytes that are counted as one.
const PART: usize = size_of::<u64>();

/// Distance of counted parts: larger ones make less work and a worse bound.
const STRIDE: usize = 3;

/// Counters for each of the most frequent n-grams, so that these seldom share one.
const COUNTERS: usize = 16;

impl FrequentNgrams {
    /// A number that the occurrences of any `most` different n-grams of code points of `text`, added
    /// up, do not exceed. `n` must not be 0. The text has that many `code_points`.
    pub fn at_most(&mut self, text: &str, code_points: usize, n: usize, most: usize) -> usize {
        // As bytes a code point has several n-grams in place of one, which makes the bound worse.
        if text.len() <= code_points / 8 * 9 {
            return bound::<1>(&mut self.counts, text.as_bytes(), n, most);
        }
        match self.symbols.of(text) {
            Text::Bytes { len, padded } => bound::<1>(&mut self.counts, &padded[..len], n, most),
            Text::Pairs { len, padded } => {
                bound::<2>(&mut self.counts, &padded[..2 * len], n, most)
            }
            Text::Whole(symbols) => symbols.len(),
        }
    }
}

/// The bound for n-grams of at least `n` units of `W` bytes.
fn bound<const W: usize>(counts: &mut Vec<u32>, text: &[u8], n: usize, most: usize) -> usize {
    let stride = (n + 1).saturating_sub(PART / W).clamp(1, STRIDE);
    let mask = match n * W {
        bytes @ 0..PART => (1 << (8 * bytes)) - 1,
        _ => u64::MAX,
    };
    // N-grams that are shorter than a part have none at the end of the text.
    let beyond = (PART / W).saturating_sub(n);
    let bits = (most * COUNTERS).next_power_of_two().ilog2().clamp(8, 20);
    counts.clear();
    counts.resize(1 << bits, 0);
    let mut parts = 0u32;
    for part in text.windows(PART).step_by(stride * W) {
        let part = u64::from_le_bytes(*part.first_chunk().expect("a window of eight"));
        let counter = (part & mask).wrapping_mul(BASE) >> (u64::BITS - bits);
        counts[counter as usize] += 1;
        parts += 1;
    }
    stride * largest(counts, parts >> bits, most as u32) + beyond
}

/// A number that the sum of the `most` largest counts does not exceed; `mean` is that of all counts.
///
/// What each of them has up to a threshold, and what all counts have above it: least where the
/// threshold is the smallest of the largest counts.
fn largest(counts: &[u32], mean: u32, most: u32) -> usize {
    let thresholds = [mean + 1, mean + 3, 2 * mean + 6, 4 * mean + 16];
    let mut above = [[0u32; 4]; 4];
    for four in counts.as_chunks::<4>().0 {
        for (above, threshold) in above.iter_mut().zip(thresholds) {
            for (above, count) in above.iter_mut().zip(four) {
                *above += count.saturating_sub(threshold);
            }
        }
    }
    let bound = |(above, threshold): (&[u32; 4], u32)| {
        let above: usize = above.iter().map(|&above| above as usize).sum();
        above + most as usize * threshold as usize
    };
    above
        .iter()
        .zip(thresholds)
        .map(bound)
        .min()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// The occurrences of the most frequent n-grams, counted.
    fn counted(text: &str, n: usize, most: usize) -> usize {
        let characters: Vec<char> = text.chars().collect();
        let mut counts: HashMap<&[char], usize> = HashMap::new();
        for gram in characters.windows(n) {
            *counts.entry(gram).or_default() += 1;
        }
        let mut counts: Vec<usize> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.iter().take(most).sum()
    }

    fn random(seed: u32) -> impl Iterator<Item = u32> {
        let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), step)
            .skip(1)
            .map(|state| state >> 16)
    }

    #[test]
    fn no_ngrams_are_more_frequent() {
        let mut frequent = FrequentNgrams::default();
        // Few letters: many repetitions. The last three have too many for one byte each.
        for (from, letters) in [
            (0x61, 1),
            (0x61, 2),
            (0x61, 26),
            (0x70, 60),
            (0x430, 3),
            (0x1f600, 100),
            (0x4e00, 500),
            (0x1ff00, 300),
            (0xff00, 3000),
        ] {
            for len in [0, 1, 7, 8, 9, 10, 11, 12, 13, 16, 17, 100, 2000] {
                let text: String = random(len as u32)
                    .filter_map(|r| char::from_u32(from + r % letters))
                    .take(len)
                    .collect();
                let text = if len == 2000 { text.repeat(2) } else { text };
                for n in [1, 2, 4, 7, 8, 9, 10, 11, 16, 17, 40] {
                    for most in [0, 1, 3, 10, 60, 10_000] {
                        let bound = frequent.at_most(&text, text.chars().count(), n, most);
                        let count = counted(&text, n, most);
                        assert!(
                            bound >= count,
                            "{bound} for {count}: {most} {n}-grams of {len} of {letters} from {from:x}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_bound_is_near_where_little_repeats() {
        let text: String = random(1)
            .map(|r| char::from(b'a' + (r % 26) as u8))
            .take(30_000)
            .collect();
        let bound = FrequentNgrams::default().at_most(&text, text.len(), 10, 173);
        assert!(bound < 6_000, "{bound}");
    }
}
