//! Single-byte encodings, and UTF-8 with its common faults.

use super::badness::first_non_ascii;
use super::characters::{point, words};
use std::sync::LazyLock;

/// A single-byte encoding whose lower half is ASCII.
pub(super) struct Codec {
    pub(super) name: &'static str,
    /// The byte 1A represents U+FFFD.
    pub(super) sloppy: bool,
    upper: Vec<char>,
    bytes: Vec<(char, u8)>,
}

/// The encodings in the order in which they are tried: Latin-1 and Windows-1252 first.
pub(super) static CODECS: LazyLock<Vec<Codec>> = LazyLock::new(|| {
    let mut all: Vec<Codec> = Vec::new();
    for word in words(include_str!("codecs.txt")) {
        match word.strip_prefix('@') {
            Some(name) => all.push(Codec {
                name,
                sloppy: name.starts_with("sloppy"),
                upper: Vec::new(),
                bytes: Vec::new(),
            }),
            None => all
                .last_mut()
                .expect("a name comes first")
                .upper
                .push(char::from_u32(point(word)).expect("a character")),
        }
    }
    for codec in &mut all {
        codec.bytes = codec.upper.iter().copied().zip(0x80..=0xff).collect();
        if codec.sloppy {
            codec.bytes.push(('\u{fffd}', 0x1a));
        }
        codec.bytes.sort_unstable();
    }
    all
});

impl Codec {
    /// The bytes that this encoding decodes to `text`, if there are any.
    pub(super) fn encode(&self, text: &str) -> Option<Vec<u8>> {
        if self.sloppy && memchr::memchr(0x1a, text.as_bytes()).is_some() {
            return None;
        }
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(ascii) = first_non_ascii(rest.as_bytes()) {
            out.extend_from_slice(&rest.as_bytes()[..ascii]);
            let mut from_here = rest[ascii..].chars();
            let c = from_here.next().expect("not at the end");
            out.push(self.bytes[self.bytes.binary_search_by_key(&c, |b| b.0).ok()?].1);
            rest = from_here.as_str();
        }
        out.extend_from_slice(rest.as_bytes());
        Some(out)
    }
}

/// Decodes the byte, which is above 127, as Windows-1252; the five undefined ones map to
/// themselves.
pub(super) fn windows_1252(byte: u8) -> char {
    CODECS[1].upper[usize::from(byte - 0x80)]
}

/// Decodes UTF-8; where the bytes ED or C0 occur, also CESU-8 pairs and Java's null.
pub(super) fn decode(bytes: Vec<u8>) -> Option<String> {
    if memchr::memchr2(0xed, 0xc0, &bytes).is_none() {
        return String::from_utf8(bytes).ok();
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = &bytes[..];
    while let Some(at) = memchr::memchr2(0xed, 0xc0, rest) {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let used = match *rest {
            [0xc0, 0x80, ..] => {
                plain.push(0);
                2
            }
            // ftfy's `$` also means "before a last line feed".
            [0xc0, b'\n'] => {
                plain.push(0);
                2
            }
            [
                0xed,
                a @ 0xa0..=0xaf,
                b @ 0x80..=0xbf,
                0xed,
                c @ 0xb0..=0xbf,
                d,
                ..,
            ] if (0x80..=0xbf).contains(&d) || (d == b'\n' && rest.len() == 6) => {
                let low = u32::from(c & 0xf) << 6 | u32::from(d & 0x3f);
                let point =
                    (u32::from(a & 0xf) << 16) + (u32::from(b & 0x3f) << 10) + low + 0x1_0000;
                plain.extend_from_slice(char::from_u32(point)?.encode_utf8(&mut [0; 4]).as_bytes());
                6
            }
            _ => {
                plain.push(rest[0]);
                1
            }
        };
        rest = &rest[used..];
    }
    plain.extend_from_slice(rest);
    String::from_utf8(plain).ok()
}

/// Restores the bytes A0 of UTF-8 sequences that something replaced with spaces.
pub(super) fn restore_byte_a0(bytes: &[u8]) -> Option<Vec<u8>> {
    let more = |b: u8| matches!(b, 0x80..=0x84 | 0x86..=0x9f | 0xa1..=0xbf);
    let any = |b: u8| (0x80..=0xbf).contains(&b);
    let altered = |rest: &[u8]| match *rest {
        [0xc2 | 0xc3 | 0xc5 | 0xce | 0xd0 | 0xd9, b' ', ..] => 2,
        [0xe2 | 0xe3, b' ', x, ..] if more(x) => 3,
        [0xe0..=0xe3, x, b' ', ..] if more(x) => 3,
        [0xf0, b' ', x, y, ..] if any(x) && any(y) => 4,
        [0xf0, x, b' ', y, ..] if any(x) && any(y) => 4,
        [0xf0, x, y, b' ', ..] if any(x) && any(y) => 4,
        _ => 0,
    };
    let mut starts = (0..bytes.len()).filter(|&at| bytes[at] >= 0xc2);
    if !starts.any(|at| altered(&bytes[at..]) > 0) {
        return None;
    }
    // Before a word the letter à is a word by itself, and keeps its space.
    let mut spaced = Vec::with_capacity(bytes.len() + 8);
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let part_of_word = |after: &[u8]| {
            [&b" "[..], b"quele", b"quela", b"quilo", b"s "]
                .iter()
                .any(|w| after.starts_with(w))
        };
        if rest.starts_with(b"\xc3 ") && !part_of_word(&rest[2..]) {
            spaced.extend_from_slice(b"\xc3\xa0 ");
            at += 2;
        } else {
            spaced.push(rest[0]);
            at += 1;
        }
    }
    let mut at = 0;
    while at < spaced.len() {
        let length = altered(&spaced[at..]);
        for b in &mut spaced[at..at + length] {
            if *b == b' ' {
                *b = 0xa0;
            }
        }
        at += length.max(1);
    }
    Some(spaced)
}

/// Replaces each UTF-8 sequence that has lost bytes with U+FFFD.
pub(super) fn replace_lossy(bytes: Vec<u8>) -> Vec<u8> {
    if memchr::memchr2(0x1a, b'?', &bytes).is_none() {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len() + 8);
    let mut at = 0;
    while at < bytes.len() {
        let length = lossy(&bytes[at..]);
        if length > 0 {
            out.extend_from_slice("\u{fffd}".as_bytes());
        } else {
            out.push(bytes[at]);
        }
        at += length.max(1);
    }
    out
}

/// The length of the sequence with lost bytes at the start of `bytes`, or 0. A question mark may
/// replace one of its bytes.
fn lossy(bytes: &[u8]) -> usize {
    let lost = |b: u8| b == 0x1a || b == b'?';
    let kept = |b: u8| b == 0x1a || (0x80..=0xbf).contains(&b);
    let either = |b: u8| lost(b) || kept(b);
    match *bytes {
        [0xc2..=0xdf, 0x1a, ..] | [0xc2 | 0xc3, b'?', ..] => 2,
        [0xed, 0xa0..=0xaf, x, 0xed, 0xb0..=0xbf, y, ..]
            if (lost(x) && either(y)) || (either(x) && lost(y)) =>
        {
            6
        }
        [0xe0..=0xef, x, y, ..] if (lost(x) && kept(y)) || (kept(x) && lost(y)) => 3,
        [0xf0..=0xf4, x, y, z, ..]
            if (lost(x) && kept(y) && kept(z))
                || (kept(x) && lost(y) && kept(z))
                || (kept(x) && kept(y) && lost(z)) =>
        {
            4
        }
        [0x1a, ..] => 1,
        _ => 0,
    }
}
