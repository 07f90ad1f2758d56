//! The tokens of HTML5.
//!
//! By hand although html5ever has a tokenizer: that one compares each attribute of a tag with all
//! before it, so a tag with a million attributes takes hours, and it allocates for each token.

use super::references::resolve;
use super::{Content, Sink};
use crate::dom::Attr;
use memchr::{memchr, memmem};

/// Reads a page.
pub(super) fn read(html: &str, sink: &mut impl Sink) {
    let mut reader = Reader {
        html,
        at: 0,
        attrs: Vec::new(),
        name: String::new(),
        lines: String::new(),
    };
    while reader.at < html.len() {
        reader.step(sink);
    }
}

struct Reader<'a> {
    html: &'a str,
    at: usize,
    attrs: Vec<(Attr, String)>,
    name: String,
    lines: String,
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.html.as_bytes()[self.at..]
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.html.as_bytes().get(self.at + ahead).copied()
    }

    /// Reads text up to the next tag, and the tag.
    fn step(&mut self, sink: &mut impl Sink) {
        let mut end = self.at;
        loop {
            end += memchr(b'<', &self.html.as_bytes()[end..]).unwrap_or(self.html.len() - end);
            let after = self.html.as_bytes().get(end + 1);
            match after {
                Some(b'!' | b'?' | b'/') => break,
                Some(b) if b.is_ascii_alphabetic() => break,
                None => {
                    end = self.html.len();
                    break;
                }
                Some(_) => end += 1,
            }
        }
        self.text(end, true, sink);
        match (self.peek(1), self.peek(2)) {
            (None, _) => {}
            (Some(b'!'), _) => self.declaration(),
            (Some(b'?'), _) => self.skip_to(b">", 1),
            (Some(b'/'), Some(b)) if b.is_ascii_alphabetic() => {
                self.at += 2;
                self.tag_name();
                if self.attributes(false).is_some() {
                    let name = std::mem::take(&mut self.name);
                    sink.end_name(&name);
                    self.name = name;
                }
            }
            (Some(b'/'), Some(b'>')) => self.at += 3,
            (Some(b'/'), None) => {
                sink.text("</");
                self.at += 2;
            }
            (Some(b'/'), _) => self.skip_to(b">", 2),
            _ => {
                self.at += 1;
                self.tag_name();
                let Some(closed) = self.attributes(true) else {
                    return;
                };
                let name = std::mem::take(&mut self.name);
                let content = sink.start(&name, &mut self.attrs, closed);
                if content != Content::Markup {
                    self.content(&name, content, sink);
                }
                self.name = name;
            }
        }
    }

    /// Hands on the text up to `end`, with line ends as HTML has them.
    fn text(&mut self, end: usize, references: bool, sink: &mut impl Sink) {
        let mut text = &self.html[self.at..end];
        self.at = end;
        if text.is_empty() {
            return;
        }
        if memchr(b'\r', text.as_bytes()).is_some() {
            self.lines = text.replace("\r\n", "\n").replace('\r', "\n");
            text = &self.lines;
        }
        if references {
            sink.text(&resolve(text, false));
        } else {
            sink.text(text);
        }
    }

    /// Reads the content of an element up to its end tag.
    fn content(&mut self, name: &str, content: Content, sink: &mut impl Sink) {
        let bytes = self.html.as_bytes();
        let mut end = self.at;
        loop {
            if content == Content::Rest {
                end = bytes.len();
                break;
            }
            let Some(next) = memmem::find(&bytes[end..], b"</") else {
                end = bytes.len();
                break;
            };
            end += next;
            let after = end + 2 + name.len();
            if bytes
                .get(end + 2..after)
                .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
                && bytes
                    .get(after)
                    .is_none_or(|&b| is_blank(b) || matches!(b, b'>' | b'/'))
            {
                break;
            }
            end += 2;
        }
        self.text(end, content == Content::Text, sink);
    }

    /// Skips a comment, a document type, or what looks like one.
    fn declaration(&mut self) {
        if !self.rest().starts_with(b"<!--") {
            return self.skip_to(b">", 2);
        }
        let rest = &self.rest()[4..];
        if rest.starts_with(b">") || rest.starts_with(b"->") {
            return self.skip_to(b">", 4);
        }
        let (plain, odd) = (
            memmem::find(rest, b"-->"),
            memmem::find(
                &rest[..memmem::find(rest, b"-->").unwrap_or(rest.len())],
                b"--!>",
            ),
        );
        self.at += 4 + match (plain, odd) {
            (_, Some(odd)) => odd + 4,
            (Some(plain), None) => plain + 3,
            (None, None) => rest.len(),
        };
    }

    /// Goes on behind the first `end` that is `from` bytes ahead or more.
    fn skip_to(&mut self, end: &[u8], from: usize) {
        let start = (self.at + from).min(self.html.len());
        self.at = memmem::find(&self.html.as_bytes()[start..], end)
            .map_or(self.html.len(), |found| start + found + end.len());
    }

    /// Reads the name of a tag in lower case.
    fn tag_name(&mut self) {
        let len = self
            .rest()
            .iter()
            .take_while(|&&b| !is_blank(b) && !matches!(b, b'>' | b'/'))
            .count();
        self.name.clear();
        self.name.push_str(&self.html[self.at..self.at + len]);
        self.name.make_ascii_lowercase();
        self.at += len;
    }

    /// Reads the rest of a tag: whether it ends with `/>`. None if it has no end.
    fn attributes(&mut self, keep: bool) -> Option<bool> {
        self.attrs.clear();
        loop {
            self.at += self.rest().iter().take_while(|&&b| is_blank(b)).count();
            match self.peek(0)? {
                b'>' => {
                    self.at += 1;
                    return Some(false);
                }
                b'/' if self.peek(1) == Some(b'>') => {
                    self.at += 2;
                    return Some(true);
                }
                b'/' => self.at += 1,
                _ => self.attribute(keep)?,
            }
        }
    }

    fn attribute(&mut self, keep: bool) -> Option<()> {
        let start = self.at;
        // It may begin with `=`.
        self.at += 1;
        self.at += self
            .rest()
            .iter()
            .take_while(|&&b| !is_blank(b) && !matches!(b, b'=' | b'>' | b'/'))
            .count();
        let name = start..self.at;
        let blanks = self.rest().iter().take_while(|&&b| is_blank(b)).count();
        let mut value = 0..0;
        if self.peek(blanks) == Some(b'=') {
            self.at += blanks + 1;
            self.at += self.rest().iter().take_while(|&&b| is_blank(b)).count();
            match self.peek(0)? {
                quote @ (b'"' | b'\'') => {
                    let len = memchr(quote, &self.rest()[1..]).or_else(|| {
                        self.at = self.html.len();
                        None
                    })?;
                    value = self.at + 1..self.at + 1 + len;
                    self.at = value.end + 1;
                }
                b'>' => {}
                _ => {
                    let len = self
                        .rest()
                        .iter()
                        .take_while(|&&b| !is_blank(b) && b != b'>')
                        .count();
                    value = self.at..self.at + len;
                    self.at = value.end;
                }
            }
        }
        if keep && name.len() <= 32 {
            // The multi-byte characters of a name that begins in one belong to it.
            let mut lower = [0; 32];
            let lower = &mut lower[..name.len()];
            lower.copy_from_slice(&self.html.as_bytes()[name]);
            lower.make_ascii_lowercase();
            if let Some(attr) = std::str::from_utf8(lower).ok().and_then(Attr::of)
                && !self.attrs.iter().any(|(known, _)| *known == attr)
            {
                let value = resolve(&self.html[value], true).into_owned();
                self.attrs.push((attr, value));
            }
        }
        Some(())
    }
}
