//! Finds links in text without a regex engine.
//!
//! A regex engine without its SIMD searchers, as in WebAssembly, tries this pattern at nearly every
//! word. But a link has a `:`, a `/` or `www` near its start, so this searches for those, sixteen
//! bytes at a time, and matches the pattern from there in both directions.

use crate::cleaner::Span;
use djhost_sdk::text::{Lanes, WORD, decode, is_decimal};

/// Data-Juicer's pattern (after Gruber's), which [`find`] follows.
pub(crate) const PATTERN: &str = concat!(
    r"(?i)\b(",
    r"(?:[a-z][\w-]+:(?:/{1,3}|[a-z0-9%])|www\d{0,3}[.]|[a-z0-9.\-]+[.][a-z]{2,4}/)",
    r"(?:[^\s()<>]+|\(([^\s()<>]+|(\([^\s()<>]+\)))*\))+",
    r#"(?:\(([^\s()<>]+|(\([^\s()<>]+\)))*\)|[^\s`!()\[\]{};:'".,<>?«»“”‘’])"#,
    ")",
);

/// The first match of [`PATTERN`] at or after `from`.
pub(crate) fn find(text: &str, from: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(window) = bytes[at..].first_chunk::<16>() {
        let lanes = Lanes::load(window);
        let w = u32::from(lanes.with_bits(0x20).eq(b'w').bitmask());
        // Three in a row; at the end of the window the next bytes are not known yet.
        let www = w & (w >> 1 | 1 << 15) & (w >> 2 | 3 << 14);
        let mut anchors = u32::from(lanes.eq(b':').or(lanes.eq(b'/')).bitmask()) | www;
        while anchors != 0 {
            if let Some(span) = link_at(text, from, at + anchors.trailing_zeros() as usize) {
                return Some(span);
            }
            anchors &= anchors - 1;
        }
        at += 16;
    }
    (at..bytes.len())
        .filter(|&at| matches!(bytes[at], b':' | b'/' | b'w' | b'W'))
        .find_map(|at| link_at(text, from, at))
}

/// The link whose prefix has its `:`, its `/` or its `www` at byte `at`, without anything before
/// `from`.
fn link_at(text: &str, from: usize, at: usize) -> Option<Span> {
    let (start, body) = match text.as_bytes()[at] {
        b':' => scheme(text, from, at)?,
        b'/' => domain(text, from, at)?,
        _ => {
            let www = www(text, from, at)?;
            // `x-www.example.com/`: a domain that starts earlier comes first.
            let run = text[at..]
                .chars()
                .take_while(|&c| is_host(c))
                .map(char::len_utf8)
                .sum::<usize>();
            let earlier = (text.as_bytes().get(at + run) == Some(&b'/'))
                .then(|| domain(text, from, at + run))
                .flatten();
            if let Some((start, body)) = earlier.filter(|&(start, _)| start < at)
                && let Some(end) = tail(text, body)
            {
                return Some(Span { start, end });
            }
            www
        }
    };
    // Prefixes of different lengths leave the same end to the rest, so the shortest one decides.
    tail(text, body).map(|end| Span { start, end })
}

/// `[a-z][\w-]+:(?:/{1,3}|[a-z0-9%])` with the `:` at `at`: start of the match, and start of what
/// follows the shortest prefix.
fn scheme(text: &str, from: usize, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let body = match bytes.get(at + 1)? {
        b'/' | b'%' | b'0'..=b'9' => at + 2,
        _ => at + 1 + letter(text, at + 1)?,
    };
    // The run of word characters and hyphens before the colon. The match starts at its first letter
    // after a boundary, with at least one character between that letter and the colon.
    let mut found = None;
    let mut start = at;
    let mut next = at;
    while start > from {
        let (c, length) = before(text, start);
        if c != '-' && !is_word(c) {
            break;
        }
        start -= length;
        let boundary = start == 0 || !is_word(before(text, start).0);
        if next < at && boundary && is_letter(c) {
            found = Some(start);
        }
        next = start;
    }
    found.map(|start| (start, body))
}

/// `www\d{0,3}[.]` with the `www` at `at`.
fn www(text: &str, from: usize, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_www = bytes
        .get(at..at + 3)
        .is_some_and(|www| www.eq_ignore_ascii_case(b"www"));
    if !is_www || at < from || (at > 0 && is_word(before(text, at).0)) {
        return None;
    }
    let digits = text[at + 3..]
        .chars()
        .take_while(|&c| is_decimal(c))
        .take(3)
        .map(char::len_utf8)
        .sum::<usize>();
    let dot = at + 3 + digits;
    (bytes.get(dot) == Some(&b'.')).then_some((at, dot + 1))
}

