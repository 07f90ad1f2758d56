//! What the names of classes and ids tell about an element.

mod content;
mod discard;
mod names;

use crate::dom::{Attr, Dom, Id, Tag, Tags};
use names::Names;

/// The patterns of all rules, built once.
#[derive(Debug)]
pub(crate) struct Rules {
    article_id: Names,
    article_class: Names,
    story_id: Names,
    story_class: Names,
    full_text: Names,
    main_id: Names,
    main_class: Names,
    discard_id: Names,
    discard_class: Names,
    notice_class: Names,
    consent: Names,
    pub(crate) unlikely: Names,
    pub(crate) maybe: Names,
    pub(crate) positive: Names,
    pub(crate) negative: Names,
}

impl Rules {
    pub(crate) fn new() -> Self {
        Self {
            article_id: Names::new(content::ARTICLE_ID),
            article_class: Names::new(content::ARTICLE_CLASS),
            story_id: Names::new(content::STORY_ID),
            story_class: Names::new(content::STORY_CLASS),
            full_text: Names::any_case(&["fulltext"]),
            main_id: Names::new(content::MAIN_ID),
            main_class: Names::new(content::MAIN_CLASS),
            discard_id: Names::new(&[discard::BOTH, discard::ID].concat()),
            discard_class: Names::new(&[discard::BOTH, discard::CLASS].concat()),
            notice_class: Names::new(discard::NOTICE_CLASS),
            consent: Names::any_case(&discard::consent()),
            unlikely: Names::new(content::UNLIKELY),
            maybe: Names::new(content::MAYBE),
            positive: Names::any_case(content::POSITIVE),
            negative: Names::any_case(content::NEGATIVE),
        }
    }
}

/// An attribute, or nothing.
pub(crate) fn value(dom: &Dom, id: Id, name: Attr) -> &str {
    dom.attr(id, name).unwrap_or_default()
}

/// That of two attributes that stands first in the tag.
fn first_of(dom: &Dom, id: Id, one: Attr, other: Attr) -> &str {
    dom.attrs(id)
        .iter()
        .find(|(name, _)| *name == one || *name == other)
        .map_or("", |(_, value)| dom.str(*value))
}

/// Whether `text` contains `part`, of which the letters `upper` may be upper case.
fn contains_folded(text: &str, part: &str, upper: &[u8]) -> bool {
    let same = |a: u8, b: u8| a == b || (upper.contains(&a) && a.to_ascii_lowercase() == b);
    text.as_bytes().windows(part.len()).any(|window| {
        window
            .iter()
            .zip(part.as_bytes())
            .all(|(&a, &b)| same(a, b))
    })
}

const SECTIONS: Tags = Tags::of(&[Tag::ARTICLE, Tag::DIV, Tag::MAIN, Tag::SECTION]);
const CONTAINERS: Tags = Tags::of(&[
    Tag::DIV,
    Tag::ITEM,
    Tag::LIST,
    Tag::P,
    Tag::SECTION,
    Tag::SPAN,
]);

/// Whether it is the caption of an image by its name.
pub(crate) fn is_caption(dom: &Dom, id: Id) -> bool {
    CONTAINERS.has(dom.tag(id))
        && (value(dom, id, Attr::Id).contains("caption")
            || value(dom, id, Attr::Class).contains("caption"))
}
