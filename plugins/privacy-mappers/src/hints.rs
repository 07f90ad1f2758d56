//! Quick searches for places where a pattern may match: each searches for a rare byte and examines
//! what surrounds it.
//!
//! `hint(text, from)` returns the first place at or after `from` where the replaced part of a match
//! may begin; none begins before. It need not be a match, but mostly is. Where a byte of a
//! character beyond ASCII may be a digit, a letter or a space, the pattern decides.

use memchr::memmem::find_iter;
use memchr::{memchr_iter, memchr2_iter, memchr3_iter};

/// The first place.
pub(crate) type Hint = fn(&str, usize) -> Option<usize>;

/// The first place of one of `needles` at or after `from`.
macro_rules! each {
    ($search:ident, $($needle:expr),+; $text:expr, $from:expr) => {{
        let from = $from;
        $search($($needle,)+ &$text.as_bytes()[from..]).map(move |i| from + i)
    }};
}

fn strings<'t>(
    needle: &'static str,
    text: &'t str,
    from: usize,
) -> impl Iterator<Item = usize> + 't {
    find_iter(&text.as_bytes()[from..], needle).map(move |i| from + i)
}

fn at(bytes: &[u8], i: usize, offset: isize) -> Option<u8> {
    bytes.get(i.checked_add_signed(offset)?).copied()
}

/// Whether the byte may be (part of) a digit.
fn digit(byte: Option<u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_digit() || b >= 0x80)
}

/// Whether the byte is certainly a letter, a digit or `_`.
fn word(byte: Option<u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether a path may begin after the byte.
fn before_path(byte: Option<u8>) -> bool {
    byte.is_none_or(|b| matches!(b, 0..=b' ' | b'"' | b'\'' | b'(' | b'[' | b'=' | 0x80..))
}

/// The start of the run of bytes before `end` for which `test` holds.
fn back(bytes: &[u8], end: usize, test: impl Fn(u8) -> bool) -> usize {
    end - bytes[..end].iter().rev().take_while(|b| test(**b)).count()
}

/// White space as Python sees it.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

pub(crate) fn pem(text: &str, from: usize) -> Option<usize> {
    strings("-----BEGIN ", text, from).next()
}

pub(crate) fn jwt(text: &str, from: usize) -> Option<usize> {
    strings("eyJ", text, from).next()
}

pub(crate) fn url(text: &str, from: usize) -> Option<usize> {
    let scheme = |i: usize| {
        ["http", "https"]
            .iter()
            .find(|scheme| text.as_bytes()[..i].ends_with(scheme.as_bytes()))
    };
    strings("://", text, from).find_map(|i| Some(i - scheme(i)?.len()))
}

pub(crate) fn ipv4(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let first = |dot: &usize| {
        let mut at = *dot;
        digit(at.checked_sub(1).map(|i| bytes[i]))
            && (0..3).all(|_| {
                let rest = &bytes[at..];
                let digits = rest.iter().skip(1).take_while(|b| digit(Some(**b))).count();
                let is = rest.first() == Some(&b'.') && digits > 0;
                at += 1 + digits;
                is
            })
    };
    each!(memchr_iter, b'.'; text, from)
        .find(first)
        .map(|dot| back(bytes, dot, |b| digit(Some(b))))
}

pub(crate) fn ipv6(text: &str, from: usize) -> Option<usize> {
    each!(memchr_iter, b'['; text, from).find(|i| {
        let rest = &text.as_bytes()[i + 1..];
        let len = rest
            .iter()
            .take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
            .count();
        len >= 3 && rest.get(len) == Some(&b']')
    })
}

pub(crate) fn mac(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let hex = |i, offset| at(bytes, i, offset).is_some_and(|b| b.is_ascii_hexdigit());
    let separated = |i, offset| {
        matches!(at(bytes, i, offset), Some(b':' | b'-'))
            && hex(i, offset + 1)
            && hex(i, offset + 2)
    };
    let first = each!(memchr2_iter, b':', b'-'; text, from).find(|i| {
        hex(*i, -2)
            && hex(*i, -1)
            && [0, 3, 6, 9, 12].iter().all(|offset| separated(*i, *offset))
            && !word(at(bytes, *i, 15))
    });
    first.map(|i| i - 2)
}

pub(crate) fn path_unix(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    each!(memchr_iter, b'/'; text, from).find(|i| {
        before_path(at(bytes, *i, -1))
            && ["User", "home", "tmp", "etc", "var", "opt", "Applications"]
                .iter()
                .any(|name| bytes[i + 1..].starts_with(name.as_bytes()))
    })
}

pub(crate) fn path_win(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let letter = |i| at(bytes, i, -1).is_some_and(|b| b.is_ascii_alphabetic());
    strings(":\\", text, from)
        .find(|i| letter(*i) && before_path(at(bytes, *i, -2)))
        .map(|i| i - 1)
}

pub(crate) fn path_unc(text: &str, from: usize) -> Option<usize> {
    each!(memchr_iter, b'\\'; text, from).find(|i| {
        at(text.as_bytes(), *i, 1) == Some(b'\\') && before_path(at(text.as_bytes(), *i, -1))
    })
}

pub(crate) fn email(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let local =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'+' | b'-' | 0x80..);
    let domain = |i: usize| {
        let len = bytes[i + 1..]
            .iter()
            .take_while(|b| **b != b'+' && local(**b))
            .count();
        memchr::memrchr(b'.', &bytes[i + 1..i + 1 + len]).is_some_and(|dot| dot > 0)
    };
    let place = each!(memchr_iter, b'@'; text, from)
        .find(|i| at(bytes, *i, -1).is_some_and(local) && domain(*i))?;
    Some(from + back(&bytes[from..], place - from, local))
}

