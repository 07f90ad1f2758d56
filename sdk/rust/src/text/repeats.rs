//! Finds where a sequence of n-grams repeats itself.
//!
//! One pass finds the earlier place of every n-gram that occurred before. If one did, most that
//! follow it did, too: the pass finds these by comparing the items, without accessing the table,
//! and notes the run.
//!
//! The table costs most, because accesses are random. So a slot has four bytes: few bits for the
//! place, the rest a part of the hash, so that texts are seldom compared in vain. One branch-free
//! step examines four slots, free or not, since a mispredicted branch costs more than the step.
//!
//! The loop over new n-grams is a separate function that calls no other, so that it keeps
//! everything in registers.

use std::ops::Range;

use super::quad::Quad;

/// `len` n-grams from `start` on, equal to the earlier ones from `source` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) source: u32,
}

/// A sequence of n-grams.
pub(super) trait Grams {
    /// The hash of the n-gram at a place; the upper bits count.
    fn hash(&self, at: usize) -> u64;

    /// Number of equal n-grams from the places `a` and `b` on, at most `most`; 0 if the first
    /// differ.
    fn equal(&self, a: usize, b: usize, most: usize) -> usize;
}

/// Finds repetitions. Reuses its buffers from sequence to sequence.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// First occurrences: lower bits the place, upper bits a part of the hash. Slots of a group are
    /// filled in order.
    slots: Vec<u32>,
    /// The repetitions, in order.
    runs: Vec<Run>,
}

/// Slots of a group, which are examined together.
const SLOTS: usize = 4;

/// A free slot. No entry looks like this: its place would be after the last one.
const EMPTY: u32 = u32::MAX;

/// Up to this number of n-grams the table has two slots for each, and stays in the processor's
/// cache; above it has three for two.
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
        // A group must not span two cache lines.
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
    /// Number of bits for places.
    places: u32,
}

impl Table<'_> {
    /// The group where the search for an n-gram starts, and the upper bits of its entry.
    #[inline(always)]
    fn slot(&self, hash: u64) -> (usize, u32) {
        (
            (((hash >> 32) * self.groups.len() as u64) >> 32) as usize,
            (hash >> 10) as u32 & !self.places,
        )
    }

    /// Enters the n-grams of a range up to one that might be in the table, or needs another group.
    /// Returns its place, and the place of an n-gram that it might equal.
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

    /// Enters an n-gram if it is new; otherwise returns its earlier place.
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
    /// Start of an n-gram's last word, which overlaps the previous one.
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
        // N-grams overlap, so only the last unit of the next one needs comparing.
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
    /// The repetitions among `total` n-grams of `n` units of `W` bytes, up to 32 bytes. `text` must
    /// have 15 more bytes.
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
