//! Sets of code points.

use super::simd::{Block, Lanes, blocks};

/// A set of code points: one byte per page of 256 says which of the distinct pages it is.
#[derive(Debug)]
pub struct CharSet {
    index: &'static [u8],
    pages: &'static [[u64; 4]],
}

impl CharSet {
    /// Wraps a table made by `sdk/rust/tables/generate.py`. Page 0 must be the empty one; pages
    /// beyond the index are empty.
    pub const fn new(index: &'static [u8], pages: &'static [[u64; 4]]) -> Self {
        Self { index, pages }
    }

    /// Whether the set has `c`.
    #[inline]
    pub fn has(&self, c: u32) -> bool {
        let page = self.index.get(c as usize >> 8).copied().unwrap_or(0);
        self.pages[page as usize][c as usize >> 6 & 3] >> (c & 63) & 1 == 1
    }
}

/// The code point that starts at byte `at`, and its length in bytes. `at` must be the start of one.
#[inline(always)]
pub fn decode(text: &str, at: usize) -> (u32, usize) {
    let bytes = text.as_bytes();
    let continued = |i: usize| u32::from(bytes[at + i] & 0x3f);
    let first = u32::from(bytes[at]);
    match first {
        0..0x80 => (first, 1),
        0x80..0xe0 => ((first & 0x1f) << 6 | continued(1), 2),
        0xe0..0xf0 => ((first & 0xf) << 12 | continued(1) << 6 | continued(2), 3),
        _ => (
            (first & 7) << 18 | continued(1) << 12 | continued(2) << 6 | continued(3),
            4,
        ),
    }
}

/// A mask of the first bytes of the code points of `block` for which `ascii` (below 128) or `other`
/// (the rest) holds. `text` is the text of the block.
#[inline(always)]
pub fn class_mask(
    text: &str,
    block: Block<'_>,
    ascii: impl Fn(Lanes) -> Lanes,
    other: impl Fn(u32) -> bool,
) -> u64 {
    let non_ascii = block.non_ascii();
    let mut mask = block.mask(ascii) & !non_ascii;
    if non_ascii != 0 {
        let mut starts = block.mask(|lanes| lanes.within(0xc0, 0xff));
        while starts != 0 {
            let bit = starts.trailing_zeros();
            let (c, _) = decode(text, block.start + bit as usize);
            mask |= u64::from(other(c)) << bit;
            starts &= starts - 1;
        }
    }
    mask
}

/// The number of code points of `text` for which `ascii` (below 128) or `other` (the rest) holds.
#[inline(always)]
pub fn count_class(
    text: &str,
    ascii: impl Fn(Lanes) -> Lanes,
    other: impl Fn(u32) -> bool,
) -> usize {
    let mut count = 0;
    blocks(text, |block| {
        count += class_mask(text, block, &ascii, &other).count_ones() as usize
    });
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_as_chars_does() {
        let text = "aé日😀\u{7ff}\u{800}\u{ffff}\u{10ffff}";
        for (at, c) in text.char_indices() {
            assert_eq!(decode(text, at), (c as u32, c.len_utf8()));
        }
    }
}
