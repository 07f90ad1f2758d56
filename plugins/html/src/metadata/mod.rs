//! What a page says about itself.

mod authors;
mod date;
mod language;
mod linked;
mod title;

pub(crate) use authors::author;
pub(crate) use date::date;
pub(crate) use language::language;
pub(crate) use title::title;

use crate::dom::{Attr, Dom, Id, Tag};
use djhost_sdk::text::{is_space, strip};

/// The text with single spaces.
fn trim(text: &str) -> String {
    let words: Vec<&str> = text
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// The text without what looks like tags.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let Some(close) = rest[open..].find('>') else {
            break;
        };
        out.push_str(&rest[..open]);
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    out
}

/// The `meta` elements of the head that have a content: what they are about, in lower case, and the
/// content.
fn metas(dom: &Dom, top: Id) -> Vec<(Meta, String)> {
    let heads = dom.descendants(top).filter(|&id| dom.tag(id) == Tag::HEAD);
    let metas = heads.flat_map(|head| dom.children(head)).filter_map(|id| {
        let content = dom
            .attr(id, Attr::Content)
            .filter(|_| dom.tag(id) == Tag::META)?;
        let key = [
            (Attr::Property, Meta::Property as fn(String) -> Meta),
            (Attr::Name, Meta::Name),
            (Attr::Itemprop, Meta::Itemprop),
            (Attr::HttpEquiv, Meta::HttpEquiv),
        ]
        .into_iter()
        .find_map(|(name, meta)| Some(meta(dom.attr(id, name)?.to_lowercase())))?;
        let content = without_tags(content);
        let content = strip(&content);
        (!content.is_empty()).then(|| (key, content.to_owned()))
    });
    metas.collect()
}

/// What a `meta` element is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meta {
    Property(String),
    Name(String),
    Itemprop(String),
    HttpEquiv(String),
}

impl Meta {
    fn is_property(&self, names: &[&str]) -> bool {
        matches!(self, Meta::Property(name) if names.contains(&name.as_str()))
    }

    fn is_name(&self, names: &[&str]) -> bool {
        matches!(self, Meta::Name(name) if names.contains(&name.as_str()))
    }

    fn is_itemprop(&self, name: &str) -> bool {
        matches!(self, Meta::Itemprop(found) if found == name)
    }
}

/// Whether an element may have what is looked for.
type Rule<'a> = &'a dyn Fn(&Dom, Id) -> bool;

/// The first element that one of the rules matches, rule by rule, whose text is longer than two
/// characters and shorter than `most`.
fn first_text(dom: &Dom, top: Id, most: usize, rules: &[Rule<'_>]) -> Option<String> {
    rules.iter().find_map(|rule| {
        dom.iter(top).filter(|&id| rule(dom, id)).find_map(|id| {
            let texts: Vec<&str> = dom.texts(id).collect();
            let text = trim(&texts.join(" "));
            (3..most).contains(&text.chars().count()).then_some(text)
        })
    })
}
