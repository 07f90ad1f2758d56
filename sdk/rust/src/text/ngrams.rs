//! Repeated n-grams.
//!
//! One pass finds for every n-gram that was met before the place where it stands. Where one does, so do most that follow: the n-grams of a
//! repetition are found by comparing one item each, without a look into the table. The pass notes these runs. Then, from the last run to
//! the first, the count of every n-gram of a run is added to the one that it repeats, until the first occurrences have them all.
//!
//! What costs most is the table, which must be looked into at random places. So it takes four bytes per slot, of which few are needed for
//! the place, and the rest is a part of the hash: a text is seldom compared in vain.

use super::symbols::{Symbols, Text};

/// Counts the n-grams of a sequence. Exact: hashes only decide what is compared. Buffers are kept from text to text.
#[derive(Debug, Default)]
pub struct NgramCounter {
    symbols: Symbols,
    /// For sequences that are not narrow: the hashes of all beginnings.
    prefixes: Vec<u64>,
    /// A flat hash table of first occurrences: below the place, above a part of the hash.
    table: Vec<u32>,
    /// The repetitions, in order.
    runs: Vec<Run>,
    /// For each place, how often its n-gram occurs from there on as far as no run says that it was met before.
    counts: Vec<u32>,
    total: usize,
    distinct: usize,
    single: usize,
    /// How many n-grams occur 2, 3, … times; the counts that do not fit are in `large`.
    by_count: Vec<u32>,
    large: Vec<u32>,
}

/// A slot of the table without an entry. No entry looks like this: its place would be behind the last one.
const EMPTY: u32 = u32::MAX;

/// `len` n-grams from `start` on, which are equal to those from `source` on, where they stand earlier.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: u32,
    len: u32,
    source: u32,
}

/// A sequence of n-grams.
struct Grams<H, S, I> {
    n: usize,
    /// The hash of the n-gram at a place, of which the upper bits count.
    hash: H,
    /// Whether the n-grams at two places are equal.
    same: S,
    /// Whether the items at two places are equal.
    same_item: I,
}

/// Odd constants without structure (digits of the golden ratio and of pi).
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: u64 = 0x2436_a885_a308_d313;

/// Up to so many n-grams the table has two slots for each, and stays in the processor's cache; above it has three for two.
const FEW: usize = 1 << 16;

/// Counts below this are sorted by counting; so many n-grams are rarely equal.
const SMALL: usize = 64;

impl NgramCounter {
    /// Counts the n-grams of the code points of `text`, which are fewer than 2^32. A text shorter than `n` has none; `n` must not be 0.
    pub fn count_characters(&mut self, text: &str, n: usize) {
        let mut symbols = std::mem::take(&mut self.symbols);
        match symbols.of(text) {
            Text::Narrow { len, padded } if n <= 16 => {
                // With the usual length known to the compiler, its masks need no registers.
                let find = if n == 10 { narrow_runs::<10> } else { narrow_runs::<0> };
                let total = (len + 1).saturating_sub(n);
                self.tally(total, |table, runs| find(padded, n, total, table, runs));
            }
            Text::Narrow { len, padded } => self.count(len, n, |i| padded[i].into(), |a, b| padded[a] == padded[b]),
            Text::Wide(text) => self.count(text.len(), n, |i| text[i].into(), |a, b| text[a] == text[b]),
        }
        self.symbols = symbols;
    }

    /// Counts the n-grams of `len` items, fewer than 2^32. `hash` gives a hash of item `i` (for small items, the item), `same` whether two
    /// items are equal. A sequence shorter than `n` has none; `n` must not be 0.
    #[inline(always)]
    pub fn count(&mut self, len: usize, n: usize, hash: impl Fn(usize) -> u64, same: impl Fn(usize, usize) -> bool) {
        let mut prefixes = std::mem::take(&mut self.prefixes);
        prefixes.clear();
        prefixes.push(0);
        let mut prefix = 0u64;
        prefixes.extend((0..len).map(|i| {
            prefix = prefix.wrapping_mul(BASE).wrapping_add(hash(i));
            prefix
        }));
        let power = (0..n).fold(1u64, |power, _| power.wrapping_mul(BASE));
        let hash = |at: usize| {
            let hash = prefixes[at + n].wrapping_sub(prefixes[at].wrapping_mul(power));
            (hash ^ hash >> 32).wrapping_mul(MIX)
        };
        let total = (len + 1).saturating_sub(n);
        let grams = Grams { n, hash, same: |a, b| (0..n).all(|i| same(a + i, b + i)), same_item: &same };
        self.tally(total, |table, runs| find_runs(grams, total, table, runs));
        self.prefixes = prefixes;
    }

    /// Counts `total` n-grams, of which `find` appends the repetitions to a list; it gets an empty table with more slots than that.
    #[inline(always)]
    fn tally(&mut self, total: usize, find: impl FnOnce(&mut [u32], &mut Vec<Run>)) {
        let slots = (if total <= FEW { total * 2 } else { total / 2 * 3 }).max(16);
        self.table.clear();
        self.table.resize(slots, EMPTY);
        self.runs.clear();
        find(&mut self.table, &mut self.runs);
        self.add_up(total);
        self.sum_up(total);
    }

