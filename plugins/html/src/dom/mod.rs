//! The tree of a page, as lxml has it: elements, each with the text before its first child and the
//! text after its end.
//!
//! All trees of a page (copies, results) are in one arena, so elements move between them, and a text
//! is a range of one buffer, so copies and joins are cheap.

mod change;
mod length;
mod tag;
mod walk;

pub(crate) use length::Words;
pub(crate) use tag::{Tag, Tags};

use djhost_sdk::text::is_space;

/// An element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u32);

/// A text: a range of the buffer, empty if there is none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    start: u32,
    len: u32,
    words: Words,
}

impl Span {
    pub(crate) const NONE: Span = Span {
        start: 0,
        len: 0,
        words: Words::NONE,
    };

    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// What a rule notes of an element in place of the attributes that it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Rend {
    #[default]
    None,
    Ordered,
    Heading(u8),
    Bold,
    Italic,
    Underline,
    Typewriter,
    Sub,
    Sup,
    /// A cell of a table's head.
    Head,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    tag: Tag,
    rend: Rend,
    parent: u32,
    first: u32,
    last: u32,
    prev: u32,
    next: u32,
    text: Span,
    tail: Span,
    /// Where its attributes are.
    attrs: (u32, u32),
    /// The target of a link.
    target: Span,
}

const NIL: u32 = u32::MAX;

/// The names of attributes that the rules read; others are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attr {
    Id,
    Class,
    Role,
    Itemprop,
    Style,
    Hidden,
    AriaHidden,
    AriaExpanded,
    DataComponent,
    DataLpReplacementContent,
    DataTestid,
    DataAd,
    Src,
    Href,
    Rel,
    Lang,
    XmlLang,
    Type,
    Name,
    Property,
    Content,
    HttpEquiv,
    Datetime,
    Alt,
    Alttext,
    Display,
    Encoding,
    Colspan,
    Rowspan,
    Title,
    PubDate,
    Hreflang,
}

impl Attr {
    /// The attribute of this name in lower case.
    pub(crate) fn of(name: &str) -> Option<Attr> {
        Some(match name {
            "id" => Attr::Id,
            "class" => Attr::Class,
            "role" => Attr::Role,
            "itemprop" => Attr::Itemprop,
            "style" => Attr::Style,
            "hidden" => Attr::Hidden,
            "aria-hidden" => Attr::AriaHidden,
            "aria-expanded" => Attr::AriaExpanded,
            "data-component" => Attr::DataComponent,
            "data-lp-replacement-content" => Attr::DataLpReplacementContent,
            "data-testid" => Attr::DataTestid,
            "data-ad" | "data-advertisement" | "data-text-ad" => Attr::DataAd,
            "src" => Attr::Src,
            "href" => Attr::Href,
            "rel" => Attr::Rel,
            "lang" => Attr::Lang,
            "xml:lang" => Attr::XmlLang,
            "type" => Attr::Type,
            "name" => Attr::Name,
            "property" => Attr::Property,
            "content" => Attr::Content,
            "http-equiv" => Attr::HttpEquiv,
            "datetime" => Attr::Datetime,
            "alt" => Attr::Alt,
            "alttext" => Attr::Alttext,
            "display" => Attr::Display,
            "encoding" => Attr::Encoding,
            "colspan" => Attr::Colspan,
            "rowspan" => Attr::Rowspan,
            "title" => Attr::Title,
            "pubdate" => Attr::PubDate,
            "hreflang" => Attr::Hreflang,
            _ => return None,
        })
    }
}

/// The trees of a page.
#[derive(Debug, Default)]
pub(crate) struct Dom {
    nodes: Vec<Node>,
    attrs: Vec<(Attr, Span)>,
    texts: String,
}

