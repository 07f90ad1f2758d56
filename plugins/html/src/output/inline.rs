//! The text of one element, and of those within a line that are in it.

use super::escape::{escape_block_start, escape_brackets, heading_prefix};
use crate::body::{CONSUMING, INLINE};
use crate::dom::{Dom, Id, Rend, Tag, Tags};
use djhost_sdk::text::strip;

/// Whether the text of the element contains those of its children.
pub(super) fn consumes(dom: &Dom, id: Id) -> bool {
    CONSUMING.has(dom.tag(id)) && !dom.is_leaf(id)
}

/// The text of an element with its marks.
pub(super) fn element_text(dom: &mut Dom, id: Id, formatting: bool, in_cell: bool) -> String {
    let mut text = dom.str(dom.text(id)).to_owned();
    if consumes(dom, id) {
        let mut next = dom.first(id);
        while let Some(child) = next {
            match dom.tag(child) {
                Tag::LB => text.push('\n'),
                tag if INLINE.has(tag) => {
                    text.push_str(&element_text(dom, child, formatting, false))
                }
                _ => text.push_str(dom.str(dom.text(child))),
            }
            text.push_str(dom.str(dom.tail(child)));
            next = dom.next(child);
        }
    }
    let tag = dom.tag(id);
    if formatting && !text.is_empty() {
        if !in_cell && matches!(tag, Tag::P | Tag::QUOTE | Tag::ITEM) {
            text = escape_block_start(text);
        }
        text = match tag {
            Tag::ARTICLE | Tag::LIST | Tag::TABLE => strip(&text).to_owned(),
            Tag::HEAD if !in_cell => format!("{} {text}", heading_prefix(dom.rend(id))),
            Tag::DEL => wrap(&text, "~~", "~~"),
            Tag::HI => match dom.rend(id) {
                Rend::Bold => wrap(&text, "**", "**"),
                Rend::Italic => wrap(&text, "*", "*"),
                Rend::Underline => wrap(&text, "<u>", "</u>"),
                Rend::Sub => wrap(&text, "<sub>", "</sub>"),
                Rend::Sup => wrap(&text, "<sup>", "</sup>"),
                Rend::Typewriter => code(&text),
                _ => text,
            },
            Tag::CODE => program(dom, id, text),
            _ => text,
        };
    }
    if tag == Tag::REF {
        let target = dom.str(dom.target(id)).to_owned();
        text = link(&text, &target);
    }
    if tag == Tag::CELL {
        text = strip(&text).to_owned();
        if !text.is_empty() && !dom.is_leaf(id) {
            text.push(' ');
        }
    }
    text
}

/// Puts marks around a text, within the white space at its ends.
fn wrap(text: &str, open: &str, close: &str) -> String {
    let inner = strip(text);
    if inner.is_empty() {
        return text.to_owned();
    }
    text.replacen(inner, &format!("{open}{inner}{close}"), 1)
}

/// As many backticks as no run in the text has, at least `least`.
fn fence(text: &str, least: usize) -> String {
    let (mut len, mut run) = (least, 0);
    for b in text.bytes() {
        run = if b == b'`' { run + 1 } else { 0 };
        if run >= len {
            len = run + 1;
        }
    }
    "`".repeat(len)
}

fn code(text: &str) -> String {
    let inner = strip(text);
    if inner.is_empty() {
        return text.to_owned();
    }
    let fence = fence(inner, 1);
    let pad = if inner.starts_with('`') || inner.ends_with('`') {
        " "
    } else {
        ""
    };
    text.replacen(inner, &format!("{fence}{pad}{inner}{pad}{fence}"), 1)
}

/// A program of one line, or of several. Line breaks in it become line ends.
fn program(dom: &mut Dom, id: Id, mut text: String) -> String {
    let breaks = dom.find_all(id, Tags::of(&[Tag::LB]));
    if breaks.is_empty() && !text.contains('\n') {
        return code(&text);
    }
    for id in breaks {
        text.push('\n');
        text.push_str(dom.str(dom.tail(id)));
        dom.remove_with_tail(id);
    }
    let fence = fence(&text, 3);
    format!("{fence}\n{text}\n{fence}\n")
}

fn link(text: &str, target: &str) -> String {
    let inner = strip(text);
    if inner.is_empty() {
        return text.to_owned();
    }
    let label = escape_brackets(inner);
    let link = if target.is_empty() {
        format!("[{label}]")
    } else if target.contains([' ', '<', '>', '(', ')']) {
        let target = target
            .replace('\\', "\\\\")
            .replace('<', "\\<")
            .replace('>', "\\>");
        format!("[{label}](<{target}>)")
    } else {
        format!("[{label}]({target})")
    };
    text.replacen(inner, &link, 1)
}
