//! Cleaning the texts of one element.

use super::INLINE;
use crate::dom::{Dom, Id, Rend, Span, Tag};
use crate::output::is_line_end;
use djhost_sdk::text::is_space;

/// Whether a text is nothing, or one of the labels that pages have for sharing and printing.
fn is_noise(text: &str) -> bool {
    const LABELS: [&str; 19] = [
        "drucken",
        "e-mail",
        "email",
        "facebook",
        "flipboard",
        "google",
        "instagram",
        "linkedin",
        "mail",
        "pdf",
        "pinterest",
        "pocket",
        "print",
        "qq",
        "reddit",
        "twitter",
        "wechat",
        "weibo",
        "whatsapp",
    ];
    if text.chars().all(is_space) {
        return true;
    }
    text.split(is_line_end).any(|line| {
        let line = line.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
        if line.len() > 60 {
            return false;
        }
        let line = line.to_lowercase();
        LABELS.contains(&line.as_str())
            || matches!(line.as_str(), "xing" | "mehr zum thema" | "mehr zum thema:")
            || line
                .strip_prefix("more on this")
                .is_some_and(|rest| rest.chars().count() <= 8)
    })
}

/// Whether the element's text, or else the one behind it, is noise.
fn has_noise(dom: &Dom, id: Id) -> bool {
    let text = dom.text(id);
    is_noise(dom.str(if text.is_empty() { dom.tail(id) } else { text }))
}

/// Whether it is a line break before an element within a line.
pub(crate) fn separates(dom: &Dom, id: Id) -> bool {
    dom.tag(id) == Tag::LB && dom.next(id).is_some_and(|next| INLINE.has(dom.tag(next)))
}

fn is_empty(dom: &Dom, id: Id) -> bool {
    dom.is_leaf(id) && dom.text(id).is_empty() && dom.tail(id).is_empty()
}

/// Trims the texts of an element. None if there is nothing to take.
pub(super) fn process(dom: &mut Dom, id: Id) -> Option<Id> {
    if dom.tag(id) == Tag::DONE || is_empty(dom, id) {
        return None;
    }
    let (text, tail) = (dom.text(id), dom.tail(id));
    let (mut text, mut tail) = (dom.trimmed(text), dom.trimmed(tail));
    if dom.tag(id) != Tag::LB && text.is_empty() && dom.is_leaf(id) {
        (text, tail) = (tail, Span::NONE);
    }
    dom.set_text(id, text);
    dom.set_tail(id, tail);
    let nothing = text.is_empty() && tail.is_empty();
    (nothing || !has_noise(dom, id)).then_some(id)
}

/// What [`text_node`] does besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Trims the texts.
    Trimmed,
    /// Leaves white space as it is.
    Spaced,
    /// Trims, and makes paragraphs of the texts behind line breaks.
    Comment,
}

/// Prepares the texts of an element. None if there is nothing to take.
pub(super) fn text_node(dom: &mut Dom, id: Id, how: How) -> Option<Id> {
    if dom.tag(id) == Tag::DONE
        || (is_empty(dom, id) && (how == How::Comment || !separates(dom, id)))
    {
        return None;
    }
    if how != How::Comment && dom.tag(id) == Tag::LB {
        if how == How::Trimmed {
            let tail = dom.trimmed(dom.tail(id));
            dom.set_tail(id, tail);
        }
        return Some(id);
    }
    if dom.text(id).is_empty() && dom.is_leaf(id) {
        dom.set_text(id, dom.tail(id));
        dom.set_tail(id, Span::NONE);
        if how == How::Comment && dom.tag(id) == Tag::LB {
            dom.set_tag(id, Tag::P);
        }
    }
    if how != How::Spaced {
        let text = dom.trimmed(dom.text(id));
        dom.set_text(id, text);
        let tail = dom.trimmed(dom.tail(id));
        dom.set_tail(id, tail);
    }
    (!dom.text(id).is_empty() || !has_noise(dom, id)).then_some(id)
}

/// Copies what is noted of an element to another.
pub(super) fn copy_notes(dom: &mut Dom, from: Id, to: Id) {
    dom.set_rend(to, dom.rend(from));
    dom.set_target(to, dom.target(from));
}

/// Adds a copy of an element to the end of `parent`; with `children` also of those in it that stand
/// in a line, which are then done.
pub(super) fn add_copy(dom: &mut Dom, from: Id, parent: Id, children: bool) {
    let copy = dom.child(parent, dom.tag(from));
    dom.set_text(copy, dom.text(from));
    dom.set_tail(copy, dom.tail(from));
    copy_notes(dom, from, copy);
    if !children {
        return;
    }
    let inner: Vec<Id> = dom.children(from).collect();
    for sub in inner {
        let tag = dom.tag(sub);
        if INLINE.has(tag) || tag == Tag::LB {
            add_copy(dom, sub, copy, true);
            finish(dom, sub);
        }
    }
}

/// Marks an element and all in it as done.
pub(super) fn finish(dom: &mut Dom, top: Id) {
    let mut next = Some(top);
    while let Some(id) = next {
        dom.set_tag(id, Tag::DONE);
        next = dom.following(id, top);
    }
}

/// Removes what a rule notes of an element.
pub(super) fn clear(dom: &mut Dom, id: Id) {
    dom.clear_attrs(id);
    dom.set_rend(id, Rend::None);
    dom.set_target(id, Span::NONE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_noise() {
        for noise in [
            "",
            " \n",
            "Facebook",
            "» E-Mail",
            "text\nPRINT",
            "More on this: a",
            "Mehr zum Thema:",
        ] {
            assert!(is_noise(noise), "{noise}");
        }
        for text in ["Facebook!", "a PDF", "More on this and that", "printer"] {
            assert!(!is_noise(text), "{text}");
        }
    }
}
