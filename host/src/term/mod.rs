//! Output for people: numbers and times in their usual form, tables that fit the terminal, colours.
//! Every subcommand prints through this module.

mod fold;
pub(crate) mod live;
mod style;
mod table;
mod units;

pub(crate) use fold::{fold, fold_at};
pub(crate) use style::{Color, ColorChoice, Style};
pub(crate) use table::{Cell, Column, Table};
pub(crate) use units::{about, bytes, count, counted, seconds, time};

use std::borrow::Cow;
use std::io::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Width of a report if no terminal says how wide it is.
pub(crate) const USUAL_WIDTH: usize = 80;

/// Writes `text`, which consists of whole lines, to standard error. A closed standard error does
/// not end a job.
pub(crate) fn say(text: &str) {
    // This write never fails.
    let _ = live::Stderr.write_all(text.as_bytes());
}

/// Returns how many columns `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Returns `text` in at most `columns` columns; if its end is cut off, `…` takes its place.
pub(crate) fn cut_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let kept = take(text.chars(), columns.saturating_sub(1));
    if columns == 0 {
        String::new()
    } else {
        format!("{kept}…")
    }
}

/// Returns `text` in at most `columns` columns; if its start is cut off, `…` takes its place. For
/// paths, whose end says most.
pub(crate) fn cut_start(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let kept: String = take(text.chars().rev(), columns.saturating_sub(1))
        .chars()
        .rev()
        .collect();
    if columns == 0 {
        String::new()
    } else {
        format!("…{kept}")
    }
}

/// Breaks `text` at blanks into lines no wider than `columns`, unless a single word is wider.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && width(&line).saturating_add(1 + width(word)) > columns {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines.push(line);
    }
    lines
}

/// Returns `text` on one line. Control characters and bidirectional controls, which could take over
/// a terminal, are escaped.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    let dangerous =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(dangerous) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| {
        if dangerous(c) {
            out.extend(c.escape_debug())
        } else {
            out.push(c)
        }
    });
    out.into()
}

fn take(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut left = columns;
    chars
        .take_while(|c| match left.checked_sub(c.width().unwrap_or(0)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrap("a-word-that-is-long x\ny", 5),
            ["a-word-that-is-long", "x", "y"]
        );
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn nothing_in_a_text_takes_over_the_terminal() {
        assert_eq!(
            one_line("a\u{1b}[31m\tb\nc\u{202e}é"),
            "a\\u{1b}[31m\\tb\\nc\\u{202e}é"
        );
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(cut_end("abcdef", 6), "abcdef");
        assert_eq!(cut_end("abcdef", 4), "abc…");
        assert_eq!(cut_start("abcdef", 4), "…def");
        // Chinese characters take two columns.
        assert_eq!(cut_end("数据集合", 6), "数据…");
        assert_eq!(
            (cut_end("ab", 1), cut_end("ab", 0), cut_start("ab", 0)),
            ("…".into(), String::new(), String::new())
        );
    }
}