/// The start of one of `words`, in any case, that a `:` or `=` follows, or of the byte `also`. `_`
/// in a word means a dash, an underscore, or nothing. No word may end in s or k.
fn assigned(text: &str, from: usize, also: u8, words: &[&str]) -> Option<usize> {
    let bit = |letter: u8| 1u32 << (letter & 31);
    let last_letters = words
        .iter()
        .fold(0, |bits, word| bits | bit(word.as_bytes()[word.len() - 1]));
    each!(memchr3_iter, b':', b'=', also; text, from).find_map(|i| {
        let mut end = i;
        let last = loop {
            match text.as_bytes()[..end].last()? {
                b'\t'..=b'\r' | 0x1c..=b' ' => end -= 1,
                0x80.. if text[..end].ends_with(is_space) => {
                    end = text[..end].trim_end_matches(is_space).len()
                }
                last => break last,
            }
        };
        let may = last.is_ascii_alphabetic() && last_letters & bit(*last) != 0;
        words
            .iter()
            .filter(|_| may)
            .filter_map(|word| start_of(text, end, word))
            .min()
    })
}

/// The start of `word` (given in lower case) if it ends at `end`, in any case, without an ASCII
/// letter before it.
fn start_of(text: &str, end: usize, word: &str) -> Option<usize> {
    let mut start = end;
    for letter in word.bytes().rev() {
        let before = &text.as_bytes()[..start];
        start -= match letter {
            b'_' if !matches!(before.last(), Some(b'_' | b'-')) => 0,
            b'_' => 1,
            _ if before.last()?.to_ascii_lowercase() == letter => 1,
            // Letters that fold to s and k.
            b's' if before.ends_with("\u{17f}".as_bytes()) => 2,
            b'k' if before.ends_with("\u{212a}".as_bytes()) => 3,
            _ => return None,
        };
    }
    Some(start).filter(|start| !self::word(start.checked_sub(1).map(|i| text.as_bytes()[i])))
}

