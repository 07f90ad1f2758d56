//! Texts without white space, digits and ASCII punctuation.

use djhost_sdk::text::{Block, blocks, decode, is_decimal};

/// Leaves out white space (Unicode's), decimal digits of any script and ASCII punctuation. Reuses
/// its buffer from text to text.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    bytes: Vec<u8>,
}

impl Letters {
    /// What remains of `text`: whole characters. `separators` leaves out U+001C to U+001F too,
    /// which are white space for Python's `str` but not for Unicode.
    pub(crate) fn of(&mut self, text: &str, separators: bool) -> &[u8] {
        // A block of 64 bytes is written as a whole.
        if self.bytes.len() < text.len() + 64 {
            self.bytes.resize(text.len() + 64, 0);
        }
        let mut written = 0;
        // Bytes to leave out of a character that began in the block before.
        let mut begun = 0;
        blocks(text, |block| {
            let kept = kept(text, &block, separators, &mut begun);
            written += block.pick(kept, &mut self.bytes[written..]);
        });
        &self.bytes[..written]
    }
}

/// A mask of the bytes that remain.
#[inline(always)]
fn kept(text: &str, block: &Block<'_>, separators: bool, begun: &mut u64) -> u64 {
    let last_control = if separators { 0x1b } else { 0x1f };
    let mut kept = block.mask(|lanes| {
        lanes
            .with_bits(0x20)
            .within(b'a', b'z')
            .or(lanes.within(0, 8))
            .or(lanes.within(0x0e, last_control))
            .or(lanes.eq(0x7f))
    });
    let non_ascii = block.non_ascii();
    if non_ascii != 0 {
        kept |= non_ascii & !std::mem::take(begun);
        // The bytes that white space and decimal digits begin with.
        let mut starts = block.mask(|lanes| {
            lanes
                .within(0xe0, 0xe3)
                .or(lanes.within(0xef, 0xf4))
                .or(lanes.eq(0xc2))
                .or(lanes.eq(0xd9))
                .or(lanes.eq(0xdb))
                .or(lanes.eq(0xdf))
                .or(lanes.eq(0xea))
        });
        while starts != 0 {
            let bit = starts.trailing_zeros();
            starts &= starts - 1;
            let (code, len) = decode(text, block.start + bit as usize);
            let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            if c.is_whitespace() || is_decimal(c) {
                let bytes = ((1u128 << len) - 1) << bit;
                kept &= !(bytes as u64);
                *begun |= (bytes >> 64) as u64;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::Letters;
    use djhost_sdk::text::{is_decimal, is_space};

    #[test]
    fn every_character_at_every_place_of_a_block() {
        let mut letters = Letters::default();
        let all: Vec<char> = ('\0'..=char::MAX).collect();
        // Runs of all lengths between the characters that have to go, in a text of many blocks, and
        // each character once.
        let places: String = (0..300)
            .flat_map(|i| {
                let long = "aé日𝟎".chars().cycle().skip(i).take(i % 67);
                long.chain([['\u{2003}', '٣', '𝟗', ' ', '\u{85}'][i % 5]])
            })
            .collect();
        let each: String = all.into_iter().collect();
        for text in ["", " ", "x", &places, &each] {
            for separators in [false, true] {
                let expected: String = text
                    .chars()
                    .filter(|&c| {
                        let space = if separators {
                            is_space(c)
                        } else {
                            c.is_whitespace()
                        };
                        !(space || is_decimal(c) || c.is_ascii_punctuation())
                    })
                    .collect();
                let found = letters.of(text, separators);
                assert!(found == expected.as_bytes(), "{} bytes", text.len());
            }
        }
    }
}
