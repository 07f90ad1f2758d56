//! Where the longer n-grams of a trie's entry lie: the next array's places, from this entry's
//! pointer to that of the next entry.

use super::bits;
use super::layout::Layout;
use crate::error::damaged;
use crate::numbers::u64_at;
use std::ops::Range;

const VERSION: u8 = 0;

#[derive(Debug)]
pub(crate) enum Pointers {
    /// In the entries.
    Whole { bits: u32 },
    /// The low bits in the entries; the high ones of an entry are the number of the last offset
    /// that is not beyond it.
    Compressed { bits: u32, offsets: Range<usize> },
}

impl Pointers {
    /// Finds the pointers of an array with `entries` entries into one with `next` entries.
    pub(crate) fn read(
        layout: &mut Layout,
        entries: u64,
        next: u64,
        most_cut: Option<u32>,
    ) -> Result<Self, String> {
        let required = bits::width(next);
        let Some(most_cut) = most_cut else {
            return Ok(Self::Whole { bits: required });
        };
        // The number of bits that the writer cut off: that which makes the file smallest.
        let cost = |cut: &u32| {
            let table = i128::from(next >> (required - cut)) * 64;
            table - i128::from(entries + 1) * i128::from(*cut)
        };
        let cut = (0..=required.min(most_cut)).min_by_key(cost).unwrap_or(0);
        let count = (next >> (required - cut)) + 1;
        let start = layout.at();
        // Up to 7 bytes align the offsets, which have a head.
        let place = layout.take(8 * (count + 1) + 7, 1, "pointers")?;
        let aligned = start.next_multiple_of(8) + 8;
        let offsets = aligned..aligned + 8 * count as usize;
        if offsets.end > place.end {
            return Err(damaged("pointers"));
        }
        Ok(Self::Compressed {
            bits: required - cut,
            offsets,
        })
    }

    /// How many bits may be cut off, by the head of the first compressed pointers.
    pub(crate) fn most_cut(file: &[u8], at: usize) -> Result<u32, String> {
        match file.get(at..).and_then(<[u8]>::first_chunk) {
            Some([VERSION, bits]) => Ok((*bits).into()),
            _ => Err(damaged("pointers")),
        }
    }

    /// The bits that they take in an entry.
    pub(crate) fn inline_bits(&self) -> u32 {
        match self {
            Self::Whole { bits } | Self::Compressed { bits, .. } => *bits,
        }
    }

    /// The places of the longer n-grams of an entry. `bit` is that of its pointer, and `entry` the
    /// size of an entry in bits.
    #[inline(always)]
    pub(crate) fn range(
        &self,
        file: &[u8],
        array: &[u8],
        bit: u64,
        index: u64,
        entry: u64,
    ) -> Option<Range<u64>> {
        match self {
            Self::Whole { bits } => {
                Some(bits::read(array, bit, *bits)?..bits::read(array, bit + entry, *bits)?)
            }
            Self::Compressed { bits, offsets } => {
                let offsets = file.get(offsets.clone())?;
                let at = |number: u64| u64_at(offsets, 8 * number as usize);
                let count = (offsets.len() / 8) as u64;
                // The first offset is 0.
                let (mut high, mut end) = (1, count);
                while high < end {
                    let middle = high + (end - high) / 2;
                    match at(middle)? <= index {
                        true => high = middle + 1,
                        false => end = middle,
                    }
                }
                let mut next = high;
                while next < count && at(next)? <= index + 1 {
                    next += 1;
                }
                let low = |bit: u64| bits::read(array, bit, *bits);
                Some((high - 1) << bits | low(bit)?..(next - 1) << bits | low(bit + entry)?)
            }
        }
    }
}
