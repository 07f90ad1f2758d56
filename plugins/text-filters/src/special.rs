//! Special characters: those that Data-Juicer does not count as text, and strips from words.

use crate::special_table::SPECIAL;
use djhost_sdk::text::{Block, Lanes, class_mask, count_class};

/// The characters below 128 that are not special: letters, and control characters other than white
/// space.
#[inline(always)]
fn plain_ascii(lanes: Lanes) -> Lanes {
    let letter = lanes.with_bits(0x20).within(b'a', b'z');
    letter
        .or(lanes.within(0, 8))
        .or(lanes.within(0x0e, 0x1f))
        .or(lanes.eq(0x7f))
}

/// A mask of the first bytes of those characters of a block that are not special.
#[inline(always)]
pub(crate) fn plain_mask(text: &str, block: Block<'_>) -> u64 {
    class_mask(text, block, plain_ascii, |c| !SPECIAL.has(c))
}

/// The number of characters that are not special.
pub(crate) fn count_plain(text: &str) -> usize {
    count_class(text, plain_ascii, |c| !SPECIAL.has(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_below_128_is_the_tables() {
        for c in 0..128u8 {
            assert_eq!(
                count_plain(char::from(c).encode_utf8(&mut [0; 4])) == 0,
                SPECIAL.has(c.into()),
                "{c}"
            );
        }
    }
}
