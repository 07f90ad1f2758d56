//! Repeated n-grams.
//!
//! [`Repeats`] finds the runs of n-grams that occurred before. Then, from the last run to the
//! first, the count of every n-gram of a run is added to that of the one it repeats, until the
//! first occurrences have all counts.

use std::ops::AddAssign;

use super::repeats::{BASE, Grams, MIX, Repeats, Run};
use super::symbols::{Symbols, Text};

/// Counts the n-grams of a sequence. Exact: hashes only decide what is compared. Reuses its buffers
/// from text to text.
#[derive(Debug, Default)]
pub struct NgramCounter {
    symbols: Symbols,
    /// For sequences that are not packed: the hashes of all beginnings.
    prefixes: Vec<u64>,
    repeats: Repeats,
    short: Vec<u16>,
    long: Vec<u32>,
    /// For n-grams of two bytes: how often each occurs. All zero between texts.
    pairs: Vec<u32>,
    total: usize,
    distinct: usize,
    /// Number of n-grams that occur once.
    single: usize,
    /// Number of n-grams with 1, 2, … further occurrences; larger counts are in `large`.
    by_count: Vec<u32>,
    large: Vec<u32>,
}

/// Counts below this are sorted by counting; higher ones are rare.
const SMALL: usize = 64;

/// From this number of n-grams of two bytes on, scanning the counts of all possible ones costs less
/// than finding runs.
const MANY: usize = 1000;

/// Longer n-grams, in bytes, are not compared as a whole.
const PACKED: usize = 32;

impl NgramCounter {
    /// Counts the n-grams of the code points of `text`, which are fewer than 2^32. A text shorter
    /// than `n` has none; `n` must not be 0.
    pub fn count_characters(&mut self, text: &str, n: usize) {
        let mut symbols = std::mem::take(&mut self.symbols);
        let mut repeats = std::mem::take(&mut self.repeats);
        match symbols.of(text) {
            Text::Bytes { len, padded } if n <= 2 && len > MANY => {
                let second = |i: usize| if n == 2 { padded[i + 1] } else { 0 };
                self.count_pairs((0..=len - n).map(|i| u16::from_le_bytes([padded[i], second(i)])));
            }
            Text::Bytes { len, padded } if n <= PACKED => {
                let total = (len + 1).saturating_sub(n);
                self.add_up(total, repeats.of_units::<1>(padded, n, total));
            }
            Text::Pairs { len, padded } if n <= PACKED / 2 => {
                let total = (len + 1).saturating_sub(n);
                self.add_up(total, repeats.of_units::<2>(padded, n, total));
            }
            Text::Bytes { len, padded } => {
                self.count(len, n, |i| padded[i].into(), |a, b| padded[a] == padded[b])
            }
            Text::Pairs { len, padded } => {
                let pair = |i: usize| u16::from_le_bytes([padded[2 * i], padded[2 * i + 1]]);
                self.count(len, n, |i| pair(i).into(), |a, b| pair(a) == pair(b));
            }
            Text::Whole(text) => {
                self.count(text.len(), n, |i| text[i].into(), |a, b| text[a] == text[b])
            }
        }
        self.symbols = symbols;
        self.repeats = repeats;
    }

    /// Counts the n-grams of `len` items, fewer than 2^32. `hash` gives a hash of item `i` (for
    /// small items, the item), `same` whether two items are equal. A sequence shorter than `n` has
    /// none; `n` must not be 0.
    #[inline(always)]
    pub fn count(
        &mut self,
        len: usize,
        n: usize,
        hash: impl Fn(usize) -> u64,
        same: impl Fn(usize, usize) -> bool,
    ) {
        let mut prefixes = std::mem::take(&mut self.prefixes);
        let mut repeats = std::mem::take(&mut self.repeats);
        prefixes.clear();
        prefixes.push(0);
        let mut prefix = 0u64;
        prefixes.extend((0..len).map(|i| {
            prefix = prefix.wrapping_mul(BASE).wrapping_add(hash(i));
            prefix
        }));
        let grams = Prefixes {
            prefixes: &prefixes,
            n,
            power: (0..n).fold(1, |power: u64, _| power.wrapping_mul(BASE)),
            same,
        };
        let total = (len + 1).saturating_sub(n);
        self.add_up(total, repeats.find(&grams, total));
        self.prefixes = prefixes;
        self.repeats = repeats;
    }

    /// Counts n-grams of two bytes.
    fn count_pairs(&mut self, grams: impl Iterator<Item = u16>) {
        self.pairs.resize(1 << 16, 0);
        let pairs: &mut [u32; 1 << 16] = self.pairs.first_chunk_mut().expect("just resized");
        self.total = 0;
        for gram in grams {
            pairs[usize::from(gram)] += 1;
            self.total += 1;
        }
        self.distinct = 0;
        let mut histogram = [0; SMALL];
        self.large.clear();
        for chunk in pairs.as_chunks_mut::<8>().0 {
            if *chunk != [0; 8] {
                for count in chunk.iter_mut().filter(|count| **count > 0) {
                    let further = std::mem::take(count) - 1;
                    self.distinct += 1;
                    match histogram.get_mut(further as usize) {
                        Some(number) => *number += 1,
                        None => self.large.push(further),
                    }
                }
            }
        }
        self.single = std::mem::take(&mut histogram[0]) as usize;
        self.keep(&histogram);
    }