    /// Moves the counts of repeated n-grams to their first occurrences.
    fn add_up(&mut self, total: usize) {
        self.counts.clear();
        self.counts.resize(total, 1);
        for run in self.runs.iter().rev() {
            let [start, len, source] = [run.start, run.len, run.source].map(|number| number as usize);
            if source + len <= start {
                let (to, from) = self.counts.split_at_mut(start);
                to[source..source + len].iter_mut().zip(&from[..len]).for_each(|(to, from)| *to += from);
            } else {
                // The run repeats itself.
                (0..len).rev().for_each(|i| self.counts[source + i] += self.counts[start + i]);
            }
        }
    }

    /// Counts the counts of the first occurrences, which stand between the runs.
    fn sum_up(&mut self, total: usize) {
        self.large.clear();
        // Most counts are 1: in one histogram the next addition would wait for the last.
        let mut histograms = [[0u32; SMALL]; 4];
        let mut add = |histogram: usize, count: u32| match histograms[histogram].get_mut(count as usize) {
            Some(number) => *number += 1,
            None => self.large.push(count),
        };
        let mut ones = 0;
        let mut start = 0;
        let end = Run { start: total as u32, len: 0, source: 0 };
        for run in self.runs.iter().chain([&end]) {
            let (chunks, rest) = self.counts[start..run.start as usize].as_chunks::<8>();
            for chunk in chunks {
                if chunk.iter().fold(0, |other, count| other | (count ^ 1)) == 0 {
                    ones += chunk.len() as u32;
                } else {
                    chunk.iter().enumerate().for_each(|(i, &count)| add(i % 4, count));
                }
            }
            rest.iter().for_each(|&count| add(0, count));
            start = (run.start + run.len) as usize;
        }
        self.by_count.clear();
        self.by_count.extend((0..SMALL).map(|count| histograms.iter().map(|histogram| histogram[count]).sum::<u32>()));
        self.by_count[1] += ones;
        self.large.sort_unstable_by(|a, b| b.cmp(a));
        self.total = total;
        self.distinct = total - self.runs.iter().map(|run| run.len as usize).sum::<usize>();
        self.single = self.by_count[1] as usize;
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

    /// The number of occurrences of the `most` most frequent of the different n-grams that occur more than once.
    pub fn most_frequent(&self, most: usize) -> usize {
        let mut left = most;
        let large: usize = self.large.iter().take(left).map(|&count| count as usize).sum();
        left -= self.large.len().min(left);
        let mut sum = large;
        for (count, &number) in self.by_count.iter().enumerate().skip(2).rev() {
            let taken = left.min(number as usize);
            sum += taken * count;
            left -= taken;
        }
        sum
    }
}

/// Appends the repetitions among `total` n-grams of `n` bytes, up to 16, to `runs`. `text` has 15 bytes more; `N` is 0 or `n`.
#[inline(never)]
fn narrow_runs<const N: usize>(text: &[u8], n: usize, total: usize, table: &mut [u32], runs: &mut Vec<Run>) {
    let n = if N == 0 { n } else { N };
    let low = if n < 8 { (1 << (8 * n)) - 1 } else { !0 };
    let high = if n < 16 { (1 << (8 * n.saturating_sub(8))) - 1 } else { !0 };
    let halves = |at: usize| {
        let gram: &[u8; 16] = text[at..].first_chunk().expect("more bytes follow");
        let both = u128::from_le_bytes(*gram);
        (both as u64 & low, (both >> 64) as u64 & high)
    };
    let hash = |at: usize| {
        let (a, b) = halves(at);
        (a ^ b.wrapping_mul(MIX)).wrapping_mul(BASE)
    };
    let grams = Grams { n, hash, same: |i, j| halves(i) == halves(j), same_item: |i, j| text[i] == text[j] };
    find_runs(grams, total, table, runs);
}

/// Appends the repetitions among the first `total` of the n-grams to `runs`. `table` is empty and has more slots than that.
#[inline(always)]
fn find_runs<H, S, I>(grams: Grams<H, S, I>, total: usize, table: &mut [u32], runs: &mut Vec<Run>)
where
    H: Fn(usize) -> u64,
    S: Fn(usize, usize) -> bool,
    I: Fn(usize, usize) -> bool,
{
    let Grams { n, hash, same, same_item } = grams;
    let slots = table.len() as u64;
    let places = ((1u64 << (usize::BITS - total.leading_zeros())) - 1) as u32;
    let mut at = 0;
    while at < total {
        let hash = hash(at);
        let tag = (hash >> 10) as u32 & !places;
        let mut slot = (((hash >> 32) * slots) >> 32) as usize;
        let source = loop {
            let entry = table[slot];
            if entry == EMPTY {
                table[slot] = tag | at as u32;
                break at;
            }
            let source = (entry & places) as usize;
            if entry & !places == tag && same(source, at) {
                break source;
            }
            slot = if slot + 1 < table.len() { slot + 1 } else { 0 };
        };
        if source == at {
            at += 1;
            continue;
        }
        // As n-grams overlap, only the last item of the next one is in question.
        let (from, to) = (source + n - 1, at + n - 1);
        let len = (1..total - at).find(|&i| !same_item(from + i, to + i)).unwrap_or(total - at);
        runs.push(Run { start: at as u32, len: len as u32, source: source as u32 });
        at += len;
    }
}

/// A hash of a word, good enough for a table that compares on a hit.
#[inline(always)]
pub fn word_hash(word: &[u8]) -> u64 {
    let four = |at: usize| u64::from(u32::from_le_bytes(word[at..at + 4].try_into().expect("4 bytes")));
    let eight = |at: usize| u64::from_le_bytes(word[at..at + 8].try_into().expect("8 bytes"));
    let len = word.len();
    let (a, b) = match len {
        0 => (0, 0),
        1..4 => (u64::from(word[0]) | u64::from(word[len / 2]) << 8 | u64::from(word[len - 1]) << 16, 0),
        4..=8 => (four(0), four(len - 4)),
        9..=16 => (eight(0), eight(len - 8)),
        _ => {
            let inner = (8..len - 8).step_by(8).fold(eight(0), |h, at| (h ^ eight(at)).wrapping_mul(MIX).rotate_left(29));
            (inner, eight(len - 8))
        }
    };
    let h = (a ^ MIX.wrapping_mul(len as u64)).wrapping_mul(BASE) ^ b.wrapping_mul(MIX).rotate_left(31);
    (h ^ (h >> 29)).wrapping_mul(MIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::hash::Hash;

    /// Total, different, repeated, and the most frequent one, two, three and ten, by the simplest means.
    fn expected<T: Hash + Eq>(items: &[T], n: usize) -> [usize; 7] {
        let mut map: HashMap<&[T], usize> = HashMap::new();
        items.windows(n).for_each(|gram| *map.entry(gram).or_default() += 1);
        let mut counts: Vec<usize> = map.values().copied().filter(|&count| count > 1).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let most = |most| counts.iter().take(most).sum();
        [map.values().sum(), map.len(), most(usize::MAX), most(1), most(2), most(3), most(10)]
    }

    fn results(counter: &NgramCounter) -> [usize; 7] {
        let most = [1, 2, 3, 10].map(|most| counter.most_frequent(most));
        [counter.total(), counter.distinct(), counter.repeated(), most[0], most[1], most[2], most[3]]
    }

    fn random(seed: u32) -> impl Iterator<Item = u32> {
        let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), step).skip(1).map(|state| state >> 16)
    }

