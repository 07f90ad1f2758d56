//! Paragraphs.

use super::blocks::same;
use super::nodes::{How, add_copy, process, text_node};
use super::{CONSUMING, INLINE};
use crate::dom::{Dom, Id, Tag, Tags};

/// A new paragraph of what is in a paragraph. None without text.
pub(super) fn paragraph(dom: &mut Dom, id: Id, potential: Tags) -> Option<Id> {
    if dom.is_leaf(id) {
        return process(dom, id);
    }
    let new = dom.element(dom.tag(id));
    dom.unwrap_others(id, potential.with(Tags::of(&[Tag::DONE])));
    let mut next = Some(id);
    while let Some(child) = next {
        next = dom.following(child, id);
        if text_node(dom, child, How::Spaced).is_some() {
            add(dom, child, new);
        }
        dom.set_tag(child, Tag::DONE);
    }
    match dom.last(new) {
        Some(last) => {
            if dom.tag(last) == Tag::LB && dom.tail(last).is_empty() {
                dom.remove(last);
            }
            Some(new)
        }
        None => dom.has_chars(dom.text(new)).then_some(new),
    }
}

/// Adds an element of a paragraph to the new one.
fn add(dom: &mut Dom, child: Id, new: Id) {
    let tag = dom.tag(child);
    if tag == Tag::P {
        let text = dom.join_spaced(dom.text(new), dom.text(child));
        dom.set_text(new, text);
        return;
    }
    let consuming = CONSUMING.has(tag);
    if consuming && wraps_inline(dom, child) {
        return add_copy(dom, child, new, true);
    }
    if consuming {
        let inner: Vec<Id> = dom.children(child).collect();
        for &item in &inner {
            let space = dom.add(" ");
            if dom.tag(item) == Tag::LB && !dom.tail(item).is_empty() {
                let tail = dom.trimmed_start(dom.tail(item));
                let tail = dom.join(space, tail);
                dom.set_tail(item, tail);
            } else if dom.has_chars(dom.text(item)) {
                let text = dom.join(space, dom.text(item));
                dom.set_text(item, text);
            }
        }
        let names: Vec<Tag> = inner.iter().map(|&item| dom.tag(item)).collect();
        let all: Vec<Id> = dom
            .descendants(child)
            .filter(|&id| names.contains(&dom.tag(id)))
            .collect();
        all.into_iter().for_each(|id| dom.unwrap(id));
    }
    let sub = if consuming {
        same(dom, child, tag)
    } else {
        dom.element(tag)
    };
    dom.set_text(sub, dom.text(child));
    dom.set_tail(sub, dom.tail(child));
    dom.append(new, sub);
}

/// Whether an element within a line has others in it.
fn wraps_inline(dom: &Dom, id: Id) -> bool {
    !dom.is_leaf(id)
        && (dom.tag(id) == Tag::REF || dom.children(id).any(|child| INLINE.has(dom.tag(child))))
}
