//! Reads HTML by the rules of Python's `html.parser`, which Beautiful Soup builds on: tags as they
//! are in the text, without the repairs of the HTML standard.

mod references;
mod tag;

pub(crate) use references::resolve;
pub(crate) use tag::Attributes;

use djhost_sdk::Reject;
use djhost_sdk::text::{is_space, lower_into};
use memchr::{memchr, memchr2, memmem};
use std::ops::Range;
use tag::{Quotes, name_end, tag_end};

/// Receives the parts of a document, in order. Tag names are in lower case.
pub(crate) trait Events {
    /// A start tag; `empty` if it ends with `/>`.
    fn start(&mut self, name: &str, attributes: Attributes<'_>, empty: bool);
    fn end(&mut self, name: &str);
    /// Text; consecutive texts belong together.
    fn text(&mut self, text: &str);
    fn special(&mut self, kind: Special, text: &str);
}

/// Anything that is neither a tag nor text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    Comment,
    Doctype,
    Cdata,
    Declaration,
    Instruction,
}

/// Unclosed tags may cause parts to be read repeatedly: above this number of reads the text is
/// refused.
const MAX_READS: usize = 50;

/// Reads a document.
pub(crate) fn read(html: &str, events: &mut impl Events) -> Result<(), Reject> {
    let mut reader = Reader {
        html,
        quotes: Quotes::of(html),
        raw: None,
        name: String::new(),
        comments_end: false,
        wasted: 0,
    };
    let mut at = 0;
    while at < html.len() {
        at = reader.step(at, events);
        if reader.wasted > MAX_READS * (html.len() + 1000) {
            return Err("the HTML has too many tags that are not closed".into());
        }
    }
    Ok(())
}

struct Reader<'t> {
    html: &'t str,
    quotes: Quotes,
    /// The name of the script or style element being read, of which only the end tag matters.
    raw: Option<&'static str>,
    name: String,
    /// No comment ends any more.
    comments_end: bool,
    /// Bytes read in vain, for something that turned out to be something else.
    wasted: usize,
}

