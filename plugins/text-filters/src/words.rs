//! Words: separated by spaces, line feeds and tabs, and stripped of special characters.

use crate::special::plain_mask;
use djhost_sdk::text::{Lanes, blocks};

#[inline(always)]
fn separator(lanes: Lanes) -> Lanes {
    lanes.eq(b' ').or(lanes.eq(b'\n')).or(lanes.eq(b'\t'))
}

/// The number of words.
pub(crate) fn count(text: &str) -> usize {
    let mut words = 0;
    // Whether the first byte of a block continues a search for the next word: after a separator, or
    // after nothing but special characters since then.
    let mut searching = 1u64;
    blocks(text, |block| {
        let separators = block.mask(separator);
        let plain = plain_mask(text, block);
        // A search starts after each separator and passes special characters: an addition carries
        // it to their end, where either a plain character makes it a word or a separator ends it.
        let over = !(separators | plain);
        let (reached, carry) = (separators << 1 | searching).overflowing_add(over);
        words += (reached & !over & plain).count_ones() as usize;
        searching = separators >> 63 | u64::from(carry);
    });
    words
}

/// Calls `visit` with start and end of each word.
#[inline(always)]
pub(crate) fn each(text: &str, mut visit: impl FnMut(usize, usize)) {
    const NONE: usize = usize::MAX;
    let bytes = text.as_bytes();
    let mut first = NONE;
    let mut last = 0;
    let length = |at: usize| match bytes[at] {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    blocks(text, |block| {
        let mut separators = block.mask(separator);
        let mut plain = plain_mask(text, block);
        loop {
            // All bits below the next separator.
            let below = if separators == 0 {
                !0
            } else {
                (separators & separators.wrapping_neg()) - 1
            };
            let word = plain & below;
            if word != 0 {
                if first == NONE {
                    first = block.start + word.trailing_zeros() as usize;
                }
                last = block.start + 63 - word.leading_zeros() as usize;
            }
            if separators == 0 {
                break;
            }
            if first != NONE {
                visit(first, last + length(last));
                first = NONE;
            }
            plain &= !below;
            separators &= separators - 1;
        }
    });
    if first != NONE {
        visit(first, last + length(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        each(text, |start, end| words.push(&text[start..end]));
        words
    }

    #[test]
    fn words_lose_special_characters_at_both_ends_only() {
        assert_eq!(
            words("  (don't)  …\t“日本”\n--\n5x5 a-b. "),
            ["don't", "日本", "x", "a-b"]
        );
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn blocks_do_not_cut_words() {
        for text in ["word", "-- word --", "日本語 x", "…… é", "a b c", "......."] {
            for shift in 0..140 {
                for filler in [" ", ".", "x", "é"] {
                    let text = format!("{}{text}", filler.repeat(shift));
                    let special = |c: char| crate::special_table::SPECIAL.has(c as u32);
                    let simply: Vec<&str> = text
                        .split([' ', '\n', '\t'])
                        .map(|w| w.trim_matches(special))
                        .filter(|w| !w.is_empty())
                        .collect();
                    assert_eq!(words(&text), simply, "{text}");
                    assert_eq!(count(&text), simply.len(), "{text}");
                }
            }
        }
    }
}
