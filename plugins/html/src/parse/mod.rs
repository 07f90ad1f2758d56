//! From HTML to a tree, as libxml2 2.14 makes it: the tokens of HTML5, and its own rules on which
//! elements end which.

mod autoclose;
mod references;
mod tokens;
mod tree;

pub(crate) use references::unescape;

use crate::dom::{Attr, Dom, Id, Tag, Tags};
use djhost_sdk::text::is_space;
use std::borrow::Cow;

/// Elements nested deeper than this are left out; their texts and children go to the last one
/// above. libxml2 loses all that follows there.
pub(crate) const MAX_DEPTH: usize = 255;

/// The tree of a page: its `html` element. None if there is nothing in the page.
pub(crate) fn parse(dom: &mut Dom, html: &str) -> Option<Id> {
    let html = without_controls(html);
    let mut builder = tree::Builder::new(dom);
    tokens::read(&html, &mut builder);
    builder.finish()
}

/// The part of a page's tree that trafilatura looks at: of a text that does not begin like a page,
/// what is in its body. None if it is rather no HTML at all.
pub(crate) fn page(dom: &mut Dom, html: &str, root: Id) -> Option<Id> {
    let begins = |with: &[u8]| {
        let start = html.trim_start_matches(is_space).as_bytes();
        start
            .get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let root = if begins(b"<html") || begins(b"<!doctype") {
        root
    } else {
        inner(dom, root)
    };
    let start: String = html.chars().take(50).collect();
    let named = start.to_lowercase().contains("html");
    (named || dom.count_children(root, 2) == 2).then_some(root)
}

/// Builds the tree again that lies under `top`: its serialized form, read as a page.
pub(crate) fn reparse(dom: &mut Dom, top: Id) -> Option<Id> {
    enum Step {
        Open(Id),
        Close(Id),
    }
    let mut builder = tree::Builder::new(dom);
    let mut step = Step::Open(top);
    loop {
        step = match step {
            Step::Open(id) => {
                let dom = builder.dom();
                let (tag, text, child) = (dom.tag(id), dom.text(id), dom.first(id));
                let empty = text.is_empty() && child.is_none();
                builder.open_again(id, empty);
                if !empty && !tree::VOID.has(tag) {
                    builder.span(text);
                }
                match child {
                    Some(child) => Step::Open(child),
                    None => Step::Close(id),
                }
            }
            Step::Close(id) => {
                let dom = builder.dom();
                let (tag, tail) = (dom.tag(id), dom.tail(id));
                let (next, parent) = (dom.next(id), dom.parent(id));
                let empty = dom.text(id).is_empty() && dom.is_leaf(id);
                if !empty {
                    builder.end(tag);
                }
                if id == top {
                    break;
                }
                builder.span(tail);
                match (next, parent) {
                    (Some(next), _) => Step::Open(next),
                    (None, Some(parent)) => Step::Close(parent),
                    (None, None) => break,
                }
            }
        };
    }
    let root = builder.finish()?;
    Some(inner(dom, root))
}

/// What lxml returns for a page that does not begin like one: an only element, or its body.
fn inner(dom: &mut Dom, root: Id) -> Id {
    let find = |dom: &Dom, tag| dom.children(root).find(|&id| dom.tag(id) == tag);
    if find(dom, Tag::HEAD).is_some() {
        return root;
    }
    let Some(body) = find(dom, Tag::BODY) else {
        return root;
    };
    if let Some(only) = dom.first(body)
        && dom.next(only).is_none()
        && !dom.has_chars(dom.text(body))
        && !dom.has_chars(dom.tail(only))
    {
        dom.detach(only);
        return only;
    }
    let block = dom.descendants(body).any(|id| BLOCK.has(dom.tag(id)));
    dom.set_tag(body, if block { Tag::DIV } else { Tag::SPAN });
    dom.detach(body);
    body
}

/// Elements that make lxml call a fragment a `div`.
const BLOCK: Tags = Tags::of(&[
    Tag::ADDRESS,
    Tag::ARTICLE,
    Tag::ASIDE,
    Tag::BLOCKQUOTE,
    Tag::CENTER,
    Tag::DETAILS,
    Tag::DIALOG,
    Tag::DD,
    Tag::DIR,
    Tag::DIV,
    Tag::DL,
    Tag::DT,
    Tag::FIELDSET,
    Tag::FIGCAPTION,
    Tag::FIGURE,
    Tag::FOOTER,
    Tag::FORM,
    Tag::H1,
    Tag::H2,
    Tag::H3,
    Tag::H4,
    Tag::H5,
    Tag::H6,
    Tag::HEADER,
    Tag::HGROUP,
    Tag::HR,
    Tag::ISINDEX,
    Tag::LI,
    Tag::MAIN,
    Tag::MENU,
    Tag::NAV,
    Tag::NOSCRIPT,
    Tag::OL,
    Tag::P,
    Tag::PRE,
    Tag::SECTION,
    Tag::TABLE,
    Tag::UL,
    Tag::TBODY,
    Tag::TD,
    Tag::TFOOT,
    Tag::TH,
    Tag::THEAD,
    Tag::TR,
]);

/// The page without the characters that XML forbids.
fn without_controls(html: &str) -> Cow<'_, str> {
    let forbidden = |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    if html.contains(forbidden) {
        html.replace(forbidden, "").into()
    } else {
        html.into()
    }
}

/// Takes what the tokenizer finds.
trait Sink {
    /// A start tag. `closed`: it ends with `/>`. Returns how what follows is to be read.
    fn start(&mut self, name: &str, attrs: &mut Vec<(Attr, String)>, closed: bool) -> Content;
    /// An end tag.
    fn end_name(&mut self, name: &str);
    /// A text with its references resolved.
    fn text(&mut self, text: &str);
}

/// How the content of an element is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Markup,
    /// Up to the end tag, with references.
    Text,
    /// Up to the end tag, as it stands.
    Raw,
    /// Everything.
    Rest,
}