    /// Builds the histogram of the counts of `total` n-grams, of which `runs` repeat earlier ones.
    fn add_up(&mut self, total: usize, runs: &[Run]) {
        self.total = total;
        self.distinct = total - runs.iter().map(|run| run.len as usize).sum::<usize>();
        self.large.clear();
        let histogram = if total <= usize::from(u16::MAX) {
            sum_up(&mut self.short, total, runs, &mut self.large)
        } else {
            sum_up(&mut self.long, total, runs, &mut self.large)
        };
        self.single = self.distinct - self.large.len() - histogram.iter().sum::<u32>() as usize;
        self.keep(&histogram);
    }

    /// Stores the histogram of small counts, and sorts the large ones.
    fn keep(&mut self, histogram: &[u32; SMALL]) {
        self.by_count.clear();
        self.by_count.extend_from_slice(histogram);
        self.large.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// The number of n-grams.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The number of different n-grams.
    pub fn distinct(&self) -> usize {
        self.distinct
    }

    /// The number of n-grams that occur more than once, each occurrence counted.
    pub fn repeated(&self) -> usize {
        self.total - self.single
    }

    /// The number of occurrences of the `most` most frequent of the different n-grams that occur
    /// more than once.
    pub fn most_frequent(&self, most: usize) -> usize {
        let mut left = most;
        let large: usize = self
            .large
            .iter()
            .take(left)
            .map(|&count| count as usize + 1)
            .sum();
        left -= self.large.len().min(left);
        let mut sum = large;
        for (count, &number) in self.by_count.iter().enumerate().skip(1).rev() {
            let taken = left.min(number as usize);
            sum += taken * (count + 1);
            left -= taken;
        }
        sum
    }
}

/// N-grams of items, with the hashes of all beginnings of the sequence.
struct Prefixes<'a, S> {
    prefixes: &'a [u64],
    n: usize,
    power: u64,
    same: S,
}

impl<S: Fn(usize, usize) -> bool> Grams for Prefixes<'_, S> {
    #[inline(always)]
    fn hash(&self, at: usize) -> u64 {
        let difference =
            self.prefixes[at + self.n].wrapping_sub(self.prefixes[at].wrapping_mul(self.power));
        (difference ^ difference >> 32).wrapping_mul(MIX)
    }

    #[inline(always)]
    fn equal(&self, a: usize, b: usize, most: usize) -> usize {
        let n = self.n;
        if !(0..n).all(|i| (self.same)(a + i, b + i)) {
            return 0;
        }
        // N-grams overlap, so only the last item of the next one needs comparing.
        (1..most)
            .find(|i| !(self.same)(a + n - 1 + i, b + n - 1 + i))
            .unwrap_or(most)
    }
}

/// Adds the occurrences of repeated n-grams to their first ones. Returns how many of these have
/// each small number of further occurrences, from 1 on; large numbers go to `large`. `C` must hold
/// `total`; `counts` is a buffer.
#[inline(never)]
fn sum_up<C>(counts: &mut Vec<C>, total: usize, runs: &[Run], large: &mut Vec<u32>) -> [u32; SMALL]
where
    C: Copy + Default + AddAssign + PartialEq + From<u8> + Into<u32>,
{
    let (none, one) = (C::default(), C::from(1));
    counts.clear();
    counts.resize(total, none);
    for run in runs.iter().rev() {
        let [start, len, source] = [run.start, run.len, run.source].map(|number| number as usize);
        let (before, run) = counts.split_at_mut(start);
        let distance = start - source;
        // Repetitions within the run itself come first.
        for i in (distance..len).rev() {
            let mut count = std::mem::take(&mut run[i]);
            count += one;
            run[i - distance] += count;
        }
        for (to, from) in before[source..]
            .iter_mut()
            .zip(&mut run[..len.min(distance)])
        {
            *to += std::mem::take(from);
            *to += one;
        }
    }
    // With a single histogram each addition would wait for the previous one.
    let mut histograms = [[0u32; SMALL]; 4];
    let mut add = |histogram: usize, count: C| {
        let count: u32 = count.into();
        match histograms[histogram].get_mut(count as usize) {
            Some(number) => *number += 1,
            None => large.push(count),
        }
    };
    let (chunks, rest) = counts.as_chunks::<8>();
    for chunk in chunks {
        // Most are.
        if *chunk != [none; 8] {
            chunk
                .iter()
                .enumerate()
                .for_each(|(i, &count)| add(i % 4, count));
        }
    }
    rest.iter().for_each(|&count| add(0, count));
    std::array::from_fn(|count| {
        if count == 0 {
            0
        } else {
            histograms.iter().map(|histogram| histogram[count]).sum()
        }
    })
}