impl Reader<'_> {
    /// Reads what starts at `at`. Returns where to continue.
    fn step(&mut self, at: usize, events: &mut impl Events) -> usize {
        let bytes = self.html.as_bytes();
        let next = match self.raw {
            // What follows an unclosed script is lost.
            Some(name) => match self.raw_end(name, at) {
                Some(next) => next,
                None => return bytes.len(),
            },
            None => memchr2(b'<', b'&', &bytes[at..]).map_or(bytes.len(), |found| at + found),
        };
        if next > at {
            events.text(&self.html[at..next]);
            return next;
        }
        if bytes[at] == b'&' {
            return references::read(self.html, at, events);
        }
        let rest = &bytes[at..];
        let end = match rest.get(1) {
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.start_tag(at, events),
            Some(b'/') => self.end_tag(at, events),
            Some(b'!') if rest.starts_with(b"<!--") => self.comment(at, events),
            Some(b'!') => self.declaration(at, events),
            Some(b'?') => {
                let end = self.until(b'>', at + 2);
                end.inspect(|&end| {
                    events.special(Special::Instruction, &self.html[at + 2..end - 1])
                })
            }
            _ => {
                events.text("<");
                return at + 1;
            }
        };
        // Unclosed markup is text, up to what looks like its end or the next start.
        end.unwrap_or_else(|| {
            let end = self
                .until(b'>', at + 1)
                .or_else(|| self.find(b'<', at + 1))
                .unwrap_or(at + 1);
            events.text(&self.html[at..end]);
            end
        })
    }

    fn find(&mut self, byte: u8, from: usize) -> Option<usize> {
        let found = memchr(byte, &self.html.as_bytes()[from.min(self.html.len())..]);
        if found.is_none() {
            self.wasted += self.html.len() - from.min(self.html.len());
        }
        found.map(|found| from + found)
    }

    /// The position after the next `byte`.
    fn until(&mut self, byte: u8, from: usize) -> Option<usize> {
        self.find(byte, from).map(|end| end + 1)
    }

    /// The start of the end tag of the script or style sheet.
    fn raw_end(&mut self, name: &str, from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(found) = memmem::find(&self.html.as_bytes()[at..], b"</") {
            at += found;
            let rest = self.html[at + 2..].trim_start_matches(is_space);
            if rest
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
                && rest[name.len()..]
                    .trim_start_matches(is_space)
                    .starts_with('>')
            {
                return Some(at);
            }
            at += 2;
        }
        None
    }

    fn start_tag(&mut self, at: usize, events: &mut impl Events) -> Option<usize> {
        let html = self.html;
        let name_end = name_end(html, at + 1);
        let all = Attributes::new(html, self.quotes, name_end);
        let (end, read) = tag_end(all, name_end);
        self.wasted += if end.is_none() { read - at } else { 0 };
        let end = end?;
        let mut rest = all;
        while rest.next().is_some() {}
        let close = html
            .get(rest.at()..end)
            .unwrap_or_default()
            .trim_matches(is_space);
        if close != ">" && close != "/>" {
            events.text(&html[at..end]);
            return Some(end);
        }
        let name = lower(&html[at + 1..name_end], &mut self.name);
        let empty = close == "/>";
        events.start(name, all, empty);
        if !empty {
            self.raw = ["script", "style"].into_iter().find(|raw| *raw == name);
        }
        Some(end)
    }

    fn end_tag(&mut self, at: usize, events: &mut impl Events) -> Option<usize> {
        let close = self.until(b'>', at + 1)?;
        let html = self.html;
        let bytes = html.as_bytes();
        // The name may follow white space if only white space comes after it, …
        let rest = &html[at + 2..close - 1];
        let trimmed = rest.trim_matches(is_space);
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'_');
        if trimmed.starts_with(|c: char| c.is_ascii_alphabetic())
            && trimmed.as_bytes().iter().all(plain)
        {
            let name = lower(trimmed, &mut self.name);
            events.end(name);
            self.raw = None;
            return Some(close);
        }
        // … otherwise it must follow the slash directly.
        if !bytes[at + 2].is_ascii_alphabetic() {
            if bytes[at + 2] != b'>' {
                events.special(Special::Comment, rest);
            }
            return Some(close);
        }
        let name_end = name_end(html, at + 2);
        events.end(lower(&html[at + 2..name_end], &mut self.name));
        Some(close)
    }

    fn comment(&mut self, at: usize, events: &mut impl Events) -> Option<usize> {
        if self.comments_end {
            return None;
        }
        let Some((text, end)) = self.closed_by(b"--", at + 4) else {
            self.comments_end = true;
            return None;
        };
        events.special(Special::Comment, &self.html[text]);
        Some(end)
    }

    /// The text between `from` and the first place where all `marks` and a `>` follow each other,
    /// and the end of that place. White space is allowed between bracket marks and before the `>`.
    fn closed_by(&mut self, marks: &[u8], from: usize) -> Option<(Range<usize>, usize)> {
        let html = self.html;
        let mut at = from;
        'search: while let Some(found) = memchr(marks[0], &html.as_bytes()[at..]) {
            let start = at + found;
            at = start + 1;
            let mut rest = &html[at..];
            for &mark in &marks[1..] {
                // `- ->` closes no comment, `] ]>` closes a section.
                let after = if mark == b']' {
                    rest.trim_start_matches(is_space)
                } else {
                    rest
                };
                match after.strip_prefix(char::from(mark)) {
                    Some(after) => rest = after,
                    None => continue 'search,
                }
            }
            if let Some(after) = rest.trim_start_matches(is_space).strip_prefix('>') {
                return Some((from..start, html.len() - after.len()));
            }
        }
        self.wasted += html.len() - from;
        None
    }

    /// Reads what starts with `<!` and is not a comment.
    fn declaration(&mut self, at: usize, events: &mut impl Events) -> Option<usize> {
        let html = self.html;
        let rest = &html[at + 2..];
        if rest
            .get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case("doctype"))
        {
            let end = self.until(b'>', at + 9)?;
            // The character after the word goes with it.
            let text = html[at + 9..end - 1]
                .char_indices()
                .nth(1)
                .map_or("", |(second, _)| &html[at + 9 + second..end - 1]);
            events.special(Special::Doctype, text);
            return Some(end);
        }
        if let Some(section) = rest.strip_prefix('[') {
            let name_end = section
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))
                .unwrap_or(section.len());
            if section[name_end..].trim_start_matches(is_space).is_empty() {
                return None;
            }
            let marks: Option<&[u8]> = match section[..name_end].to_ascii_lowercase().as_str() {
                "temp" | "cdata" | "ignore" | "include" | "rcdata" => Some(b"]]"),
                "if" | "else" | "endif" => Some(b"]"),
                // `html.parser` gives up here.
                _ => None,
            };
            if let Some(marks) = marks {
                let (text, end) = self.closed_by(marks, at + 3)?;
                let text = &html[text];
                match text
                    .get(..6)
                    .filter(|start| start.eq_ignore_ascii_case("cdata["))
                {
                    Some(_) => events.special(Special::Cdata, &text[6..]),
                    None => events.special(Special::Declaration, text),
                }
                return Some(end);
            }
        }
        let end = self.until(b'>', at + 2)?;
        events.special(Special::Comment, &html[at + 2..end - 1]);
        Some(end)
    }
}

/// The name in lower case.
fn lower<'n>(name: &'n str, buffer: &'n mut String) -> &'n str {
    if name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    {
        return name;
    }
    buffer.clear();
    lower_into(name, buffer);
    buffer
}
