//! HTML entities and character references.

use super::characters::{characters, words};
use hashbrown::HashMap;
use std::sync::LazyLock;

static ENTITIES: LazyLock<HashMap<&'static str, String, foldhash::fast::RandomState>> =
    LazyLock::new(|| {
        words(include_str!("entities.txt"))
            .filter_map(|w| w.split_once('='))
            .map(|(name, text)| (name, characters(text)))
            .collect()
    });

/// The length of an entity, judged by its form, at the start of `text`, which starts with `&`; 0 if
/// there is none.
pub(super) fn form_of_entity(text: &[u8]) -> usize {
    let start = 1 + usize::from(text.get(1) == Some(&b'#'));
    let name = text[start..]
        .iter()
        .take(25)
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    if (1..=24).contains(&name) && text.get(start + name) == Some(&b';') {
        start + name + 1
    } else {
        0
    }
}

/// Replaces entities by characters; None if `text` has none. A reference stays unless all of it is
/// valid.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'&', &text.as_bytes()[from..]) {
        let at = from + found;
        let length = form_of_entity(&text.as_bytes()[at..]);
        from = at + length.max(1);
        if length == 0 {
            continue;
        }
        let name = &text[at + 1..from - 1];
        let mut buffer = [0; 4];
        let plain = match name.strip_prefix('#') {
            None => ENTITIES.get(name).map(String::as_str),
            Some(number) => match reference(number) {
                Some(Some(c)) => Some(&*c.encode_utf8(&mut buffer)),
                Some(None) => Some(""),
                None => None,
            },
        };
        if let Some(plain) = plain {
            out.push_str(&text[done..at]);
            out.push_str(plain);
            done = from;
        }
    }
    (done > 0).then(|| out + &text[done..])
}

/// The character of a numeric reference, as HTML5 reads it: `Some(None)` for code points that are
/// not characters, None for anything but a number.
fn reference(number: &str) -> Option<Option<char>> {
    let (digits, base) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_u32;
    for c in digits.chars() {
        value = value.saturating_mul(base).saturating_add(c.to_digit(base)?);
    }
    match value {
        // ftfy takes a semicolon in the result for an unused one.
        0x3b => None,
        0 => Some(Some('\u{fffd}')),
        0x80..=0x9f => Some(Some(super::codecs::windows_1252(value as u8))),
        1..=8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => Some(None),
        _ if value <= 0x10_ffff && value & 0xfffe == 0xfffe => Some(None),
        _ => Some(Some(char::from_u32(value).unwrap_or('\u{fffd}'))),
    }
}
