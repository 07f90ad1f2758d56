//! Characters given by number or name.

use markup5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use std::borrow::Cow;

/// The text with its references resolved, as HTML5 reads them in a text, or in the value of an
/// attribute.
pub(super) fn resolve(text: &str, in_attribute: bool) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'&', text.as_bytes()) else {
        return text.into();
    };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut at = first;
    while at < text.len() {
        let end = reference(&text[at..], in_attribute, &mut out);
        if end == 0 {
            out.push('&');
        }
        let rest = at + end.max(1);
        at = memchr::memchr(b'&', &text.as_bytes()[rest..]).map_or(text.len(), |next| rest + next);
        out.push_str(&text[rest..at]);
    }
    out.into()
}

/// Resolves what Python's `html.unescape` resolves.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    resolve(text, false)
}

/// Appends what the reference at the start stands for. Returns its length, 0 if there is none.
fn reference(text: &str, in_attribute: bool, out: &mut String) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(1) == Some(&b'#') {
        return number(bytes, out);
    }
    // The longest name, of 31 letters and `;`.
    let letters = bytes[1..]
        .iter()
        .take(32)
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    if letters == 0 {
        return 0;
    }
    let semicolon = usize::from(bytes.get(1 + letters) == Some(&b';'));
    for len in (2..=letters + semicolon).rev() {
        let name = &text[1..1 + len];
        // Names that are only the beginning of others stand with zeros.
        let Some(&(first, second)) = NAMED_ENTITIES.get(name).filter(|(first, _)| *first != 0)
        else {
            continue;
        };
        if in_attribute
            && !name.ends_with(';')
            && bytes
                .get(1 + len)
                .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'=')
        {
            return 0;
        }
        out.extend(char::from_u32(first));
        if second != 0 {
            out.extend(char::from_u32(second));
        }
        return 1 + len;
    }
    0
}

fn number(bytes: &[u8], out: &mut String) -> usize {
    let (start, radix) = match bytes.get(2) {
        Some(b'x' | b'X') => (3, 16),
        _ => (2, 10),
    };
    let mut end = start;
    let mut number = 0u32;
    while let Some(digit) = bytes.get(end).and_then(|&b| char::from(b).to_digit(radix)) {
        number = number.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    if end == start {
        return 0;
    }
    let c = match number {
        0 => None,
        0x80..0xa0 => C1_REPLACEMENTS[number as usize - 0x80].or(char::from_u32(number)),
        _ => char::from_u32(number),
    };
    out.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    end + usize::from(bytes.get(end) == Some(&b';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved() {
        for (text, resolved) in [
            ("a&amp;b&lt&gt;", "a&b<>"),
            ("&notit; &not; &unknown; &", "¬it; ¬ &unknown; &"),
            (
                "&#x41;&#66 &#128;&#0;&#x110000;&#;",
                "AB €\u{fffd}\u{fffd}&#;",
            ),
            ("&CounterClockwiseContourIntegral;&NotEqualTilde;", "∳≂̸"),
        ] {
            assert_eq!(resolve(text, false), resolved);
        }
        assert_eq!(resolve("?a=1&copy=2&lt;&reg", true), "?a=1&copy=2<®");
    }
}
