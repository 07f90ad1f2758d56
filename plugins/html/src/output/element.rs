//! Writes elements and what is in them.

use super::EMPTY_LINE;
use super::escape::{escape_cell, heading_prefix};
use super::inline::{consumes, element_text};
use crate::body::INLINE;
use crate::dom::{Dom, Id, Rend, Tag, Tags};
use djhost_sdk::text::{is_space, strip};
use std::borrow::Cow;

/// Elements that stand on lines of their own.
const ON_LINES: Tags = Tags::of(&[
    Tag::GRAPHIC,
    Tag::HEAD,
    Tag::LB,
    Tag::LIST,
    Tag::P,
    Tag::QUOTE,
    Tag::ROW,
    Tag::TABLE,
]);

/// Elements with marks of their own.
const MARKED: Tags = Tags::of(&[
    Tag::CODE,
    Tag::DEL,
    Tag::HEAD,
    Tag::HI,
    Tag::REF,
    Tag::ITEM,
    Tag::CELL,
]);

/// Where an element is.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    in_cell: bool,
    in_item: bool,
    /// Lists around it.
    lists: usize,
    /// Its number among the items of its list.
    number: usize,
    /// The length of the mark of the item that it is in.
    mark: usize,
}

pub(super) struct Writer<'a> {
    dom: &'a mut Dom,
    formatting: bool,
    out: String,
    /// The last piece that was written is empty.
    nothing: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(dom: &'a mut Dom, formatting: bool) -> Self {
        Self {
            dom,
            formatting,
            out: String::new(),
            nothing: true,
        }
    }

    pub(super) fn write(mut self, top: Id) -> String {
        self.element(top, Place::default());
        self.out
    }

    fn push(&mut self, piece: &str) {
        self.out.push_str(piece);
        self.nothing = piece.is_empty();
    }

    /// The end of the last piece.
    fn last(&self) -> Option<char> {
        self.out.chars().next_back().filter(|_| !self.nothing)
    }

    /// Whether what is next stands apart already.
    fn is_apart(&self) -> bool {
        matches!(self.last(), None | Some(' ' | '\n' | '|'))
    }

    /// Appends a piece, without the space at its start if what is before ends with one.
    fn push_spaced(&mut self, piece: &str) {
        let piece = match piece.strip_prefix(' ') {
            Some(rest) if self.is_apart() => rest,
            _ => piece,
        };
        if !piece.is_empty() {
            self.push(piece);
        }
    }

    fn element(&mut self, id: Id, mut place: Place) {
        let tag = self.dom.tag(id);
        place.in_cell |= tag == Tag::CELL;
        place.in_item |= tag == Tag::ITEM;
        let Place {
            in_cell, in_item, ..
        } = place;
        if tag == Tag::CELL && self.dom.prev(id).is_none() {
            self.push("| ");
        }
        if ON_LINES.has(tag) && !in_cell && !in_item && !self.is_apart() {
            self.push("\n");
        } else if matches!(tag, Tag::HEAD | Tag::P | Tag::QUOTE | Tag::TABLE)
            && !self.is_apart()
            && !self.last().is_some_and(is_space)
            && (!self.dom.text(id).is_empty()
                || self
                    .dom
                    .first(id)
                    .is_none_or(|first| self.dom.tag(first) != Tag::LB))
        {
            self.push(" ");
        }

        let consuming = consumes(self.dom, id);
        let inline = !self.dom.text(id).is_empty() || consuming;
        if tag == Tag::ITEM {
            place.mark = self.mark(id, place, true).len();
            if !in_cell && self.needs_mark(id) {
                let mark = self.mark(id, place, self.formatting);
                self.push(&mark);
            }
        }
        if inline && (tag != Tag::ITEM || consuming || self.dom.has_chars(self.dom.text(id))) {
            let text = element_text(self.dom, id, self.formatting, in_cell);
            let text = escape_cell(&text, in_cell);
            self.push(&text);
        } else if self.formatting && tag == Tag::HEAD && !in_cell && !self.dom.is_leaf(id) {
            let prefix = format!("{} ", heading_prefix(self.dom.rend(id)));
            self.push(&prefix);
        }
        if tag == Tag::LIST && in_item && !matches!(self.last(), None | Some('\n')) {
            self.push("\n");
        }
        if !consuming {
            self.children(id, place);
        }
        if !inline {
            if ON_LINES.has(tag) {
                if tag == Tag::ROW {
                    self.head_line(id);
                } else {
                    let opening = tag == Tag::LB && in_item && self.opens_item(id);
                    if !in_cell && !opening {
                        self.push("\n");
                    }
                }
            } else if !matches!(tag, Tag::CELL | Tag::ITEM) {
                if in_cell {
                    self.tail(id, place);
                }
                return;
            }
        }
        self.end(id, place);
    }

    fn children(&mut self, id: Id, place: Place) {
        let mut inner = Place {
            lists: place.lists + usize::from(self.dom.tag(id) == Tag::LIST),
            number: 0,
            ..place
        };
        let mut next = self.dom.first(id);
        while let Some(child) = next {
            inner.number += usize::from(self.dom.tag(child) == Tag::ITEM);
            self.element(child, inner);
            next = self.dom.next(child);
        }
    }

    /// What is behind an element, and its tail.
    fn end(&mut self, id: Id, place: Place) {
        let Place {
            in_cell, in_item, ..
        } = place;
        let tag = self.dom.tag(id);
        let last_in_item = in_item && self.closes(id, Tag::ITEM);
        let last_in_cell = in_cell && self.closes(id, Tag::CELL);
        if ON_LINES.has(tag) && !in_cell && !in_item {
            if self.formatting && tag != Tag::ROW {
                self.push(&format!("\n{EMPTY_LINE}\n"));
            } else {
                self.push("\n");
            }
        } else if tag == Tag::CELL {
            self.push(" | ");
        } else {
            let flattened = in_cell && matches!(tag, Tag::HEAD | Tag::ITEM);
            let unmarked = !MARKED.has(tag) && !last_in_item;
            if (flattened || unmarked) && !last_in_cell {
                self.push_spaced(" ");
            }
        }
        self.tail(id, place);
        if last_in_item && !in_cell {
            self.push("\n");
        }
    }

    /// The line under the head of a table.
    fn head_line(&mut self, row: Id) {
        let cells: Vec<Id> = self
            .dom
            .children(row)
            .filter(|&id| self.dom.tag(id) == Tag::CELL)
            .collect();
        if cells.iter().any(|&cell| self.dom.rend(cell) == Rend::Head) {
            let line = format!("\n|{}\n", "---|".repeat(cells.len()));
            self.push(&line);
        }
    }

    /// The mark before an item.
    fn mark(&self, id: Id, place: Place, numbers: bool) -> String {
        let indent = "  ".repeat(place.lists.saturating_sub(1));
        let ordered = self
            .dom
            .parent(id)
            .is_some_and(|list| self.dom.rend(list) == Rend::Ordered);
        if numbers && ordered {
            format!("{indent}{}. ", place.number.max(1))
        } else {
            format!("{indent}- ")
        }
    }

    /// Whether an item has something of its own before the first list in it.
    fn needs_mark(&self, item: Id) -> bool {
        self.dom.has_chars(self.dom.text(item))
            || self
                .dom
                .children(item)
                .take_while(|&child| self.dom.tag(child) != Tag::LIST)
                .any(|child| self.dom.has_text(child) || self.dom.has_chars(self.dom.tail(child)))
    }

    /// Whether nothing of its item is before an element.
    fn opens_item(&self, id: Id) -> bool {
        let mut at = id;
        while self.dom.tag(at) != Tag::ITEM {
            let Some(parent) = self.dom.parent(at) else {
                return false;
            };
            if self.dom.prev(at).is_some() || self.dom.has_chars(self.dom.text(parent)) {
                return false;
            }
            at = parent;
        }
        true
    }

    /// Whether an element is the end of the item or cell that it is in.
    fn closes(&self, id: Id, container: Tag) -> bool {
        if self.dom.tag(id) == container {
            return self.dom.is_leaf(id);
        }
        self.dom
            .next(id)
            .is_none_or(|next| container == Tag::ITEM && self.dom.tag(next) == Tag::ITEM)
    }

    fn tail(&mut self, id: Id, place: Place) {
        let Place {
            in_cell, in_item, ..
        } = place;
        let tag = self.dom.tag(id);
        let tail: Cow<'_, str> = self.dom.str(self.dom.tail(id)).to_owned().into();
        if tail.is_empty() {
            return;
        }
        let core = strip(&tail);
        if self.formatting && tag == Tag::LIST && in_item && !in_cell && !core.is_empty() {
            // Behind an empty line, or else it would go on the last item of the inner list.
            let piece = format!("{EMPTY_LINE}\n{}{core}", " ".repeat(place.mark));
            return self.push(&piece);
        }
        if in_cell || in_item || tag == Tag::LIST {
            let mut piece = String::new();
            if !core.is_empty() {
                if tail.starts_with(is_space) || !INLINE.has(tag) {
                    piece.push(' ');
                }
                piece.push_str(core);
            }
            if tail.ends_with(is_space)
                && self
                    .dom
                    .next(id)
                    .is_some_and(|next| INLINE.has(self.dom.tag(next)))
            {
                piece.push(' ');
            }
            let piece = escape_cell(&piece, in_cell).into_owned();
            return self.push_spaced(&piece);
        }
        let piece = match ON_LINES.has(tag) {
            true => tail.trim_start_matches(is_space),
            false => &tail,
        };
        self.push(piece);
    }
}
