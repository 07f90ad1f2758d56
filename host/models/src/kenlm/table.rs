//! Hash tables with open addressing: a key of 8 bytes, then the value; the key 0 is a free slot.

use crate::numbers::LongRemainder;
use std::ops::Range;

/// A table within a file, with slots of `SLOT` bytes.
#[derive(Debug, Clone)]
pub(crate) struct Table<const SLOT: usize> {
    place: Range<usize>,
    slots: usize,
    modulo: LongRemainder,
}

/// The number of slots that KenLM gives a table of so many entries.
pub(crate) fn slots(entries: u64, multiplier: f32) -> u64 {
    (entries + 1).max((multiplier * entries as f32) as u64)
}

#[inline(always)]
fn key_of<const SLOT: usize>(slot: &[u8; SLOT]) -> u64 {
    slot.first_chunk().map_or(0, |key| u64::from_le_bytes(*key))
}

impl<const SLOT: usize> Table<SLOT> {
    /// A table at a place of a file, which has whole slots.
    pub(crate) fn new(place: Range<usize>) -> Self {
        let slots = place.len() / SLOT;
        Self {
            place,
            slots,
            modulo: LongRemainder::by(slots as u64),
        }
    }

    /// The slot of a key, if the table has it.
    #[inline(always)]
    pub(crate) fn find<'a>(&self, file: &'a [u8], key: u64) -> Option<&'a [u8; SLOT]> {
        let (slots, _) = file.get(self.place.clone())?.as_chunks::<SLOT>();
        let mut at = self.modulo.of(key) as usize;
        // Ends for a table without a free slot, too.
        for _ in 0..self.slots {
            let slot = slots.get(at)?;
            match key_of(slot) {
                found if found == key => return Some(slot),
                0 => return None,
                _ => at = if at + 1 == self.slots { 0 } else { at + 1 },
            }
        }
        None
    }
}

/// A table in memory that grows.
#[derive(Debug)]
pub(crate) struct Growing<const SLOT: usize> {
    slots: Vec<[u8; SLOT]>,
    used: usize,
}

impl<const SLOT: usize> Growing<SLOT> {
    /// For about so many entries.
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            slots: vec![[0; SLOT]; entries + entries / 2 + 2],
            used: 0,
        }
    }

    fn place(slots: &[[u8; SLOT]], key: u64, is_it: impl Fn(u64) -> bool) -> usize {
        let mut place = (key % slots.len() as u64) as usize;
        while !matches!(key_of(&slots[place]), 0) && !is_it(key_of(&slots[place])) {
            place = if place + 1 == slots.len() {
                0
            } else {
                place + 1
            };
        }
        place
    }

    /// The slot of a key, if the table has it.
    pub(crate) fn find(&mut self, key: u64) -> Option<&mut [u8; SLOT]> {
        let place = Self::place(&self.slots, key, |other| other == key);
        let slot = &mut self.slots[place];
        (key_of(slot) != 0).then_some(slot)
    }

    /// Adds a slot. Of two with the same key the first one is found.
    pub(crate) fn add(&mut self, slot: [u8; SLOT]) {
        if 4 * (self.used + 1) > 3 * self.slots.len() {
            let larger = vec![[0; SLOT]; 2 * self.slots.len()];
            for slot in std::mem::replace(&mut self.slots, larger) {
                if key_of(&slot) != 0 {
                    let place = Self::place(&self.slots, key_of(&slot), |_| false);
                    self.slots[place] = slot;
                }
            }
        }
        let place = Self::place(&self.slots, key_of(&slot), |_| false);
        self.slots[place] = slot;
        self.used += 1;
    }

    /// Appends the table to others and returns it.
    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Table<SLOT> {
        let start = out.len();
        out.reserve_exact(SLOT * self.slots.len());
        out.extend_from_slice(self.slots.as_flattened());
        Table::new(start..out.len())
    }
}
