//! Repeated n-grams.
//!
//! Many n-grams of a text occur once, and of these only the number is wanted; most others are part of longer repetitions. So a text is gone
//! over twice. First every n-gram marks a slot of a small filter, which says of each slot whether it was met never, once, or more often.
//! Then n-grams that are alone in their slot are known to be single; only the others get into a table where they are compared, and where
//! one repetition follows another, one comparison of an item does without the table. The filter takes one or two bytes per n-gram, so
//! texts of usual size are counted in the processor's cache.

use super::symbols::{Symbols, Text};

/// Counts the n-grams of a sequence. Exact: hashes only decide what is compared. Buffers are kept from text to text.
#[derive(Debug, Default)]
pub struct NgramCounter {
    symbols: Symbols,
    /// For sequences that are not narrow: the hashes of all beginnings.
    prefixes: Vec<u64>,
    /// Words of 32 slots: below a bit for "met", above one for "met again".
    filter: Vec<u64>,
    /// A flat hash table.
    table: Vec<Slot>,
    /// The n-grams in the table, in the order of first occurrence.
    grams: Vec<Gram>,
    total: usize,
    distinct: usize,
    single: usize,
    /// How many n-grams occur 2, 3, … times; the counts that do not fit are in `large`.
    by_count: Vec<u32>,
    large: Vec<u32>,
}

/// Not a number of an n-gram.
const NONE: u32 = u32::MAX;

/// An entry of the table: a part of the hash, and the number of the n-gram.
#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    gram: u32,
}

const EMPTY: Slot = Slot { tag: 0, gram: NONE };

