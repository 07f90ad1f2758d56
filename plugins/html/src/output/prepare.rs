//! What Markdown needs of a tree: escaped texts, and formatting that is not repeated.

use super::escape::escape_inline;
use crate::dom::{Dom, Id, Rend, Span, Tag, Tags};
use djhost_sdk::text::is_space;

pub(super) fn prepare(dom: &mut Dom, top: Id) {
    escape(dom, top);
    collapse(dom, top, 0);
    merge(dom, top);
    let blocks: Vec<Id> = dom
        .iter(top)
        .filter(|&id| Tags::of(&[Tag::P, Tag::QUOTE, Tag::HEAD]).has(dom.tag(id)))
        .collect();
    for id in blocks {
        let text = dom.trimmed_start(dom.text(id));
        match dom.last(id) {
            None => {
                let text = dom.trimmed_end(text);
                dom.set_text(id, text);
            }
            Some(last) => {
                dom.set_text(id, text);
                let tail = dom.trimmed_end(dom.tail(last));
                dom.set_tail(last, tail);
            }
        }
    }
}

fn escaped(dom: &mut Dom, span: Span) -> Span {
    let text = dom.str(span);
    if !text.contains(['*', '_', '`', '~', '[', ']', '<', '\\']) {
        return span;
    }
    let escaped = escape_inline(text);
    dom.add(&escaped)
}

/// Escapes all texts but those of programs.
fn escape(dom: &mut Dom, top: Id) {
    if dom.tag(top) == Tag::CODE || (dom.tag(top) == Tag::HI && dom.rend(top) == Rend::Typewriter) {
        return;
    }
    let text = escaped(dom, dom.text(top));
    dom.set_text(top, text);
    let mut next = dom.first(top);
    while let Some(child) = next {
        escape(dom, child);
        let tail = escaped(dom, dom.tail(child));
        dom.set_tail(child, tail);
        next = dom.next(child);
    }
}

/// The bit of a formatting with a mark.
fn mark(rend: Rend) -> u8 {
    match rend {
        Rend::Bold => 1,
        Rend::Italic => 2,
        Rend::Typewriter => 4,
        _ => 0,
    }
}

/// Takes out formatting in the same formatting.
fn collapse(dom: &mut Dom, id: Id, mut active: u8) {
    if dom.tag(id) == Tag::HI {
        active |= mark(dom.rend(id));
        while let Some(only) = dom.first(id)
            && dom.next(only).is_none()
            && dom.tag(only) == Tag::HI
            && !dom.has_chars(dom.text(id))
            && !dom.has_chars(dom.tail(only))
            && mark(dom.rend(only)) & active != 0
        {
            dom.set_tail(only, Span::NONE);
            dom.unwrap(only);
        }
    }
    let mut next = dom.first(id);
    while let Some(child) = next {
        collapse(dom, child, active);
        next = dom.next(child);
    }
}

/// Makes one of equal formatting next to each other.
fn merge(dom: &mut Dom, id: Id) {
    let mut next = dom.first(id);
    while let Some(child) = next {
        merge(dom, child);
        next = dom.next(child);
    }
    let mut at = dom.last(id).and_then(|last| dom.prev(last));
    while let Some(child) = at {
        at = dom.prev(child);
        let Some(next) = dom.next(child) else {
            continue;
        };
        let mergeable = mark(dom.rend(child)) != 0 || dom.rend(child) == Rend::Underline;
        if dom.tag(child) == Tag::HI
            && dom.tag(next) == Tag::HI
            && dom.rend(child) == dom.rend(next)
            && mergeable
            && dom.is_leaf(child)
            && dom.is_leaf(next)
            && dom.str(dom.tail(child)).chars().all(is_space)
        {
            let text = dom.join(dom.text(child), dom.tail(child));
            let text = dom.join(text, dom.text(next));
            dom.set_text(child, text);
            dom.set_tail(child, dom.tail(next));
            dom.remove_with_tail(next);
        }
    }
}
