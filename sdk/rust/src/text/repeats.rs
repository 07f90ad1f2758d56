//! Where a sequence of n-grams repeats itself.
//!
//! One pass finds for every n-gram that was met before the place where it stands. Where one does,
//! so do most that follow: the n-grams of a repetition are found by comparing the items, without a
//! look into the table. The pass notes these runs.
//!
//! What costs most is the table, which must be looked into at random places. So it takes four bytes
//! per slot, of which few are needed for the place, and the rest is a part of the hash: a text is
//! seldom compared in vain. Four slots are looked at in one step that is the same for a slot that
//! is free and for slots of others, as a processor that guesses wrong loses more time than the step
//! takes.
//!
//! The loop over the n-grams that are new is a function of its own that calls no other, as it then
//! keeps all that it needs in registers.

use std::ops::Range;

use super::quad::Quad;

/// `len` n-grams from `start` on, which are equal to those from `source` on, where they stand
/// earlier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) source: u32,
}

/// A sequence of n-grams.
pub(super) trait Grams {
    /// The hash of the n-gram at a place, of which the upper bits count.
    fn hash(&self, at: usize) -> u64;

    /// How many n-grams from the places `a` and `b` on are equal, `most` at most; 0 if the first
    /// are not.
    fn equal(&self, a: usize, b: usize, most: usize) -> usize;
}

/// Finds repetitions. Buffers are kept from sequence to sequence.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// First occurrences: below the place, above a part of the hash. Slots of a group are taken in
    /// order.
    slots: Vec<u32>,
    /// The repetitions, in order.
    runs: Vec<Run>,
}

/// Slots of a group, which are looked at together.
const SLOTS: usize = 4;

/// A slot without an entry. No entry looks like this: its place would be behind the last one.
const EMPTY: u32 = u32::MAX;

/// Up to so many n-grams there are two slots for each, and they stay in the processor's cache;
/// above it there are three for two.
pub(super) const FEW: usize = 1 << 16;

/// Odd constants without structure (digits of the golden ratio and of pi).
pub(super) const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
pub(super) const MIX: u64 = 0x2436_a885_a308_d313;

impl Repeats {
    /// The repetitions among the first `total` of some n-grams.
    #[inline(always)]
    pub(super) fn find(&mut self, grams: &impl Grams, total: usize) -> &[Run] {
        let slots = if total <= FEW {
            total * 2
        } else {
            total / 2 * 3
        };
        self.slots.clear();
        self.slots
            .resize(slots.next_multiple_of(SLOTS) + 2 * SLOTS, EMPTY);
        self.runs.clear();
        // A group must not lie in two lines of the cache.
        let skipped = self
            .slots
            .as_ptr()
            .align_offset(size_of::<[u32; SLOTS]>())
            .min(SLOTS);
        let places = ((1u64 << (usize::BITS - total.leading_zeros())) - 1) as u32;
        let mut table = Table {
            groups: self.slots[skipped..].as_chunks_mut().0,
            places,
        };
        let mut at = 0;
        while let Some((place, candidate)) = table.enter_new(grams, at..total) {
            let mut source = candidate;
            let mut len = grams.equal(source, place, total - place);
            if len == 0 {
                let Some(found) = table.enter(grams, place) else {
                    at = place + 1;
                    continue;
                };
                source = found;
                len = grams.equal(source, place, total - place);
            }
            self.runs.push(Run {
                start: place as u32,
                len: len as u32,
                source: source as u32,
            });
            at = place + len;
        }
        &self.runs
    }
}

struct Table<'a> {
    groups: &'a mut [[u32; SLOTS]],
    /// Bits for the places of the n-grams.
    places: u32,
}

