//! Takes start tags apart, like the regular expressions of `html.parser`.

use djhost_sdk::text::{decode, is_space};
use memchr::{memchr, memrchr};
use std::ops::Range;

/// Positions of the last quotation marks, so that no search for one is in vain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quotes {
    single: Option<usize>,
    double: Option<usize>,
}

impl Quotes {
    pub(super) fn of(html: &str) -> Self {
        Self {
            single: memrchr(b'\'', html.as_bytes()),
            double: memrchr(b'"', html.as_bytes()),
        }
    }

    /// The position of the mark that closes the one before `from`.
    fn close(self, html: &str, mark: u8, from: usize) -> Option<usize> {
        let last = if mark == b'"' {
            self.double
        } else {
            self.single
        };
        let found = memchr(
            mark,
            &html.as_bytes()[from..=last.filter(|&last| last >= from)?],
        )?;
        Some(from + found)
    }
}

/// The end of the tag name that starts at `from`.
pub(super) fn name_end(html: &str, from: usize) -> usize {
    let ends = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 0xc | b' ' | b'/' | b'>' | 0);
    html.as_bytes()[from..]
        .iter()
        .position(ends)
        .map_or(html.len(), |length| from + length)
}

/// The end of a start tag, None if it has none; and how far the search went. `attributes` are its
/// attributes.
pub(super) fn tag_end(mut attributes: Attributes<'_>, name_end: usize) -> (Option<usize>, usize) {
    let html = attributes.html;
    if html.as_bytes().get(name_end) == Some(&b'>') {
        return (Some(name_end + 1), name_end + 1);
    }
    let rest = html[name_end..].trim_start_matches(|c| c == '/' || is_space(c));
    attributes.at = html.len() - rest.len();
    while attributes.next().is_some() {}
    let at = attributes.at;
    let end = match html.as_bytes().get(at) {
        Some(b'>') => Some(at + 1),
        Some(b'/') if html.as_bytes().get(at + 1) == Some(&b'>') => Some(at + 2),
        None | Some(b'=' | b'/' | b'a'..=b'z' | b'A'..=b'Z') => None,
        Some(_) => Some(at),
    };
    (end, at)
}

/// The attributes of a tag: name and value of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes<'t> {
    html: &'t str,
    quotes: Quotes,
    at: usize,
}

impl<'t> Attributes<'t> {
    /// Those of the tag whose name ends at `name_end`.
    pub(super) fn new(html: &'t str, quotes: Quotes, name_end: usize) -> Self {
        Self {
            html,
            quotes,
            at: skip(html, name_end),
        }
    }

    /// The start of the next attribute, if there is one.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The value after a name that ends at `from`, and its end including quotation marks.
    fn value(&self, from: usize) -> Option<(Range<usize>, usize)> {
        let bytes = self.html.as_bytes();
        let sign = skip_space(self.html, from);
        let signs = bytes[sign..].iter().take_while(|&&b| b == b'=').count();
        if signs == 0 {
            return None;
        }
        let start = skip_space(self.html, sign + signs);
        let bare = |start: usize| {
            let length = self.html[start..]
                .find(|c| c == '>' || is_space(c))
                .unwrap_or(self.html.len() - start);
            Some((start..start + length, start + length))
        };
        match bytes.get(start) {
            Some(&mark @ (b'"' | b'\'')) => match self.quotes.close(self.html, mark, start + 1) {
                Some(close) => Some((start + 1..close, close + 1)),
                // Nothing closes it. Then it is not a value, and what precedes it may be an empty
                // one.
                None if start > sign + signs => {
                    let before = start
                        - self.html[..start]
                            .chars()
                            .next_back()
                            .map_or(0, char::len_utf8);
                    Some((before..before, before))
                }
                None if signs > 1 => bare(start - 1),
                None => None,
            },
            _ => bare(start),
        }
    }
}

impl<'t> Iterator for Attributes<'t> {
    type Item = (&'t str, Option<&'t str>);

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.html[..self.at].chars().next_back()?;
        let first = self.html[self.at..].chars().next()?;
        if !(matches!(before, '\'' | '"' | '/') || is_space(before))
            || matches!(first, '/' | '>')
            || is_space(first)
        {
            return None;
        }
        let second = self.at + first.len_utf8();
        let ends = |c: char| matches!(c, '/' | '=' | '>') || is_space(c);
        let name_end = self.html[second..]
            .find(ends)
            .map_or(self.html.len(), |length| second + length);
        let name = &self.html[self.at..name_end];
        let value = self.value(name_end);
        self.at = skip(self.html, value.as_ref().map_or(name_end, |(_, end)| *end));
        Some((name, value.map(|(value, _)| &self.html[value])))
    }
}

/// The position after white space.
fn skip_space(html: &str, from: usize) -> usize {
    html.len() - html[from..].trim_start_matches(is_space).len()
}

/// The position after white space and slashes, except for a slash before a `>`.
fn skip(html: &str, mut at: usize) -> usize {
    let bytes = html.as_bytes();
    while at < bytes.len() {
        let (c, length) = decode(html, at);
        let slash = c == u32::from(b'/') && bytes.get(at + 1) != Some(&b'>');
        if !slash && !char::from_u32(c).is_some_and(is_space) {
            break;
        }
        at += length;
    }
    at
}
