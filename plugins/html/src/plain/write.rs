//! Lays pieces of text out in lines.

use super::Piece;
use crate::dom::Tag;

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

fn ends_blank(text: &str) -> bool {
    text.as_bytes().last().is_some_and(|&b| is_blank(b))
}

fn blank(c: char) -> bool {
    c.is_ascii() && is_blank(c as u8)
}

/// Appends the pieces.
pub(super) fn write(pieces: &[Piece], out: &mut String) {
    let mut text = String::new();
    let mut lists: Vec<usize> = Vec::new();
    let (mut margin, mut bullet) = (0usize, false);
    let mut prefix = String::new();
    for piece in pieces {
        let is_list = matches!(piece.tag, Some(Tag::UL | Tag::OL))
            || (piece.tag == Some(Tag::LI) && lists.is_empty());
        if is_list && piece.end {
            lists.pop();
            bullet = false;
            prefix.clear();
        } else if is_list {
            lists.push(usize::from(piece.tag == Some(Tag::OL)));
        }
        if piece.tag == Some(Tag::LI)
            && let Some(number) = lists.last_mut()
        {
            prefix = match *number {
                0 => "• ".into(),
                number => format!("{number}. "),
            };
            *number += usize::from(*number > 0 && !piece.end);
            bullet = !piece.end;
        }
        if piece.block {
            if piece.collapse {
                margin = margin.max(if piece.large && piece.pre == 0 { 2 } else { 1 });
            } else {
                margin += if piece.large { 2 } else { 1 };
            }
        }
        let Some(raw) = &piece.text else {
            continue;
        };
        let is_cell = matches!(piece.tag, Some(Tag::TD | Tag::TH));
        let mut content = raw.as_str();
        let collapsed;
        if piece.pre == 0 {
            collapsed = collapse(raw);
            content = &collapsed;
            if piece.block || is_cell || ends_blank(&text) {
                content = content.trim_start_matches(blank);
            }
        }
        if content.is_empty() {
            continue;
        }
        if margin > 0 {
            if piece.pre == 0 {
                text.truncate(text.trim_end_matches(blank).len());
            }
            if !text.is_empty() {
                text.extend(std::iter::repeat_n('\n', margin));
            }
            margin = 0;
        }
        if !lists.is_empty() {
            let indent = lists.len() + usize::from(!bullet);
            text.extend(std::iter::repeat_n(' ', 2 * indent));
            bullet = false;
        }
        if is_cell && !text.is_empty() && !text.ends_with('\n') {
            text.truncate(text.trim_end_matches(blank).len());
            text.push_str("\t\t");
        }
        text.push_str(&prefix);
        prefix.clear();
        text.push_str(content);
    }
    out.push_str(text.trim_end_matches(blank));
}

/// The text with one space for each run of white space.
fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if blank(c) {
            if !space {
                out.push(' ');
            }
            space = true;
        } else {
            out.push(c);
            space = false;
        }
    }
    out
}
