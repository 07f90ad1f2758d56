//! Resolves characters given by number or name.

use super::Events;
use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// Reads what starts with the `&` at `at`, as Beautiful Soup does in a text. Returns where to
/// continue.
pub(super) fn read(html: &str, at: usize, events: &mut impl Events) -> usize {
    let bytes = html.as_bytes();
    let mut buffer = [0; 4];
    if bytes.get(at + 1) == Some(&b'#') {
        let Some((number, end)) = number(&bytes[at..]) else {
            events.text("&#");
            return at + 2;
        };
        // The next byte must not look like part of it.
        let Some(next) = bytes.get(at + end).filter(|b| !b.is_ascii_hexdigit()) else {
            events.text("&#");
            return at + 2;
        };
        let character = match number {
            0x80..0xa0 => {
                C1_REPLACEMENTS[number as usize - 0x80].unwrap_or(char::from(number as u8))
            }
            _ => char::from_u32(number)
                .filter(|&c| c != '\0')
                .unwrap_or(char::REPLACEMENT_CHARACTER),
        };
        events.text(character.encode_utf8(&mut buffer));
        return at + end + usize::from(*next == b';');
    }
    if !bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
        events.text("&");
        return at + 1;
    }
    let in_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let length = bytes[at + 1..].iter().take_while(|b| in_name(b)).count();
    let mut end = at + 1 + length;
    if end == bytes.len() {
        // Something must follow the name: if need be, a part of it.
        end = match html[at..].rfind(['-', '.']) {
            Some(mark) => at + mark,
            None => {
                events.text(&html[at..]);
                return end;
            }
        };
    }
    let name = &html[at + 1..end];
    match named(&[name, ";"].concat()) {
        Some((first, second)) => {
            events.text(first.encode_utf8(&mut buffer));
            if let Some(second) = second {
                events.text(second.encode_utf8(&mut buffer));
            }
        }
        None => events.text(&html[at..end]),
    }
    end + usize::from(bytes.get(end) == Some(&b';'))
}

/// The number after the `&#` at the start, and its end; at least 2³¹ if it is too large.
fn number(bytes: &[u8]) -> Option<(u32, usize)> {
    let (start, radix) = if matches!(bytes.get(2), Some(b'x' | b'X')) {
        (3, 16)
    } else {
        (2, 10)
    };
    let mut end = start;
    let mut number = 0u32;
    while let Some(digit) = bytes.get(end).and_then(|&b| char::from(b).to_digit(radix)) {
        number = number.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    (end > start).then_some((number, end))
}

fn named(name: &str) -> Option<(char, Option<char>)> {
    let (first, second) = *NAMED_ENTITIES.get(name)?;
    let first = char::from_u32(first).filter(|&c| c != '\0')?;
    Some((first, char::from_u32(second).filter(|&c| c != '\0')))
}

/// Appends `value` with its references resolved, by the rules of Python's `html.unescape`.
pub(crate) fn resolve(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if rest.as_bytes().get(1) == Some(&b'#') {
            resolve_number(rest, out)
        } else {
            resolve_name(rest, out)
        };
        if taken == 0 {
            out.push('&');
        }
        rest = &rest[taken.max(1)..];
    }
    out.push_str(rest);
}

/// Resolves the number at the start of `text`. Returns its length, 0 if there is none.
fn resolve_number(text: &str, out: &mut String) -> usize {
    let Some((number, end)) = number(text.as_bytes()) else {
        return 0;
    };
    match number {
        0x80..0xa0 => {
            out.push(C1_REPLACEMENTS[number as usize - 0x80].unwrap_or(char::from(number as u8)))
        }
        0 => out.push(char::REPLACEMENT_CHARACTER),
        // Removes characters that HTML does not allow.
        0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => {}
        _ if number & 0xfffe == 0xfffe && number < 0x11_0000 => {}
        _ => out.push(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
    end + usize::from(text.as_bytes().get(end) == Some(&b';'))
}

/// Resolves the longest name at the start of `text`. Returns its length, 0 if there is none.
fn resolve_name(text: &str, out: &mut String) -> usize {
    let ends = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | ' ' | '<' | '&' | '#' | ';');
    let mut length = text[1..]
        .char_indices()
        .take(32)
        .find(|&(_, c)| ends(c))
        .map(|(at, _)| at + 1);
    let length = *length.get_or_insert_with(|| {
        text[1..]
            .char_indices()
            .nth(32)
            .map_or(text.len(), |(at, _)| at + 1)
    });
    let full = length + usize::from(text.as_bytes().get(length) == Some(&b';'));
    let mut tried = full;
    while tried > 2 {
        if text.is_char_boundary(tried)
            && let Some((first, second)) = named(&text[1..tried])
        {
            out.push(first);
            out.extend(second);
            return tried;
        }
        tried -= 1;
    }
    0
}
