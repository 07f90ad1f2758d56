//! Lists.

use super::blocks::nested;
use super::nodes::process;
use crate::dom::{Dom, Id, Tag};

/// A new list of the items in a list, those of lists in it included. None without text.
pub(super) fn list(dom: &mut Dom, id: Id) -> Option<Id> {
    let new = dom.element(dom.tag(id));
    if dom.has_chars(dom.text(id)) {
        let item = dom.child(new, Tag::ITEM);
        dom.set_text(item, dom.text(id));
    }
    let next_item = |dom: &Dom, mut from: Option<Id>| {
        while let Some(at) = from
            && dom.tag(at) != Tag::ITEM
        {
            from = dom.following(at, id);
        }
        from
    };
    let mut next = next_item(dom, dom.following(id, id));
    while let Some(child) = next {
        next = next_item(dom, dom.following(child, id));
        // Items of a list in this one are done, and the next one was chosen before they were.
        if dom.tag(child) == Tag::DONE {
            continue;
        }
        let item = dom.element(Tag::ITEM);
        if dom.is_leaf(child) {
            if process(dom, child).is_some() {
                let text = dom.join_spaced(dom.text(child), dom.tail(child));
                dom.set_text(item, text);
            }
        } else {
            nested(dom, child, item);
            let tail = dom.tail(child);
            if let Some(last) = dom.last(item)
                && dom.has_chars(tail)
            {
                let tail = if dom.has_chars(dom.tail(last)) {
                    dom.join_spaced(dom.tail(last), tail)
                } else {
                    tail
                };
                dom.set_tail(last, tail);
            }
        }
        if dom.has_text(item) {
            dom.set_rend(item, dom.rend(child));
            dom.append(new, item);
        }
        dom.set_tag(child, Tag::DONE);
    }
    dom.set_tag(id, Tag::DONE);
    dom.set_rend(new, dom.rend(id));
    dom.has_text(new).then_some(new)
}
