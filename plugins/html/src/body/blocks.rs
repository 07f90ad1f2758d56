//! Headings, formatting, quotes, programs, and which rule is for which element.

use super::nodes::{How, add_copy, clear, copy_notes, finish, process, text_node};
use super::{INLINE, TEXT_TAGS, lists, paragraphs, table};
use crate::dom::{Attr, Dom, Id, Span, Tag, Tags};
use crate::extract::Settings;
use crate::select::value;
use djhost_sdk::text::is_space;

/// Elements in which formatting stands as it is.
const FORMATTING_PARENTS: Tags = Tags::of(&[
    Tag::CELL,
    Tag::HEAD,
    Tag::HI,
    Tag::ITEM,
    Tag::P,
    Tag::QUOTE,
    Tag::REF,
    Tag::TD,
]);

/// What a paragraph in a quote may have.
const QUOTED: Tags = TEXT_TAGS.with(Tags::of(&[Tag::REF]));

/// What to take of an element: itself or a new one. None if there is nothing.
pub(super) fn text_element(
    dom: &mut Dom,
    id: Id,
    potential: Tags,
    settings: &Settings,
) -> Option<Id> {
    match dom.tag(id) {
        Tag::LIST => lists::list(dom, id),
        Tag::CODE | Tag::QUOTE => quote(dom, id),
        Tag::HEAD => heading(dom, id),
        Tag::P => paragraphs::paragraph(dom, id, potential),
        Tag::LB => {
            if !dom.has_chars(dom.tail(id)) {
                return None;
            }
            process(dom, id)?;
            let p = dom.element(Tag::P);
            dom.set_text(p, dom.tail(id));
            Some(p)
        }
        Tag::HI | Tag::REF | Tag::DEL => formatting(dom, id),
        Tag::TABLE if potential.has(Tag::TABLE) => table::table(dom, id, potential, settings),
        _ => other(dom, id, potential),
    }
}

fn heading(dom: &mut Dom, id: Id) -> Option<Id> {
    let title = if dom.is_leaf(id) {
        process(dom, id)?
    } else {
        let title = dom.copy(id);
        dom.strip_elements(title, Tag::DONE);
        let tag = dom.tag(id);
        finish(dom, id);
        dom.set_tag(id, tag);
        title
    };
    dom.has_text(title).then_some(title)
}

/// Formatting that stands alone becomes a paragraph.
fn formatting(dom: &mut Dom, id: Id) -> Option<Id> {
    process(dom, id)?;
    if dom
        .parent(id)
        .is_some_and(|parent| FORMATTING_PARENTS.has(dom.tag(parent)))
    {
        return Some(id);
    }
    let wrapper = dom.element(Tag::P);
    dom.append(wrapper, id);
    Some(wrapper)
}

fn is_code(dom: &Dom, id: Id) -> bool {
    if dom.tag(id) == Tag::CODE
        || dom
            .attr(id, Attr::Lang)
            .is_some_and(|lang| !lang.is_empty())
    {
        return true;
    }
    if dom
        .parent(id)
        .is_some_and(|parent| value(dom, parent, Attr::Class).contains("highlight"))
    {
        return true;
    }
    dom.first(id).is_some_and(|only| {
        dom.tag(only) == Tag::CODE
            && dom.next(only).is_none()
            && !dom.has_chars(dom.text(id))
            && !dom.has_chars(dom.tail(only))
    })
}

/// A program stays as it stands.
fn program(dom: &mut Dom, id: Id) -> Id {
    let copy = dom.copy(id);
    finish(dom, id);
    dom.set_tag(copy, Tag::CODE);
    copy
}

fn quote(dom: &mut Dom, id: Id) -> Option<Id> {
    if is_code(dom, id) {
        return Some(program(dom, id));
    }
    let new = dom.element(dom.tag(id));
    nested(dom, id, new);
    if !dom.has_text(new) {
        return None;
    }
    dom.unwrap_all(new, Tags::of(&[Tag::QUOTE]));
    Some(new)
}

fn other(dom: &mut Dom, id: Id, potential: Tags) -> Option<Id> {
    if dom.tag(id) != Tag::DIV {
        return None;
    }
    if value(dom, id, Attr::Class).contains("w3-code") {
        return Some(program(dom, id));
    }
    if !potential.has(Tag::DIV) {
        return None;
    }
    text_node(dom, id, How::Spaced)?;
    if !dom.has_chars(dom.text(id)) {
        return None;
    }
    clear(dom, id);
    dom.set_tag(id, Tag::P);
    Some(id)
}

/// Adds what is in `from` to the end of `new`, with its text.
pub(super) fn nested(dom: &mut Dom, from: Id, new: Id) {
    dom.set_text(new, dom.text(from));
    let mut next = dom.following(from, from);
    while let Some(id) = next {
        next = dom.following(id, from);
        match dom.tag(id) {
            Tag::LIST => {
                let list = lists::list(dom, id);
                add_block(dom, new, list, id);
            }
            Tag::P if !dom.is_leaf(id) => {
                let paragraph = paragraphs::paragraph(dom, id, QUOTED);
                add_block(dom, new, paragraph, id);
            }
            tag if INLINE.has(tag) => add_copy(dom, id, new, true),
            _ => {
                if let Some(last) = dom.last(id)
                    && dom.has_chars(dom.tail(id))
                {
                    // The tail stands behind the children, which are added after this.
                    let joined = dom.join(dom.tail(last), dom.tail(id));
                    dom.set_tail(last, joined);
                    dom.set_tail(id, Span::NONE);
                }
                if let Some(node) = text_node(dom, id, How::Trimmed) {
                    add_copy(dom, node, new, false);
                }
            }
        }
        dom.set_tag(id, Tag::DONE);
    }
}

/// Adds a block with the text behind what it was made from, or only that text if it is none.
pub(super) fn add_block(dom: &mut Dom, parent: Id, block: Option<Id>, from: Id) {
    let tail = dom.tail(from);
    if let Some(block) = block {
        dom.set_tail(block, tail);
        dom.append(parent, block);
    } else if dom.has_chars(tail) {
        let last = dom.last(parent);
        let before = last.map_or_else(|| dom.text(parent), |last| dom.tail(last));
        // What is left out still separates.
        let apart = (!before.is_empty() || last.is_some())
            && !dom.str(before).ends_with(is_space)
            && !dom.str(tail).starts_with(is_space);
        let mut joined = before;
        if apart {
            let space = dom.add(" ");
            joined = dom.join(joined, space);
        }
        let joined = dom.join(joined, tail);
        match last {
            Some(last) => dom.set_tail(last, joined),
            None => dom.set_text(parent, joined),
        }
    }
}

/// Copies what is noted of `from` to a new element of the same name.
pub(super) fn same(dom: &mut Dom, from: Id, tag: Tag) -> Id {
    let new = dom.element(tag);
    copy_notes(dom, from, new);
    new
}