    #[test]
    fn counts_as_a_map_does() {
        let mut counter = NgramCounter::default();
        for len in [0, 1, 2, 9, 10, 300, 3000, FEW + 1000] {
            for letters in [1, 2, 5, 1000] {
                let items: Vec<u32> = random(7).map(|r| r % letters).take(len).collect();
                for n in [1, 2, 3, 10] {
                    counter.count(items.len(), n, |i| items[i].into(), |a, b| items[a] == items[b]);
                    assert_eq!(results(&counter), expected(&items, n), "{len} items of {letters} letters, {n}-grams");
                }
            }
        }
    }

    #[test]
    fn counts_characters_of_all_scripts() {
        let mut counter = NgramCounter::default();
        // Few letters: many repetitions. The last three have too many for one byte each.
        for (from, letters) in [(0x61, 2), (0x61, 26), (0x70, 60), (0x430, 3), (0x1f600, 100), (0x7c, 200), (0x4e00, 500), (0x1ff00, 300)] {
            for len in [0, 1, 5, 9, 10, 11, 16, 17, 18, 255, 256, 257, 3000] {
                let text: String = random(len as u32).filter_map(|r| char::from_u32(from + r % letters)).take(len).collect();
                let text = if len == 3000 { text.repeat(2) } else { text };
                let characters: Vec<char> = text.chars().collect();
                for n in [1, 2, 7, 8, 9, 10, 15, 16, 17, 40] {
                    counter.count_characters(&text, n);
                    assert_eq!(results(&counter), expected(&characters, n), "{len} of {letters} from {from:x}, {n}-grams");
                }
            }
        }
    }

    #[test]
    fn words_of_every_length_have_their_own_hash() {
        let text: Vec<u8> = (0..64).collect();
        let mut hashes: Vec<u64> =
            (0..64).flat_map(|from| (from..64).map(move |to| (from, to))).map(|(a, b)| word_hash(&text[a..b])).collect();
        hashes.sort_unstable();
        hashes.dedup();
        // The 64 empty words are one.
        assert_eq!(hashes.len(), 64 * 63 / 2 + 1);
    }
}