/// `[a-z0-9.\-]+[.][a-z]{2,4}/` with the `/` at `at`.
fn domain(text: &str, from: usize, at: usize) -> Option<(usize, usize)> {
    let mut dot = at;
    let mut letters = 0;
    while dot > from {
        let (c, length) = before(text, dot);
        if c == '.' {
            break;
        }
        if letters == 4 || !is_letter(c) {
            return None;
        }
        letters += 1;
        dot -= length;
    }
    if letters < 2 || dot == from {
        return None;
    }
    dot -= 1;
    let mut start = dot;
    let mut found = None;
    while start > from {
        let (c, length) = before(text, start);
        if !is_host(c) {
            break;
        }
        start -= length;
        let word_before = start > 0 && is_word(before(text, start).0);
        if word_before != is_word(c) {
            found = Some(start);
        }
    }
    found.map(|start| (start, at + 1))
}

/// `(?:[^\s()<>]+|GROUP)+(?:GROUP|[^…])` from `body` on, where GROUP is
/// `\(([^\s()<>]+|(\([^\s()<>]+\)))*\)`: the end of the match.
///
/// The first part takes all it can. Then the last piece is given back, and the one before it, until
/// a piece may come last: a group, or a character other than punctuation. At least one piece must
/// remain before it.
fn tail(text: &str, body: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut end = None;
    let mut at = body;
    while at < bytes.len() {
        let (last, next) = match bytes[at] {
            b'(' => match group(text, at) {
                Some(next) => (true, next),
                None => break,
            },
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => (true, at + 1),
            _ => {
                let (c, length) = decode(text, at);
                match char::from_u32(c) {
                    Some(c) if is_body(c) => (!is_punctuation(c), at + length),
                    _ => break,
                }
            }
        };
        if last && at > body {
            end = Some(next);
        }
        at = next;
    }
    end
}

/// The end of the group that the `(` at `at` opens: body characters, and non-empty groups of one
/// more level.
fn group(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let body_run = |from: usize| {
        text[from..]
            .chars()
            .take_while(|&c| is_body(c))
            .map(char::len_utf8)
            .sum::<usize>()
    };
    let mut at = at + 1;
    loop {
        at += body_run(at);
        match bytes.get(at)? {
            b')' => return Some(at + 1),
            b'(' => {
                let run = body_run(at + 1);
                let close = at + 1 + run;
                if run == 0 || bytes.get(close) != Some(&b')') {
                    return None;
                }
                at = close + 1;
            }
            _ => return None,
        }
    }
}

/// `[^\s()<>]`
fn is_body(c: char) -> bool {
    !matches!(c, '(' | ')' | '<' | '>') && !c.is_whitespace()
}

/// Characters that a link does not end with.
fn is_punctuation(c: char) -> bool {
    matches!(
        c,
        '`' | '!'
            | '['
            | ']'
            | '{'
            | '}'
            | ';'
            | ':'
            | '\''
            | '"'
            | '.'
            | ','
            | '?'
            | '«'
            | '»'
            | '“'
            | '”'
            | '‘'
            | '’'
    )
}

/// `\w`
fn is_word(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || c == '_'
    } else {
        WORD.has(c as u32)
    }
}

/// `[a-z]` ignoring case: two letters and a ligature beyond ASCII fold to it.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, 'ſ' | '\u{212a}' | 'İ')
}

/// `[a-z0-9.\-]` ignoring case.
fn is_host(c: char) -> bool {
    is_letter(c) || c.is_ascii_digit() || c == '.' || c == '-'
}

/// The length of the letter at `at`, if there is one.
fn letter(text: &str, at: usize) -> Option<usize> {
    text[at..]
        .chars()
        .next()
        .filter(|&c| is_letter(c))
        .map(char::len_utf8)
}

/// The character that ends before byte `at`, and its length.
fn before(text: &str, at: usize) -> (char, usize) {
    match text.as_bytes()[at - 1] {
        b @ 0..0x80 => (b.into(), 1),
        _ => text[..at]
            .chars()
            .next_back()
            .map_or(('\0', 1), |c| (c, c.len_utf8())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cleaner::agrees_with_the_pattern;

    #[test]
    fn the_search_by_hand_is_the_pattern() {
        let pieces = [
            ":", "/", "//", "www", "www.", "www1.", ".", "com/", "a", "Z", "x-", "-", "_", "(",
            ")", "()", " ", ",", "é", "日", "“", "1", "%", "<", "http://", "ab:", "\u{212a}", "ſ",
            "٣", "\u{301}",
        ];
        agrees_with_the_pattern(PATTERN, find, &pieces);
    }

    #[test]
    fn the_window_does_not_cut_links() {
        for link in [
            "www.a.b",
            "http://x/y",
            "a.com/bc",
            "kk:v12",
            "xx-www.ab.com/cd",
        ] {
            for shift in 0..40 {
                let text = format!("{}{link} end", " ".repeat(shift));
                assert_eq!(
                    find(&text, 0),
                    Some(Span {
                        start: shift,
                        end: shift + link.len()
                    }),
                    "{text:?}"
                );
            }
        }
    }
}
