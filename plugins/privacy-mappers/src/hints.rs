//! Quick tests that say that a pattern matches nowhere in a text: one search for a rare byte each, and a look around it.
//!
//! True means that the pattern has to be tried. A byte of a character beyond ASCII may always be a digit or a space.

use memchr::memmem::find;
use memchr::{memchr_iter, memchr2_iter};

fn has(text: &str, needle: &str) -> bool {
    find(text.as_bytes(), needle.as_bytes()).is_some()
}

fn digit(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_digit() || *b >= 0x80)
}

fn at(bytes: &[u8], i: usize, offset: isize) -> Option<&u8> {
    bytes.get(i.checked_add_signed(offset)?)
}

/// White space as Python sees it.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

pub(crate) fn pem(text: &str) -> bool {
    has(text, "-----BEGIN ")
}

pub(crate) fn jwt(text: &str) -> bool {
    has(text, "eyJ")
}

pub(crate) fn url(text: &str) -> bool {
    has(text, "://")
}

pub(crate) fn ipv4(text: &str) -> bool {
    let bytes = text.as_bytes();
    let dot = |i: usize| digit(at(bytes, i, -1)) && digit(at(bytes, i, 1));
    // Three such dots, with at most three digits of four bytes between them.
    let (mut seen, mut last) = (0, 0);
    memchr_iter(b'.', bytes).filter(|i| dot(*i)).any(|i| {
        seen = if i <= last + 13 { seen + 1 } else { 1 };
        last = i;
        seen >= 3
    })
}

pub(crate) fn ipv6(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr_iter(b'[', bytes).any(|i| {
        let rest = &bytes[i + 1..];
        let len = rest.iter().take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')).count();
        len >= 3 && rest.get(len) == Some(&b']')
    })
}

pub(crate) fn mac(text: &str) -> bool {
    let bytes = text.as_bytes();
    let hex = |i, offset| at(bytes, i, offset).is_some_and(u8::is_ascii_hexdigit);
    memchr2_iter(b':', b'-', bytes)
        .any(|i| hex(i, -2) && hex(i, -1) && hex(i, 1) && hex(i, 2) && matches!(at(bytes, i, 3), Some(b':' | b'-')))
}

pub(crate) fn path_unix(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr_iter(b'/', bytes).any(|i| {
        let before = i == 0 || matches!(bytes[i - 1], 0..=b' ' | b'"' | b'\'' | b'(' | b'[' | b'=' | 0x80..);
        before
            && ["User", "home", "tmp", "etc", "var", "opt", "Applications"].iter().any(|name| bytes[i + 1..].starts_with(name.as_bytes()))
    })
}

pub(crate) fn path_win(text: &str) -> bool {
    has(text, ":\\")
}

pub(crate) fn path_unc(text: &str) -> bool {
    has(text, "\\\\")
}

pub(crate) fn email(text: &str) -> bool {
    memchr::memchr(b'@', text.as_bytes()).is_some()
}

/// Whether a `:` or `=` stands behind a word that ends in one of `ends`.
fn assigned(text: &str, ends: &[&str]) -> bool {
    // Letters that are s and k when case does not matter.
    if has(text, "\u{17f}") || has(text, "\u{212a}") {
        return true;
    }
    memchr2_iter(b':', b'=', text.as_bytes()).any(|i| ends_in(&text[..i], ends))
}

fn ends_in(text: &str, ends: &[&str]) -> bool {
    let word = text.trim_end_matches(is_space).as_bytes();
    ends.iter().any(|end| word.len() >= end.len() && word[word.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes()))
}

pub(crate) fn secret(text: &str) -> bool {
    assigned(text, &["key", "secret", "password", "passwd", "token", "auth", "authorization", "credential"])
}

pub(crate) fn id(text: &str) -> bool {
    assigned(text, &["id"])
}

pub(crate) fn channel(text: &str) -> bool {
    assigned(text, &["channel"]) || memchr::memmem::find_iter(text.as_bytes(), "：").any(|i| ends_in(&text[..i], &["channel"]))
}

pub(crate) fn open_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr_iter(b'_', bytes).any(|i| {
        matches!(at(bytes, i, -1), Some(b'u' | b'U' | b'd' | b'D'))
            && bytes.len() > i + 16
            && bytes[i + 1..i + 17].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    })
}

pub(crate) fn phone_cn(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr_iter(b'1', bytes).any(|i| matches!(at(bytes, i, 1), Some(b'3'..=b'9')) && (2..6).all(|offset| digit(at(bytes, i, offset))))
}

pub(crate) fn phone_intl(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr_iter(b'+', bytes).any(|i| digit(at(bytes, i, 1)))
}

pub(crate) fn id_card(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr2_iter(b'1', b'2', bytes).any(|i| {
        at(bytes, i, 1) == Some(if bytes[i] == b'1' { &b'9' } else { &b'0' })
            && [-1, -2, -3, 2, 3, 4, 5].iter().all(|offset| digit(at(bytes, i, *offset)))
    })
}
