//! The title of a page.

use super::{first_text, linked, metas, trim};
use crate::dom::{Attr, Dom, Id, Tag, Tags};
use crate::rescue::block_text;
use crate::select::value;

const NAMES: [&str; 11] = [
    "citation_title",
    "dc.title",
    "dcterms.title",
    "fb_title",
    "headline",
    "parsely-title",
    "sailthru.title",
    "shareaholic:title",
    "rbtitle",
    "title",
    "twitter:title",
];

/// The title that a page names, or else that of its headings.
pub(crate) fn title(dom: &Dom, top: Id) -> Option<String> {
    let metas = metas(dom, top);
    let named = metas
        .iter()
        .rev()
        .find(|(key, _)| key.is_property(&["og:title"]))
        .or_else(|| {
            metas
                .iter()
                .find(|(key, _)| key.is_name(&NAMES) || key.is_itemprop("headline"))
        });
    if let Some((_, title)) = named {
        return Some(trim(title));
    }
    let described = linked::articles(dom, top).into_iter().find_map(|article| {
        let title = article["name"]
            .as_str()
            .filter(|_| article["@type"] == "Article")
            .or(article["headline"].as_str())?;
        Some(trim(title))
    });
    described
        .or_else(|| heading(dom, top))
        .filter(|title| !title.is_empty())
}

fn heading(dom: &Dom, top: Id) -> Option<String> {
    let filled = |id: &Id| Some(block_text(dom, *id)).filter(|text| !text.is_empty());
    let first = dom.find_all(top, Tags::of(&[Tag::H1]));
    if let [only] = &first[..]
        && let Some(title) = filled(only)
    {
        return Some(title);
    }
    let class = |dom: &Dom, id, part: &str| value(dom, id, Attr::Class).contains(part);
    let headlines = |dom: &Dom, id: Id| {
        matches!(dom.tag(id), Tag::H1 | Tag::H2)
            && ([
                "post-title",
                "entry-title",
                "article-title",
                "post__title",
                "headline",
            ]
            .iter()
            .any(|part| class(dom, id, part))
                || value(dom, id, Attr::Id).contains("headline")
                || value(dom, id, Attr::Itemprop).contains("headline"))
    };
    let entries =
        |dom: &Dom, id: Id| matches!(value(dom, id, Attr::Class), "entry-title" | "post-title");
    let titles = |dom: &Dom, id: Id| {
        matches!(dom.tag(id), Tag::H1 | Tag::H2 | Tag::H3)
            && (class(dom, id, "title") || value(dom, id, Attr::Id).contains("title"))
    };
    if let Some(title) = first_text(dom, top, 200, &[&headlines, &entries, &titles]) {
        return Some(title);
    }
    let whole = dom
        .find(top, Tag::HEAD)
        .and_then(|head| dom.find(head, Tag::TITLE))
        .map(|id| trim(&dom.texts(id).collect::<String>()))
        .unwrap_or_default();
    let parts = split(&whole).map(|(first, second)| [first, second]);
    let without_dots = parts
        .into_iter()
        .flatten()
        .chain([whole.as_str()])
        .find(|part| !part.is_empty() && !part.contains('.'));
    without_dots
        .map(str::to_owned)
        .or_else(|| first.iter().find_map(filled))
        .or_else(|| dom.find(top, Tag::H2).as_ref().and_then(filled))
        .or(Some(whole).filter(|_| !dom.contains(top, Tag::H2)))
}

/// The title and the name of the site, which a mark between spaces separates.
fn split(title: &str) -> Option<(&str, &str)> {
    let marks = |c: char| "–•·—|⁄*⋆~‹«<›»>:-".contains(c);
    title.char_indices().rev().find_map(|(at, c)| {
        let before = title[..at].strip_suffix(' ')?;
        let after = title[at + c.len_utf8()..].strip_prefix(' ')?;
        (marks(c) && !after.is_empty()).then_some((before, after))
    })
}
