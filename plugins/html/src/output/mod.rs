//! Text or Markdown of a tree.

mod element;
mod escape;
mod inline;
mod prepare;

use crate::dom::{Dom, Id};
use crate::parse::unescape;
use djhost_sdk::text::is_space;
use std::borrow::Cow;

/// A line that stays empty.
const EMPTY_LINE: char = '\u{2424}';

/// Appends the text in `top`; with `formatting` as Markdown. The tree is used up.
pub(crate) fn write(dom: &mut Dom, top: Id, formatting: bool, out: &mut String) {
    if formatting {
        prepare::prepare(dom, top);
    }
    let raw = element::Writer::new(dom, formatting).write(top);
    let mut text = String::with_capacity(raw.len());
    for line in raw.split(is_line_end) {
        let line = without_controls(line);
        if !line.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
    }
    if text.contains(EMPTY_LINE) {
        text = text.replace(EMPTY_LINE, "");
    }
    out.push_str(&unescape(&text));
}

/// Whether a line ends here, as Python's `str.splitlines` sees it.
pub(crate) fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The text without characters that are neither printable nor white space.
pub(crate) fn without_controls(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t'))
        || !text.contains(is_unprintable)
    {
        return text.into();
    }
    text.replace(is_unprintable, "").into()
}

/// Controls, format characters, and characters for private use.
fn is_unprintable(c: char) -> bool {
    if c < '\u{a1}' {
        return !(' '..='~').contains(&c) && !is_space(c);
    }
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{110bd}'
        | '\u{110cd}' | '\u{13430}'..='\u{13438}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}' | '\u{f0000}'..='\u{10ffff}')
}