/// A hash of a word, good enough for a table that compares on a hit.
#[inline(always)]
pub fn word_hash(word: &[u8]) -> u64 {
    let four = |at: usize| {
        u64::from(u32::from_le_bytes(
            word[at..at + 4].try_into().expect("4 bytes"),
        ))
    };
    let eight = |at: usize| u64::from_le_bytes(word[at..at + 8].try_into().expect("8 bytes"));
    let len = word.len();
    let (a, b) = match len {
        0 => (0, 0),
        1..4 => (
            u64::from(word[0]) | u64::from(word[len / 2]) << 8 | u64::from(word[len - 1]) << 16,
            0,
        ),
        4..=8 => (four(0), four(len - 4)),
        9..=16 => (eight(0), eight(len - 8)),
        _ => {
            let inner = (8..len - 8).step_by(8).fold(eight(0), |h, at| {
                (h ^ eight(at)).wrapping_mul(MIX).rotate_left(29)
            });
            (inner, eight(len - 8))
        }
    };
    let h =
        (a ^ MIX.wrapping_mul(len as u64)).wrapping_mul(BASE) ^ b.wrapping_mul(MIX).rotate_left(31);
    (h ^ (h >> 29)).wrapping_mul(MIX)
}

#[cfg(test)]
mod tests {
    use super::super::repeats::FEW;
    use super::*;
    use std::collections::HashMap;
    use std::hash::Hash;

    /// Total, different, repeated, and the most frequent one, two, three and ten, computed naively.
    fn expected<T: Hash + Eq>(items: &[T], n: usize) -> [usize; 7] {
        let mut map: HashMap<&[T], usize> = HashMap::new();
        items
            .windows(n)
            .for_each(|gram| *map.entry(gram).or_default() += 1);
        let mut counts: Vec<usize> = map.values().copied().filter(|&count| count > 1).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let most = |most| counts.iter().take(most).sum();
        [
            map.values().sum(),
            map.len(),
            most(usize::MAX),
            most(1),
            most(2),
            most(3),
            most(10),
        ]
    }

    fn results(counter: &NgramCounter) -> [usize; 7] {
        let most = [1, 2, 3, 10].map(|most| counter.most_frequent(most));
        [
            counter.total(),
            counter.distinct(),
            counter.repeated(),
            most[0],
            most[1],
            most[2],
            most[3],
        ]
    }

    fn random(seed: u32) -> impl Iterator<Item = u32> {
        let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), step)
            .skip(1)
            .map(|state| state >> 16)
    }

    #[test]
    fn counts_as_a_map_does() {
        let mut counter = NgramCounter::default();
        for len in [0, 1, 2, 9, 10, 300, 3000, FEW + 1000] {
            for letters in [1, 2, 5, 1000] {
                let items: Vec<u32> = random(7).map(|r| r % letters).take(len).collect();
                for n in [1, 2, 3, 10] {
                    counter.count(
                        items.len(),
                        n,
                        |i| items[i].into(),
                        |a, b| items[a] == items[b],
                    );
                    assert_eq!(
                        results(&counter),
                        expected(&items, n),
                        "{len} items of {letters} letters, {n}-grams"
                    );
                }
            }
        }
    }

    #[test]
    fn counts_characters_of_all_scripts() {
        let mut counter = NgramCounter::default();
        // Few letters: many repetitions. The last three have too many for one byte each.
        for (from, letters) in [
            (0x61, 2),
            (0x61, 26),
            (0x70, 60),
            (0x430, 3),
            (0x1f600, 100),
            (0x7c, 200),
            (0x4e00, 500),
            (0x1ff00, 300),
        ] {
            for len in [0, 1, 5, 9, 10, 11, 16, 17, 18, 255, 256, 257, 3000] {
                let text: String = random(len as u32)
                    .filter_map(|r| char::from_u32(from + r % letters))
                    .take(len)
                    .collect();
                let text = if len == 3000 { text.repeat(2) } else { text };
                let characters: Vec<char> = text.chars().collect();
                for n in [1, 2, 7, 8, 9, 10, 15, 16, 17, 40] {
                    counter.count_characters(&text, n);
                    assert_eq!(
                        results(&counter),
                        expected(&characters, n),
                        "{len} of {letters} from {from:x}, {n}-grams"
                    );
                }
            }
        }
    }

    #[test]
    fn words_of_every_length_have_their_own_hash() {
        let text: Vec<u8> = (0..64).collect();
        let mut hashes: Vec<u64> = (0..64)
            .flat_map(|from| (from..64).map(move |to| (from, to)))
            .map(|(a, b)| word_hash(&text[a..b]))
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        // The 64 empty words are one.
        assert_eq!(hashes.len(), 64 * 63 / 2 + 1);
    }
}