pub(crate) fn secret(text: &str, from: usize) -> Option<usize> {
    let words = [
        "api_key",
        "license_key",
        "secret",
        "password",
        "passwd",
        "token",
        "auth",
        "authorization",
        "credential",
    ];
    assigned(text, from, b':', &words)
}

pub(crate) fn id(text: &str, from: usize) -> Option<usize> {
    assigned(
        text,
        from,
        b':',
        &["session_id", "user_id", "request_id", "trace_id"],
    )
}

pub(crate) fn channel(text: &str, from: usize) -> Option<usize> {
    // The wide colon begins with the third byte; one of the pattern's Chinese words may precede its
    // `channel`.
    let bare = |start: usize| {
        text[..start]
            .trim_end_matches(is_space)
            .strip_suffix("当前的")
            .map_or(start, str::len)
    };
    assigned(text, from, 0xef, &["channel"]).map(|start| bare(start).max(from))
}

pub(crate) fn feishu(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let is = |i: usize, offset, letter: u8| {
        at(bytes, i, offset).is_some_and(|b| b.to_ascii_lowercase() == letter)
    };
    let place = each!(memchr_iter, b'_'; text, from).find(|i| {
        is(*i, -1, b'u')
            && is(*i, -2, b'o')
            && !word(at(bytes, *i, -3))
            && bytes
                .get(i + 1..i + 33)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    place.map(|i| i - 2)
}

pub(crate) fn open_id(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    each!(memchr_iter, b'_'; text, from).find_map(|i| {
        let prefix = ["ou", "u", "uid"].iter().find(|prefix| {
            bytes[..i].ends_with(prefix.as_bytes())
                && !word(at(bytes, i, -1 - prefix.len() as isize))
        })?;
        let long = bytes
            .get(i + 1..i + 17)?
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        long.then_some(i - prefix.len())
    })
}

/// Whether at least `count` digits follow at `at`, or bytes that may be digits.
fn digits(bytes: &[u8], at: usize, count: usize) -> bool {
    let found = bytes[at.min(bytes.len())..]
        .iter()
        .take(count)
        .take_while(|b| b.is_ascii_digit())
        .count();
    found == count || bytes.get(at + found).is_some_and(|b| *b >= 0x80)
}

pub(crate) fn phone_cn(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let ends = |i: usize| !word(at(bytes, i, 11)) || !bytes[i..i + 11].is_ascii();
    each!(memchr_iter, b'1'; text, from).find(|i| {
        matches!(at(bytes, *i, 1), Some(b'3'..=b'9'))
            && !word(at(bytes, *i, -1))
            && digits(bytes, i + 2, 9)
            && ends(*i)
    })
}

pub(crate) fn phone_intl(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let separated = |i| (1..=4).any(|n| digits(bytes, i + 1, n) && digits(bytes, i + 2 + n, 6));
    // A separator may have more than one byte.
    let wide = |i: usize| bytes[i..bytes.len().min(i + 20)].iter().any(|b| *b >= 0x80);
    each!(memchr_iter, b'+'; text, from)
        .find(|i| digits(bytes, i + 1, 7) || digit(at(bytes, *i, 1)) && (separated(*i) || wide(*i)))
}

pub(crate) fn id_card(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    // Six digits before the year.
    let begins = |i: usize| {
        let start = back(&bytes[..i], i, |b| b.is_ascii_digit());
        match at(bytes, start, -1) {
            Some(0x80..) => true,
            before => i - start == 6 && !word(before),
        }
    };
    let place = each!(memchr2_iter, b'1', b'2'; text, from).find(|i| {
        at(bytes, *i, 1) == Some(if bytes[*i] == b'1' { b'9' } else { b'0' })
            && digits(bytes, i + 2, 9)
            && begins(*i)
    })?;
    // They may have more than one byte each.
    Some(from + back(&bytes[from..], place - from, |b| digit(Some(b))))
}
