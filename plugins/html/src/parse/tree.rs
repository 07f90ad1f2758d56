//! The tree that libxml2 makes of the tokens.

use super::autoclose::{ended_by, rank};
use super::{Content, MAX_DEPTH, Sink};
use crate::dom::{Attr, Dom, Id, Span, Tag, Tags};
use std::collections::HashMap;

/// Elements that have no content.
pub(super) const VOID: Tags = Tags::of(&[
    Tag::AREA,
    Tag::BASE,
    Tag::BASEFONT,
    Tag::BR,
    Tag::COL,
    Tag::FRAME,
    Tag::HR,
    Tag::IMG,
    Tag::INPUT,
    Tag::ISINDEX,
    Tag::LINK,
    Tag::META,
    Tag::PARAM,
]);

/// Elements that may stand in an implied head.
const HEAD_CONTENT: Tags = Tags::of(&[
    Tag::SCRIPT,
    Tag::STYLE,
    Tag::META,
    Tag::LINK,
    Tag::TITLE,
    Tag::BASE,
]);
const FRAMES: Tags = Tags::of(&[Tag::NOFRAMES, Tag::FRAME, Tag::FRAMESET]);

/// Builds a tree in a [`Dom`].
pub(super) struct Builder<'a> {
    dom: &'a mut Dom,
    root: Option<Id>,
    /// The open elements.
    open: Vec<(Tag, Id)>,
    had_head: bool,
    had_body: bool,
    /// The root has ended: what follows is lost.
    ended: bool,
    /// Open elements that are too deep, and have no place in the tree.
    deeper: usize,
    names: HashMap<String, u16>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(dom: &'a mut Dom) -> Self {
        Self {
            dom,
            root: None,
            open: Vec::new(),
            had_head: false,
            had_body: false,
            ended: false,
            deeper: 0,
            names: HashMap::new(),
        }
    }

    pub(super) fn dom(&self) -> &Dom {
        self.dom
    }

    /// The root, if there is anything.
    pub(super) fn finish(self) -> Option<Id> {
        self.root
    }

    fn tag(&mut self, name: &str) -> Tag {
        if let Some(tag) = Tag::of(name) {
            return tag;
        }
        // Names beyond the numbers are one and the same.
        let next = Tag::KNOWN.saturating_add(self.names.len() as u16);
        match self.names.get(name) {
            Some(&number) => Tag(number),
            None if self.names.len() < 10_000 => {
                self.names.insert(name.to_owned(), next);
                Tag(next)
            }
            None => Tag(u16::MAX),
        }
    }

    fn push(&mut self, tag: Tag) -> Id {
        self.had_head |= tag == Tag::HEAD;
        self.had_body |= tag == Tag::BODY;
        let id = self.dom.element(tag);
        match self.open.last() {
            Some(&(_, parent)) => self.dom.append(parent, id),
            None => self.root = self.root.or(Some(id)),
        }
        self.open.push((tag, id));
        id
    }

    fn pop(&mut self) {
        self.open.pop();
        self.ended |= self.open.is_empty();
    }

    /// Opens what must be open around an element of this name.
    fn imply(&mut self, tag: Tag) {
        if tag == Tag::HTML {
            return;
        }
        if self.open.is_empty() {
            self.push(Tag::HTML);
        }
        if matches!(tag, Tag::BODY | Tag::HEAD) {
            return;
        }
        if self.open.len() == 1 && HEAD_CONTENT.has(tag) {
            if !self.had_head {
                self.push(Tag::HEAD);
            }
        } else if !FRAMES.has(tag)
            && !self.had_body
            && !self
                .open
                .iter()
                .any(|(open, _)| matches!(*open, Tag::BODY | Tag::HEAD))
        {
            self.push(Tag::BODY);
        }
    }

    /// Opens an element. None if it is left out.
    fn open(&mut self, tag: Tag) -> Option<Id> {
        while let Some(&(open, _)) = self.open.last()
            && self.deeper == 0
            && ended_by(open).has(tag)
        {
            self.pop();
            // An implied end of the root is none.
            self.ended = false;
        }
        self.imply(tag);
        let misplaced = match tag {
            Tag::HTML => !self.open.is_empty(),
            Tag::HEAD => self.open.len() != 1,
            Tag::BODY => self.open.iter().any(|(open, _)| *open == Tag::BODY),
            _ => false,
        };
        (!misplaced).then(|| self.push(tag))
    }

    /// Whether the next element would be too deep.
    fn is_full(&self) -> bool {
        self.deeper > 0 || self.open.len() >= MAX_DEPTH
    }

    /// Opens an element with the name and attributes of another. `empty`: and ends it.
    pub(super) fn open_again(&mut self, from: Id, empty: bool) {
        let tag = self.dom.tag(from);
        if self.ended || (self.is_full() && !ends_one(&self.open, tag)) {
            self.deeper += usize::from(!empty && !VOID.has(tag));
            return;
        }
        if let Some(id) = self.open(tag) {
            let attrs = self.dom.attrs(from).to_vec();
            self.dom.set_attrs(id, &attrs);
            if empty || VOID.has(tag) {
                self.pop();
            }
        }
    }

    /// Appends a text.
    pub(super) fn span(&mut self, text: Span) {
        if text.is_empty() || self.ended {
            return;
        }
        let blank = self
            .dom
            .str(text)
            .bytes()
            .all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
        if blank {
            if self.open.is_empty() {
                return;
            }
        } else {
            let implied = match self.open.last() {
                None => true,
                Some((tag, _)) => *tag == Tag::HEAD || (*tag == Tag::HTML && !self.had_body),
            };
            if implied {
                if self.open.last().is_some_and(|(tag, _)| *tag == Tag::HEAD) {
                    self.pop();
                }
                // Like an inline element.
                self.imply(Tag::SPAN);
            }
        }
        let Some(&(_, parent)) = self.open.last() else {
            return;
        };
        match self.dom.last(parent) {
            Some(last) => {
                let joined = self.dom.join(self.dom.tail(last), text);
                self.dom.set_tail(last, joined);
            }
            None => {
                let joined = self.dom.join(self.dom.text(parent), text);
                self.dom.set_text(parent, joined);
            }
        }
    }

    /// Ends an element.
    pub(super) fn end(&mut self, tag: Tag) {
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        let rank_of_tag = rank(tag);
        for at in (0..self.open.len()).rev() {
            let open = self.open[at].0;
            if open == tag {
                while self.open.len() > at {
                    self.pop();
                }
                return;
            }
            if rank(open) > rank_of_tag {
                return;
            }
        }
    }
}

