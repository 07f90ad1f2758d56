//! A text as a sequence of items of equal size.

use super::charset::decode;
use super::simd::Lanes;

/// Writes texts with one byte per code point: ASCII stays, every other code point of a text gets one of the bytes above. Few texts have
/// more than 128 of these; such a text gets four bytes per code point. Buffers are kept from text to text.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    narrow: Vec<u8>,
    wide: Vec<u32>,
    /// For each code point the byte it has in this text; 0 if none.
    bytes: Vec<u8>,
    /// The code points that have a byte, in the order of the bytes from 128 on.
    known: Vec<u32>,
}

/// A text, code point by code point.
pub(super) enum Text<'a> {
    /// One byte each, the same one for the same code point.
    Narrow {
        /// How many.
        len: usize,
        /// The bytes, and 15 more.
        padded: &'a [u8],
    },
    /// The code points.
    Wide(&'a [u32]),
}

/// After a narrow text, so that 16 bytes can be read from every code point.
const PADDING: usize = 15;

impl Symbols {
    /// The symbols of `text`.
    pub(super) fn of(&mut self, text: &str) -> Text<'_> {
        self.narrow.clear();
        if text.is_ascii() {
            self.narrow.reserve(text.len() + PADDING);
            self.narrow.extend_from_slice(text.as_bytes());
        } else if !self.encode(text) {
            self.wide.clear();
            self.wide.extend(text.chars().map(u32::from));
            return Text::Wide(&self.wide);
        }
        let len = self.narrow.len();
        self.narrow.extend_from_slice(&[0; PADDING]);
        Text::Narrow { len, padded: &self.narrow }
    }

    /// Whether the code points of `text` are few enough for a byte each; then they are in `narrow`.
    fn encode(&mut self, text: &str) -> bool {
        self.bytes.resize(char::MAX as usize + 1, 0);
        for c in self.known.drain(..) {
            self.bytes[c as usize] = 0;
        }
        let bytes = text.as_bytes();
        // One byte per code point cannot be more than the bytes of the text; ASCII is written sixteen at a time.
        self.narrow.resize(bytes.len() + 16, 0);
        let (mut at, mut written) = (0, 0);
        while at < bytes.len() {
            if bytes[at] < 0x80 {
                let ascii = match bytes[at..].first_chunk::<16>() {
                    Some(chunk) => {
                        self.narrow[written..written + 16].copy_from_slice(chunk);
                        // Sixteen if there is no bit: then it is the one behind.
                        (u32::from(Lanes::load(chunk).bitmask()) | 1 << 16).trailing_zeros() as usize
                    }
                    None => {
                        self.narrow[written] = bytes[at];
                        1
                    }
                };
                at += ascii;
                written += ascii;
                continue;
            }
            let (c, len) = decode(text, at);
            let byte = &mut self.bytes[c as usize];
            if *byte == 0 {
                let Ok(next) = u8::try_from(128 + self.known.len()) else { return false };
                *byte = next;
                self.known.push(c);
            }
            self.narrow[written] = *byte;
            written += 1;
            at += len;
        }
        self.narrow.truncate(written);
        true
    }
}
