//! The plain characters of a text: what remains when Data-Juicer ignores special characters.

use djhost_sdk::text::{Block, blocks, decode};

/// Collects the ASCII letters and digits, Chinese characters, spaces and tabs of a text, and maps
/// parts of the text to parts of these. Reuses its buffers from text to text.
#[derive(Default)]
pub(crate) struct Plain {
    /// For each block of 64 bytes of the text: the number of bytes of plain characters before it,
    /// and a mask of those in it.
    blocks: Vec<(u32, u64)>,
    /// The plain characters, and what was written behind them.
    bytes: Vec<u8>,
    written: usize,
}

impl Plain {
    /// Collects the plain characters of `text`.
    pub(crate) fn read(&mut self, text: &str) {
        let to = &mut self.bytes;
        // Whole blocks are written.
        if to.len() < text.len() + 64 {
            to.resize(text.len() + 64, 0);
        }
        let mut written = 0;
        self.blocks.clear();
        // Bytes of a Chinese character that began in the last block.
        let mut begun = 0;
        blocks(text, |block| {
            let kept = mask(text, &block, &mut begun);
            self.blocks.push((written as u32, kept));
            written += block.pick(kept, &mut to[written..]);
        });
        self.blocks.push((written as u32, 0));
        self.written = written;
    }

    /// The plain characters of the last text.
    pub(crate) fn characters(&self) -> &[u8] {
        &self.bytes[..self.written]
    }

    /// Number of bytes of the plain characters before byte `at` of the text.
    pub(crate) fn place(&self, at: usize) -> usize {
        let (before, kept) = self.blocks[at / 64];
        before as usize + (kept & ((1 << (at % 64)) - 1)).count_ones() as usize
    }
}

/// A mask of the bytes of plain characters in a block. `begun` are those of a character that began
/// in the previous block; updates it for the next.
#[inline(always)]
fn mask(text: &str, block: &Block, begun: &mut u64) -> u64 {
    let letters = block.mask(|lanes| lanes.with_bits(0x20).within(b'a', b'z'));
    let rest = block.mask(|lanes| {
        lanes
            .within(b'0', b'9')
            .or(lanes.eq(b' '))
            .or(lanes.eq(b'\t'))
    });
    let mut kept = letters | rest;
    if block.non_ascii() != 0 {
        kept |= std::mem::take(begun);
        // In the blocks that begin with these bytes most characters are Chinese.
        let mut candidates = block.mask(|lanes| lanes.within(0xe4, 0xe9));
        while candidates != 0 {
            let bit = candidates.trailing_zeros();
            candidates &= candidates - 1;
            if matches!(decode(text, block.start + bit as usize).0, 0x4e00..=0x9fa5) {
                let bytes = 0b111u128 << bit;
                kept |= bytes as u64;
                *begun |= (bytes >> 64) as u64;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_spaces_and_chinese_are_plain() {
        let text: String = ('\0'..='\u{2ff}')
            .chain('\u{2000}'..='\u{fa80}')
            .chain('\u{1f600}'..='\u{1f610}')
            .collect();
        let is_plain = |c: &char| {
            c.is_ascii_alphanumeric() || matches!(c, '\t' | ' ' | '\u{4e00}'..='\u{9fa5}')
        };
        let mut plain = Plain::default();
        let shifted = (1..64).map(|shift| format!("{}你好。-a-世界", "x".repeat(shift)));
        for text in [
            text.clone(),
            text.chars().rev().collect(),
            text.chars().step_by(7).collect(),
        ]
        .into_iter()
        .chain(shifted)
        {
            plain.read(&text);
            let out = std::str::from_utf8(plain.characters()).unwrap();
            assert!(out.chars().eq(text.chars().filter(is_plain)));
            for (at, _) in text.char_indices().step_by(13).chain([(text.len(), ' ')]) {
                assert_eq!(
                    plain.place(at),
                    text[..at]
                        .chars()
                        .filter(is_plain)
                        .map(char::len_utf8)
                        .sum::<usize>()
                );
            }
        }
    }
}