/// An n-gram: where it stands first, and how often it was met.
#[derive(Debug, Clone, Copy)]
struct Gram {
    first: u32,
    count: u32,
    /// The number of the n-gram that came next, if that is in the table.
    follower: u32,
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

/// Odd constants without structure (digits of the golden ratio, of pi and of e).
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: u64 = 0x2436_a885_a308_d313;
const SPREAD: u64 = 0xadf8_5458_a2bb_4a9b;

/// Slots of the filter per n-gram, at least; up to twice as many. More slots mean fewer single n-grams that share one and must be
/// compared, but more memory.
const SLOTS: usize = 8;

/// Counts below this are sorted by counting.
const SMALL: usize = 64;

impl NgramCounter {
    /// Counts the n-grams of the code points of `text`, which are fewer than 2^32. A text shorter than `n` has none; `n` must not be 0.
    pub fn count_characters(&mut self, text: &str, n: usize) {
        let mut symbols = std::mem::take(&mut self.symbols);
        match symbols.of(text) {
            Text::Narrow { len, padded } if n <= 16 => {
                let low = if n < 8 { (1 << (8 * n)) - 1 } else { !0 };
                let high = if n < 16 { (1 << (8 * n.saturating_sub(8))) - 1 } else { !0 };
                let halves = |gram: &[u8; 16]| {
                    let both = u128::from_le_bytes(*gram);
                    (both as u64 & low, (both >> 64) as u64 & high)
                };
                let hash = |gram: &[u8; 16]| {
                    let (a, b) = halves(gram);
                    (a ^ b.wrapping_mul(MIX)).wrapping_mul(BASE)
                };
                let at = |at: usize| padded[at..].first_chunk().expect("padding follows");
                let total = (len + 1).saturating_sub(n);
                let grams = Grams {
                    n,
                    hash: |i| hash(at(i)),
                    same: |i, j| halves(at(i)) == halves(at(j)),
                    same_item: |i, j| padded[i] == padded[j],
                };
                self.tally(total, padded.array_windows().map(hash), grams);
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
        let grams = Grams { n, hash: &hash, same: |a, b| (0..n).all(|i| same(a + i, b + i)), same_item: &same };
        self.tally(total, (0..total).map(&hash), grams);
        self.prefixes = prefixes;
    }

    /// Counts `total` n-grams, whose hashes are `hashes` in order.
    #[inline(always)]
    fn tally<H, S, I>(&mut self, total: usize, hashes: impl Iterator<Item = u64>, sequence: Grams<H, S, I>)
    where
        H: Fn(usize) -> u64,
        S: Fn(usize, usize) -> bool,
        I: Fn(usize, usize) -> bool,
    {
        let Grams { n, hash, same, same_item } = sequence;
        let bits = (total * SLOTS).max(64).next_power_of_two().trailing_zeros();
        let slot = |hash: u64| {
            let slot = (hash >> (64 - bits)) as usize;
            (slot >> 5, slot & 31)
        };
        self.filter.clear();
        self.filter.resize(1 << (bits - 5), 0);
        let filter = &mut self.filter[..];
        for hash in hashes.take(total) {
            let (word, bit) = slot(hash);
            let word = &mut filter[word];
            let met = 1 << bit;
            *word |= met | (*word & met) << 32;
        }
        let alone: usize = filter.iter().map(|word| (word & !(word >> 32) & 0xffff_ffff).count_ones() as usize).sum();
        // Few of those that are not alone are different. The table grows if it must.
        self.table.clear();
        self.table.resize(((total - alone) / 4).max(16).next_power_of_two(), EMPTY);
        self.grams.clear();
        let mut grams = std::mem::take(&mut self.grams);
        // The number of the n-gram before.
        let mut before = NONE;
        for at in 0..total {
            // What followed last time follows most often again. As the n-grams overlap, only the last item is in question.
            if let Some(last) = grams.get(before as usize)
                && let follower = last.follower
                && let Some(gram) = grams.get_mut(follower as usize)
                && same_item(gram.first as usize + n - 1, at + n - 1)
            {
                gram.count += 1;
                before = follower;
                continue;
            }
            let hash = hash(at);
            let (word, bit) = slot(hash);
            if filter[word] >> (bit + 32) & 1 == 0 {
                before = NONE;
                continue;
            }
            let tag = ((hash ^ hash >> 32).wrapping_mul(SPREAD) >> 32) as u32;
            let number = match find(&self.table, tag, |number| same(grams[number as usize].first as usize, at)) {
                Ok(number) => {
                    grams[number as usize].count += 1;
                    number
                }
                Err(place) => {
                    let number = grams.len() as u32;
                    grams.push(Gram { first: at as u32, count: 1, follower: NONE });
                    self.table[place] = Slot { tag, gram: number };
                    if grams.len() * 3 > self.table.len() * 2 {
                        grow(&mut self.table);
                    }
                    number
                }
            };
            if let Some(last) = grams.get_mut(before as usize) {
                last.follower = number;
            }
            before = number;
        }
        self.grams = grams;
        self.sum_up(total, alone);
    }

    fn sum_up(&mut self, total: usize, alone: usize) {
        self.by_count.clear();
        self.by_count.resize(SMALL, 0);
        self.large.clear();
        for gram in &self.grams {
            match self.by_count.get_mut(gram.count as usize) {
                Some(number) => *number += 1,
                None => self.large.push(gram.count),
            }
        }
        self.large.sort_unstable_by(|a, b| b.cmp(a));
        self.total = total;
        self.distinct = alone + self.grams.len();
        self.single = alone + self.by_count[1] as usize;
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

/// The number of the n-gram in the table with the tag for which `same` says yes; if there is none, the place where it belongs.
#[inline(always)]
fn find(table: &[Slot], tag: u32, same: impl Fn(u32) -> bool) -> Result<u32, usize> {
    let mask = table.len() - 1;
    let mut place = (u64::from(tag) * table.len() as u64 >> 32) as usize;
    loop {
        let slot = table[place];
        if slot.gram == NONE {
            return Err(place);
        }
        if slot.tag == tag && same(slot.gram) {
            return Ok(slot.gram);
        }
        place = (place + 1) & mask;
    }
}

/// Doubles the table.
#[cold]
fn grow(table: &mut Vec<Slot>) {
    let size = table.len() * 2;
    let old = std::mem::replace(table, vec![EMPTY; size]);
    for slot in old.into_iter().filter(|slot| slot.gram != NONE) {
        if let Err(place) = find(table, slot.tag, |_| false) {
            table[place] = slot;
        }
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
        for len in [0, 1, 2, 9, 10, 300, 3000] {
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