impl Dom {
    /// Forgets everything, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.attrs.clear();
        self.texts.clear();
    }

    /// A new element without parent.
    pub(crate) fn element(&mut self, tag: Tag) -> Id {
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(Node {
            tag,
            rend: Rend::None,
            parent: NIL,
            first: NIL,
            last: NIL,
            prev: NIL,
            next: NIL,
            text: Span::NONE,
            tail: Span::NONE,
            attrs: (0, 0),
            target: Span::NONE,
        });
        id
    }

    fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    pub(crate) fn tag(&self, id: Id) -> Tag {
        self.node(id).tag
    }

    pub(crate) fn set_tag(&mut self, id: Id, tag: Tag) {
        self.node_mut(id).tag = tag;
    }

    pub(crate) fn rend(&self, id: Id) -> Rend {
        self.node(id).rend
    }

    pub(crate) fn set_rend(&mut self, id: Id, rend: Rend) {
        self.node_mut(id).rend = rend;
    }

    /// The target of a link.
    pub(crate) fn target(&self, id: Id) -> Span {
        self.node(id).target
    }

    pub(crate) fn set_target(&mut self, id: Id, target: Span) {
        self.node_mut(id).target = target;
    }

    pub(crate) fn text(&self, id: Id) -> Span {
        self.node(id).text
    }

    pub(crate) fn tail(&self, id: Id) -> Span {
        self.node(id).tail
    }

    pub(crate) fn set_text(&mut self, id: Id, text: Span) {
        self.node_mut(id).text = text;
    }

    pub(crate) fn set_tail(&mut self, id: Id, tail: Span) {
        self.node_mut(id).tail = tail;
    }

    /// The characters of a text.
    pub(crate) fn str(&self, span: Span) -> &str {
        &self.texts[span.start as usize..(span.start + span.len) as usize]
    }

    /// Adds a text to the buffer.
    pub(crate) fn add(&mut self, text: &str) -> Span {
        let start = self.texts.len() as u32;
        self.texts.push_str(text);
        Span {
            start,
            len: text.len() as u32,
            words: Words::of(text),
        }
    }

    /// One text behind the other.
    pub(crate) fn join(&mut self, first: Span, second: Span) -> Span {
        if first.is_empty() {
            return second;
        }
        if second.is_empty() {
            return first;
        }
        let words = first.words.then(second.words);
        let range = |span: Span| span.start as usize..(span.start + span.len) as usize;
        if first.start + first.len == second.start {
            return Span {
                start: first.start,
                len: first.len + second.len,
                words,
            };
        }
        let mut start = first.start;
        if range(first).end != self.texts.len() {
            start = self.texts.len() as u32;
            self.texts.extend_from_within(range(first));
        }
        self.texts.extend_from_within(range(second));
        Span {
            start,
            len: first.len + second.len,
            words,
        }
    }

    /// A text behind another, with a space between the two.
    pub(crate) fn join_spaced(&mut self, first: Span, second: Span) -> Span {
        if first.is_empty() || second.is_empty() {
            return self.join(first, second);
        }
        let space = self.add(" ");
        let start = self.join(first, space);
        self.join(start, second)
    }

    /// The text without white space at its ends and with single spaces in it.
    pub(crate) fn trimmed(&mut self, span: Span) -> Span {
        let text = self.str(span);
        let stripped = text.trim_matches(is_space);
        let start = span.start + (text.len() - text.trim_start_matches(is_space).len()) as u32;
        let mut before = false;
        let clean = stripped.chars().all(|c| {
            let space = is_space(c);
            let fine = !space || (c == ' ' && !before);
            before = space;
            fine
        });
        if clean {
            return Span {
                start,
                len: stripped.len() as u32,
                words: span.words.trimmed(),
            };
        }
        let mut out = String::with_capacity(stripped.len());
        for word in stripped.split(is_space).filter(|word| !word.is_empty()) {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
        self.add(&out)
    }

    /// The text without white space at its start.
    pub(crate) fn trimmed_start(&self, span: Span) -> Span {
        let left = (span.len as usize - self.str(span).trim_start_matches(is_space).len()) as u32;
        Span {
            start: span.start + left,
            len: span.len - left,
            words: span.words.trimmed_start(),
        }
    }

    /// The text without white space at its end.
    pub(crate) fn trimmed_end(&self, span: Span) -> Span {
        Span {
            start: span.start,
            len: self.str(span).trim_end_matches(is_space).len() as u32,
            words: span.words.trimmed_end(),
        }
    }

    /// Whether there is a text that is not only white space.
    pub(crate) fn has_chars(&self, span: Span) -> bool {
        !span.words.is_blank()
    }

    /// Gives an element its attributes.
    pub(crate) fn set_attrs(&mut self, id: Id, attrs: &[(Attr, Span)]) {
        let start = self.attrs.len() as u32;
        self.attrs.extend_from_slice(attrs);
        self.node_mut(id).attrs = (start, attrs.len() as u32);
    }

    /// Its attributes in their order.
    pub(crate) fn attrs(&self, id: Id) -> &[(Attr, Span)] {
        let (start, count) = self.node(id).attrs;
        &self.attrs[start as usize..(start + count) as usize]
    }

    /// Removes its attributes.
    pub(crate) fn clear_attrs(&mut self, id: Id) {
        self.node_mut(id).attrs = (0, 0);
    }

    /// An attribute of an element.
    pub(crate) fn attr(&self, id: Id, name: Attr) -> Option<&str> {
        self.attrs(id)
            .iter()
            .find(|(attr, _)| *attr == name)
            .map(|(_, value)| self.str(*value))
    }

    /// An attribute of an element as a span.
    pub(crate) fn attr_span(&self, id: Id, name: Attr) -> Option<Span> {
        self.attrs(id)
            .iter()
            .find(|(attr, _)| *attr == name)
            .map(|(_, value)| *value)
    }
}
