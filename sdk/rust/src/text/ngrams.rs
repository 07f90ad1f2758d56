//! Repeated n-grams.

/// Counts the n-grams of a sequence. Exact: n-grams that share a hash are compared item by item. Buffers are kept from text to text.
#[derive(Debug, Default)]
pub struct NgramCounter {
    slots: Vec<Slot>,
    grams: Vec<Gram>,
}

/// An entry of the flat hash table: half of the hash, and the number of the n-gram plus one (0: empty).
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    tag: u32,
    gram: u32,
}

#[derive(Debug, Clone, Copy)]
struct Gram {
    /// Where it stands first.
    first: u32,
    count: u32,
}

/// Odd constants without structure (digits of the golden ratio and of pi).
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: u64 = 0x2436_a885_a308_d313;

impl NgramCounter {
    /// Counts the n-grams of `len` items. `hash` gives a hash of item `i` (for small items, the item), `same` whether two items are equal.
    /// A sequence shorter than `n` has none; `n` must not be 0.
    #[inline(always)]
    pub fn count(&mut self, len: usize, n: usize, hash: impl Fn(usize) -> u64, same: impl Fn(usize, usize) -> bool) {
        self.grams.clear();
        if len < n {
            return;
        }
        let total = len - n + 1;
        // At most two thirds full.
        let bits = (total + total / 2).max(2).next_power_of_two().trailing_zeros();
        self.slots.clear();
        self.slots.resize(1 << bits, Slot::default());
        let mask = self.slots.len() - 1;
        let top = (0..n).fold(1u64, |power, _| power.wrapping_mul(BASE));
        let mut rolling = (0..n - 1).fold(0u64, |h, i| h.wrapping_mul(BASE).wrapping_add(hash(i)));
        // The n-gram before, if it was a repetition: where it stands first. In a long repetition only the last item is new.
        let mut before = u32::MAX;
        for at in 0..total {
            rolling = rolling.wrapping_mul(BASE).wrapping_add(hash(at + n - 1));
            if at > 0 {
                rolling = rolling.wrapping_sub(hash(at - 1).wrapping_mul(top));
            }
            let mixed = (rolling ^ (rolling >> 32)).wrapping_mul(MIX);
            let tag = (mixed >> 16) as u32;
            let mut slot = (mixed >> (64 - bits)) as usize;
            loop {
                let Slot { tag: there, gram } = self.slots[slot];
                if gram == 0 {
                    self.grams.push(Gram { first: at as u32, count: 1 });
                    self.slots[slot] = Slot { tag, gram: self.grams.len() as u32 };
                    before = u32::MAX;
                    break;
                }
                if there == tag {
                    let known = &mut self.grams[gram as usize - 1];
                    let first = known.first as usize;
                    let from = if before != u32::MAX && before as usize + 1 == first { n - 1 } else { 0 };
                    if (from..n).all(|i| same(first + i, at + i)) {
                        known.count += 1;
                        before = known.first;
                        break;
                    }
                }
                slot = (slot + 1) & mask;
            }
        }
    }

    /// The number of different n-grams.
    pub fn distinct(&self) -> usize {
        self.grams.len()
    }

    /// How often each different n-gram occurs, in the order of first occurrence.
    pub fn counts(&self) -> impl Iterator<Item = u32> {
        self.grams.iter().map(|gram| gram.count)
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

    fn counts(items: &[u32], n: usize) -> Vec<u32> {
        let mut counter = NgramCounter::default();
        counter.count(items.len(), n, |i| items[i].into(), |a, b| items[a] == items[b]);
        let mut counts: Vec<u32> = counter.counts().collect();
        counts.sort_unstable();
        counts
    }

    #[test]
    fn counts_as_a_map_does() {
        let mut state = 7u32;
        for len in [0, 1, 2, 9, 10, 300, 3000] {
            for letters in [1, 2, 5, 1000] {
                let items: Vec<u32> = (0..len)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (state >> 16) % letters
                    })
                    .collect();
                for n in [1, 2, 3, 10] {
                    let mut expected: HashMap<&[u32], u32> = HashMap::new();
                    items.windows(n).for_each(|gram| *expected.entry(gram).or_default() += 1);
                    let mut expected: Vec<u32> = expected.into_values().collect();
                    expected.sort_unstable();
                    assert_eq!(counts(&items, n), expected, "{len} items of {letters} letters, {n}-grams");
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