impl Table<'_> {
    /// The number of the group where an n-gram is looked for first, and the upper bits of its
    /// entry.
    #[inline(always)]
    fn slot(&self, hash: u64) -> (usize, u32) {
        (
            (((hash >> 32) * self.groups.len() as u64) >> 32) as usize,
            (hash >> 10) as u32 & !self.places,
        )
    }

    /// Enters the n-grams of a range up to one that might be in the table, or needs another group.
    /// The result is its place, and the place of an n-gram that it might be equal to.
    #[inline(never)]
    fn enter_new(&mut self, grams: &impl Grams, range: Range<usize>) -> Option<(usize, usize)> {
        for at in range {
            let (group, tag) = self.slot(grams.hash(at));
            let group = &mut self.groups[group];
            let entries = Quad::load(group);
            let free = entries.eq(EMPTY).bitmask();
            let like = entries.and(!self.places).eq(tag).bitmask() & !free;
            if free == 0 || like != 0 {
                return Some((
                    at,
                    (group[like.trailing_zeros() as usize % SLOTS] & self.places) as usize,
                ));
            }
            group[free.trailing_zeros() as usize % SLOTS] = tag | at as u32;
        }
        None
    }

    /// Enters an n-gram if it is new; otherwise says where it was met before.
    #[inline(never)]
    fn enter(&mut self, grams: &impl Grams, at: usize) -> Option<usize> {
        let (mut group, tag) = self.slot(grams.hash(at));
        loop {
            for entry in &mut self.groups[group] {
                if *entry == EMPTY {
                    *entry = tag | at as u32;
                    return None;
                }
                let source = (*entry & self.places) as usize;
                if *entry & !self.places == tag && grams.equal(source, at, 1) != 0 {
                    return Some(source);
                }
            }
            group = if group + 1 < self.groups.len() {
                group + 1
            } else {
                0
            };
        }
    }
}

/// N-grams of `n` units of `W` bytes that `K` words of eight bytes cover.
struct Words<'a, const W: usize, const K: usize> {
    text: &'a [u8],
    n: usize,
    /// Where the last word of an n-gram begins, which overlaps the one before.
    last: usize,
    /// The bits of a single word.
    mask: u64,
}

impl<const W: usize, const K: usize> Words<'_, W, K> {
    #[inline(always)]
    fn load(&self, at: usize) -> u64 {
        u64::from_le_bytes(*self.text[at..].first_chunk().expect("more bytes follow"))
    }

    #[inline(always)]
    fn gram(&self, at: usize) -> [u64; K] {
        let mut gram = [0; K];
        for (k, word) in gram.iter_mut().enumerate() {
            *word = self.load(
                at * W
                    + if k > 0 && k + 1 == K {
                        self.last
                    } else {
                        8 * k
                    },
            );
        }
        if K == 1 {
            gram[0] &= self.mask;
        }
        gram
    }
}

impl<const W: usize, const K: usize> Grams for Words<'_, W, K> {
    #[inline(always)]
    fn hash(&self, at: usize) -> u64 {
        let gram = self.gram(at);
        let others = gram
            .iter()
            .skip(1)
            .enumerate()
            .map(|(k, word)| word.wrapping_mul(MIX).rotate_left(19 * k as u32));
        others
            .fold(gram[0], |hash, word| hash ^ word)
            .wrapping_mul(BASE)
    }

    #[inline(never)]
    fn equal(&self, a: usize, b: usize, most: usize) -> usize {
        if self.gram(a) != self.gram(b) {
            return 0;
        }
        // As n-grams overlap, only the last unit of the next one is in question.
        let (a, b) = ((a + self.n) * W, (b + self.n) * W);
        let mut at = 0;
        while at < (most - 1) * W {
            let differ = self.load(a + at) ^ self.load(b + at);
            if differ != 0 {
                return (1 + (at + differ.trailing_zeros() as usize / 8) / W).min(most);
            }
            at += 8;
        }
        most
    }
}

impl Repeats {
    /// The repetitions among `total` n-grams of `n` units of `W` bytes, up to 32 bytes. `text` has
    /// 15 bytes more.
    pub(super) fn of_units<const W: usize>(
        &mut self,
        text: &[u8],
        n: usize,
        total: usize,
    ) -> &[Run] {
        match n * W {
            ..=8 => self.of_words::<W, 1>(text, n, total),
            9..=16 => self.of_words::<W, 2>(text, n, total),
            17..=24 => self.of_words::<W, 3>(text, n, total),
            _ => self.of_words::<W, 4>(text, n, total),
        }
    }

    #[inline(never)]
    fn of_words<const W: usize, const K: usize>(
        &mut self,
        text: &[u8],
        n: usize,
        total: usize,
    ) -> &[Run] {
        let (bytes, bits) = (n * W, 8 * n * W);
        let mask = if bits < 64 { (1 << bits) - 1 } else { !0 };
        self.find(
            &Words::<W, K> {
                text,
                n,
                last: bytes.saturating_sub(8),
                mask,
            },
            total,
        )
    }
}
