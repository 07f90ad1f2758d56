//! The n-grams that a quantised model kept, with their new numbers.

use super::reader::Reader;
use crate::error::damaged;

/// A table with open addressing, at most half full: nearly all lookups end at the first slot.
#[derive(Debug)]
pub(crate) struct Kept {
    /// An n-gram's bucket, and its number plus 1, or 0.
    slots: Vec<(u32, u32)>,
    count: usize,
    rows: u64,
}

impl Kept {
    pub(crate) fn read(reader: &mut Reader<'_>, count: i64) -> Result<Self, String> {
        let what = "pruned n-grams";
        let count = reader.count(count, 8, what)?;
        let mut this = Self {
            slots: vec![(0, 0); (2 * count).max(1).next_power_of_two()],
            count,
            rows: 0,
        };
        for _ in 0..count {
            let mut number = || u32::try_from(reader.i32(what)?).map_err(|_| damaged(what));
            let (from, to) = (number()?, number()?);
            let place = this.place(from);
            // The last one counts, should there be two.
            this.slots[place] = (from, to + 1);
            this.rows = this.rows.max(u64::from(to) + 1);
        }
        Ok(this)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The greatest number plus 1.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        8 * self.slots.len()
    }

    /// The slot of a bucket, or the free slot for it.
    #[inline(always)]
    fn place(&self, bucket: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = (bucket.wrapping_mul(0x9e37_79b9) >> 8) as usize & mask;
        loop {
            let (other, number) = self.slots[place];
            if number == 0 || other == bucket {
                return place;
            }
            place = (place + 1) & mask;
        }
    }

    #[inline(always)]
    pub(crate) fn find(&self, bucket: u32) -> Option<u32> {
        self.slots[self.place(bucket)].1.checked_sub(1)
    }
}
