//! A text as a sequence of items of equal size.

use super::charset::decode;
use super::simd::Lanes;

/// Writes texts with one byte per code point: ASCII stays, every other code point of a text gets
/// one of the bytes above. Few texts have more than 128 of these. Such a text gets two bytes per
/// code point: those of the basic plane stay, others get one of the surrogates. A text with very
/// many of these gets four. Reuses its buffers from text to text.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    narrow: Vec<u8>,
    wide: Vec<u8>,
    whole: Vec<u32>,
    /// For each code point the byte it has in this text; 0 if none.
    bytes: Vec<u8>,
    /// The code points that have a byte, in the order of the bytes from 128 on.
    known: Vec<u32>,
}

/// A text, code point by code point.
pub(super) enum Text<'a> {
    /// One byte each, the same one for the same code point.
    Bytes {
        /// Number of code points.
        len: usize,
        /// The bytes, and 15 more.
        padded: &'a [u8],
    },
    /// Two bytes each, the same ones for the same code point.
    Pairs {
        /// Number of code points.
        len: usize,
        /// The bytes, and 15 more.
        padded: &'a [u8],
    },
    /// The code points.
    Whole(&'a [u32]),
}

/// Bytes after a text, so that the words of the last n-gram, and eight bytes from any of its
/// places, can be read.
const PADDING: usize = 15;

/// The first surrogate, and the most of them that are used: they are searched one by one.
const SURROGATES: u16 = 0xd800;
const MOST_SURROGATES: usize = 256;

impl Symbols {
    /// The symbols of `text`.
    pub(super) fn of(&mut self, text: &str) -> Text<'_> {
        self.narrow.clear();
        if text.is_ascii() {
            self.narrow.reserve(text.len() + PADDING);
            self.narrow.extend_from_slice(text.as_bytes());
        } else if !self.encode(text) {
            return self.wider(text);
        }
        let len = self.narrow.len();
        self.narrow.extend_from_slice(&[0; PADDING]);
        Text::Bytes {
            len,
            padded: &self.narrow,
        }
    }

    /// The symbols of a text with too many code points for bytes.
    fn wider(&mut self, text: &str) -> Text<'_> {
        let mut others: Vec<u32> = Vec::new();
        self.wide.clear();
        // Two bytes per code point are at most twice the bytes of the text.
        self.wide.reserve(text.len() * 2 + PADDING);
        for c in text.chars() {
            let c = u32::from(c);
            let unit = match u16::try_from(c) {
                Ok(unit) => unit,
                Err(_) => {
                    let known = others
                        .iter()
                        .position(|other| *other == c)
                        .unwrap_or_else(|| {
                            others.push(c);
                            others.len() - 1
                        });
                    if known >= MOST_SURROGATES {
                        self.whole.clear();
                        self.whole.extend(text.chars().map(u32::from));
                        return Text::Whole(&self.whole);
                    }
                    SURROGATES + known as u16
                }
            };
            self.wide.extend_from_slice(&unit.to_le_bytes());
        }
        let len = self.wide.len() / 2;
        self.wide.extend_from_slice(&[0; PADDING]);
        Text::Pairs {
            len,
            padded: &self.wide,
        }
    }

    /// Writes `text` to `narrow` with a byte per code point; returns false if it has too many.
    fn encode(&mut self, text: &str) -> bool {
        self.bytes.resize(char::MAX as usize + 1, 0);
        for c in self.known.drain(..) {
            self.bytes[c as usize] = 0;
        }
        let bytes = text.as_bytes();
        // One byte per code point cannot be more than the bytes of the text; ASCII is written
        // sixteen at a time.
        self.narrow.resize(bytes.len() + 16, 0);
        let (mut at, mut written) = (0, 0);
        while at < bytes.len() {
            if bytes[at] < 0x80 {
                let ascii = match bytes[at..].first_chunk::<16>() {
                    Some(chunk) => {
                        self.narrow[written..written + 16].copy_from_slice(chunk);
                        // Sixteen if no bit is set.
                        (u32::from(Lanes::load(chunk).bitmask()) | 1 << 16).trailing_zeros()
                            as usize
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
                let Ok(next) = u8::try_from(128 + self.known.len()) else {
                    return false;
                };
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