/// Whether a start tag of this name ends the innermost element.
fn ends_one(open: &[(Tag, Id)], tag: Tag) -> bool {
    open.last()
        .is_some_and(|(open, _)| ended_by(*open).has(tag))
}

impl Sink for Builder<'_> {
    fn start(&mut self, name: &str, attrs: &mut Vec<(Attr, String)>, closed: bool) -> Content {
        let tag = self.tag(name);
        let content = match tag {
            _ if closed || self.ended => Content::Markup,
            Tag::SCRIPT | Tag::STYLE | Tag::IFRAME | Tag::NOEMBED | Tag::NOFRAMES | Tag::XMP => {
                Content::Raw
            }
            Tag::TITLE | Tag::TEXTAREA => Content::Text,
            Tag::PLAINTEXT => Content::Rest,
            _ => Content::Markup,
        };
        let void = VOID.has(tag);
        let closed = (closed && tag != Tag::HTML) || void;
        if self.ended {
            return content;
        }
        if self.is_full() && (self.deeper > 0 || !ends_one(&self.open, tag)) {
            self.deeper += usize::from(!closed);
            return content;
        }
        let opened = self.open(tag);
        let target = match (opened, tag) {
            (Some(id), _) => id,
            // Of a second `html`, attributes that the first has not.
            (None, Tag::HTML) => match self.root {
                Some(root) if self.dom.attrs(root).is_empty() => root,
                _ => return content,
            },
            (None, _) => return content,
        };
        if !attrs.is_empty() {
            let spans: Vec<(Attr, Span)> = attrs
                .iter()
                .map(|(name, value)| (*name, self.dom.add(value)))
                .collect();
            self.dom.set_attrs(target, &spans);
        }
        if closed && opened.is_some() {
            self.pop();
        }
        content
    }

    fn end_name(&mut self, name: &str) {
        if !self.ended {
            let tag = self.tag(name);
            self.end(tag);
        }
    }

    fn text(&mut self, text: &str) {
        if !self.ended && !text.is_empty() {
            let span = self.dom.add(text);
            self.span(span);
        }
    }
}
