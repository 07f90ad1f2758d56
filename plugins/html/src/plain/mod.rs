//! All visible text of a page but navigation and the like, as resiliparse finds it.

mod main_content;
mod names;
mod write;

pub(crate) use main_content::MainContent;

use crate::dom::{Attr, Dom, Id, Span, Tag, Tags};
use crate::select::value;

/// Elements on lines of their own.
const BLOCKS: Tags = Tags::of(&[
    Tag::ADDRESS,
    Tag::ARTICLE,
    Tag::ASIDE,
    Tag::BLOCKQUOTE,
    Tag::BR,
    Tag::CENTER,
    Tag::DD,
    Tag::DETAILS,
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
    Tag::LI,
    Tag::MAIN,
    Tag::NAV,
    Tag::OL,
    Tag::P,
    Tag::PRE,
    Tag::SECTION,
    Tag::TABLE,
    Tag::UL,
    Tag::TR,
]);

/// Elements that are never text.
const SKIPPED: Tags = Tags::of(&[
    Tag::SCRIPT,
    Tag::STYLE,
    Tag::IFRAME,
    Tag::FRAME,
    Tag::TEMPLATE,
    Tag::NOSCRIPT,
    Tag::TEXTAREA,
    Tag::INPUT,
    Tag::BUTTON,
    Tag::SELECT,
    Tag::OPTION,
    Tag::LABEL,
]);

/// A piece of text and the element at whose start or end it begins.
#[derive(Debug, Default)]
struct Piece {
    tag: Option<Tag>,
    depth: usize,
    pre: usize,
    end: bool,
    /// It stands on lines of its own; a large one with an empty line before and behind it.
    block: bool,
    large: bool,
    /// Whether the space before it and the one behind the piece before are one.
    collapse: bool,
    text: Option<String>,
}

/// Appends the text of the page under `top`.
pub(crate) fn extract(dom: &Dom, top: Id, rules: &MainContent, out: &mut String) {
    let Some(body) = dom.find(top, Tag::BODY) else {
        return;
    };
    let root = only_main(dom, body).unwrap_or(body);
    let base = dom
        .ancestors(root)
        .take_while(|_| root != body)
        .position(|ancestor| ancestor == body)
        .map_or(0, |above| above + 1);
    let mut collector = Collector {
        dom,
        pieces: Vec::new(),
    };
    let mut depth = 0;
    let mut at = root;
    'open: loop {
        let kept = !SKIPPED.has(dom.tag(at)) && rules.is_main(dom, at, depth + base);
        let mut ended = !kept;
        if kept {
            collector.element(at, depth, false);
            if rules.is_text(dom.str(dom.text(at))) {
                collector.text(dom.text(at), depth + 1);
            }
            if let Some(child) = dom.first(at) {
                at = child;
                depth += 1;
                continue;
            }
            // An element without content has no end.
            ended = dom.text(at).is_empty();
        }
        loop {
            if !ended {
                collector.element(at, depth, true);
            }
            if at == root {
                break 'open;
            }
            if rules.is_text(dom.str(dom.tail(at))) {
                collector.text(dom.tail(at), depth);
            }
            if let Some(next) = dom.next(at) {
                at = next;
                continue 'open;
            }
            let Some(parent) = dom.parent(at) else {
                break 'open;
            };
            at = parent;
            depth -= 1;
            ended = false;
        }
    }
    write::write(&collector.pieces, out);
}

/// The part of the page that says that it is the main one, if just one does.
fn only_main(dom: &Dom, body: Id) -> Option<Id> {
    const CLASSES: [&str; 8] = [
        "article-body",
        "articleBody",
        "contentBody",
        "article-text",
        "main-content",
        "postcontent",
        "post-content",
        "single-post",
    ];
    let mut found = dom.descendants(body).filter(|&id| {
        !dom.attrs(id).is_empty()
            && (value(dom, id, Attr::Role) == "main"
                || value(dom, id, Attr::Class)
                    .split_ascii_whitespace()
                    .any(|class| CLASSES.contains(&class)))
    });
    let only = found.next()?;
    found.next().is_none().then_some(only)
}

struct Collector<'a> {
    dom: &'a Dom,
    pieces: Vec<Piece>,
}

impl Collector<'_> {
    /// Begins a piece if there must be one.
    fn begin(&mut self, tag: Option<Tag>, depth: usize, end: bool) -> &mut Piece {
        let block = tag.is_some_and(|tag| BLOCKS.has(tag));
        let last = self.pieces.last();
        // A cell begins one, too, so that its text stands apart.
        let cell = !end && matches!(tag, Some(Tag::TD | Tag::TH));
        if last.is_none_or(|last| depth < last.depth) || block || cell {
            let mut pre = last.map_or(0, |last| last.pre);
            if tag == Some(Tag::PRE) {
                pre = if end { pre.saturating_sub(1) } else { pre + 1 };
            }
            self.pieces.push(Piece {
                tag,
                depth,
                pre,
                end,
                block,
                large: matches!(tag, Some(Tag::P | Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4)),
                collapse: true,
                text: None,
            });
        }
        self.pieces.last_mut().expect("there is one now")
    }

    fn element(&mut self, id: Id, depth: usize, end: bool) {
        let tag = self.dom.tag(id);
        let alt = match tag {
            Tag::IMG | Tag::AREA => self.dom.attr_span(id, Attr::Alt),
            _ => None,
        };
        let alt = alt.map(|alt| self.dom.str(alt).to_owned());
        let piece = self.begin(Some(tag), depth, end);
        match tag {
            Tag::BR => {
                piece.text.get_or_insert_default();
                piece.collapse = false;
            }
            Tag::IMG | Tag::AREA => piece
                .text
                .get_or_insert_default()
                .push_str(&alt.unwrap_or_default()),
            _ => {}
        }
    }

    fn text(&mut self, text: Span, depth: usize) {
        let dom = self.dom;
        let piece = self.begin(None, depth, false);
        piece.text.get_or_insert_default().push_str(dom.str(text));
    }
}
