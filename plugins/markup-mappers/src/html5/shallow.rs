//! Keeps the tree shallow, because the parser's work for a tag grows with the depth.

use super::tree::{Handle, Tree};
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::TreeBuilder;
use html5ever::{LocalName, local_name};
use std::cell::RefCell;

/// Below this depth, elements that do not affect the text are left out. No page for people comes
/// near.
const DEPTH: u32 = 1000;

/// Filters tags before the parser's tree builder.
pub(super) struct Shallow {
    builder: TreeBuilder<Handle, Tree>,
    /// The names of elements that were left out and are still open.
    left_out: RefCell<Vec<LocalName>>,
}

impl Shallow {
    pub(super) fn new(builder: TreeBuilder<Handle, Tree>) -> Self {
        Self {
            builder,
            left_out: RefCell::default(),
        }
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.builder.sink
    }

    /// Whether the tag is to be left out.
    fn leaves_out(&self, tag: &Tag) -> bool {
        let mut left_out = self.left_out.borrow_mut();
        if self.tree().depth() < DEPTH {
            left_out.clear();
            return false;
        }
        match tag.kind {
            TagKind::StartTag => {
                let foreign = self
                    .builder
                    .adjusted_current_node_present_but_not_in_html_namespace();
                let leave_out = if foreign {
                    is_plain_in_foreign(tag)
                } else {
                    is_plain(&tag.name)
                };
                if leave_out && !(foreign && tag.self_closing) {
                    left_out.push(tag.name.clone());
                }
                leave_out
            }
            TagKind::EndTag if left_out.last() == Some(&tag.name) => left_out.pop().is_some(),
            // It closes nothing, or an element so deep that it must stay open until the end of the
            // text.
            TagKind::EndTag => is_plain(&tag.name) && !left_out.is_empty(),
        }
    }
}

impl TokenSink for Shallow {
    type Handle = Handle;

    fn process_token(&self, token: Token, line_number: u64) -> TokenSinkResult<Handle> {
        match &token {
            Token::TagToken(tag) if self.leaves_out(tag) => return TokenSinkResult::Continue,
            // The builder would take it for the token after a `<pre>`, and keep a line feed.
            Token::ParseError(_) => return TokenSinkResult::Continue,
            _ => {}
        }
        self.builder.process_token(token, line_number)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Whether a page has the same text without the element. False for those that the standard treats
/// specially beyond where they end.
fn is_plain(name: &LocalName) -> bool {
    !matches!(
        *name,
        local_name!("html")
            | local_name!("head")
            | local_name!("body")
            | local_name!("frameset")
            | local_name!("frame")
            | local_name!("base")
            | local_name!("basefont")
            | local_name!("bgsound")
            | local_name!("link")
            | local_name!("meta")
            | local_name!("title")
            | local_name!("style")
            | local_name!("script")
            | local_name!("noscript")
            | local_name!("noframes")
            | local_name!("noembed")
            | local_name!("iframe")
            | local_name!("xmp")
            | local_name!("textarea")
            | local_name!("plaintext")
            | local_name!("template")
            | local_name!("pre")
            | local_name!("listing")
            | local_name!("form")
            | local_name!("p")
            | local_name!("table")
            | local_name!("caption")
            | local_name!("colgroup")
            | local_name!("col")
            | local_name!("tbody")
            | local_name!("thead")
            | local_name!("tfoot")
            | local_name!("tr")
            | local_name!("td")
            | local_name!("th")
            | local_name!("select")
            | local_name!("option")
            | local_name!("optgroup")
            | local_name!("input")
            | local_name!("keygen")
            | local_name!("button")
            | local_name!("applet")
            | local_name!("marquee")
            | local_name!("object")
            | local_name!("area")
            | local_name!("br")
            | local_name!("embed")
            | local_name!("img")
            | local_name!("image")
            | local_name!("wbr")
            | local_name!("hr")
            | local_name!("param")
            | local_name!("source")
            | local_name!("track")
            | local_name!("math")
            | local_name!("svg")
    )
}

/// The same within SVG and MathML, where names of HTML elements lead out again.
fn is_plain_in_foreign(tag: &Tag) -> bool {
    matches!(
        tag.name,
        local_name!("svg") | local_name!("g") | local_name!("math") | local_name!("mrow")
    ) || is_unknown(&tag.name)
}

/// Names from neither HTML nor SVG nor MathML: they are no static atoms.
fn is_unknown(name: &LocalName) -> bool {
    LocalName::try_static(name).is_none()
}
