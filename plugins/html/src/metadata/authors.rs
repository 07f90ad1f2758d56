//! The authors of a page.

use super::{first_text, linked, metas, trim, without_tags};
use crate::clean::remove_matching;
use crate::dom::{Attr, Dom, Id, Tag};
use crate::parse::unescape;
use crate::select::value;
use serde_json::Value;

const NAMES: [&str; 17] = [
    "article:author",
    "atc-metaauthor",
    "author",
    "authors",
    "byl",
    "citation_author",
    "creator",
    "dc.creator",
    "dc.creator.aut",
    "dc:creator",
    "dcterms.creator",
    "dcterms.creator.aut",
    "dcsext.author",
    "parsely-author",
    "rbauthors",
    "sailthru.author",
    "shareaholic:article_author_name",
];

/// The names of the authors, with `; ` between them.
pub(crate) fn author(dom: &mut Dom, top: Id) -> Option<String> {
    let mut names = Names::default();
    for (key, content) in metas(dom, top) {
        if key.is_property(&["og:author", "og:article:author", "author", "article:author"])
            || key.is_name(&NAMES)
            || key.is_itemprop("author")
        {
            names.add(&content);
        }
    }
    // One word is rather the name of an account.
    let mut names = match names.joined() {
        Some(joined) if joined.contains(' ') => names,
        _ => Names::default(),
    };
    for article in linked::articles(dom, top) {
        for author in linked::list(article["author"].clone()) {
            let person = author
                .get("@type")
                .is_none_or(|kind| linked::list(kind.clone()).contains(&Value::from("Person")));
            let name = author.as_str().or(author["name"].as_str());
            if let Some(name) = name.filter(|_| person) {
                names.add(name);
            }
        }
    }
    names.joined().or_else(|| {
        let mut names = Names::default();
        names.add(&in_page(dom, top)?);
        names.joined()
    })
}

/// The text of an element that by its names has the author.
fn in_page(dom: &mut Dom, top: Id) -> Option<String> {
    let copy = dom.copy(top);
    remove_matching(dom, copy, |dom, id| {
        let (class, name) = (value(dom, id, Attr::Class), value(dom, id, Attr::Id));
        matches!(dom.tag(id), Tag::TIME | Tag::FIGURE)
            || (matches!(dom.tag(id), Tag::A | Tag::DIV | Tag::SECTION | Tag::SPAN)
                && (matches!(class, "comments" | "title" | "date")
                    || ["comments", "Comments"]
                        .iter()
                        .any(|start| class.starts_with(start))
                    || name.starts_with("comments")
                    || ["commentlist", "comment-list", "ProductReviews"]
                        .iter()
                        .any(|part| name.contains(part))
                    || [
                        "commentlist",
                        "comments-list",
                        "sidebar",
                        "is-hidden",
                        "quote",
                        "embedly-instagram",
                        "article-share",
                        "article-support",
                        "print",
                        "category",
                        "meta-date",
                        "meta-reviewer",
                    ]
                    .iter()
                    .any(|part| class.contains(part))
                    || value(dom, id, Attr::DataComponent).contains("Figure")))
    });
    let any = |text: &str, parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let surely = |dom: &Dom, id: Id| {
        dom.tag(id) == Tag::AUTHOR
            || (matches!(
                dom.tag(id),
                Tag::A | Tag::ADDRESS | Tag::DIV | Tag::LINK | Tag::P | Tag::SPAN | Tag::STRONG
            ) && (value(dom, id, Attr::Rel) == "author"
                || value(dom, id, Attr::Id) == "author"
                || value(dom, id, Attr::Class) == "author"
                || value(dom, id, Attr::Itemprop) == "author name"
                || matches!(value(dom, id, Attr::DataTestid), "AuthorCard" | "AuthorURL")
                || any(
                    value(dom, id, Attr::Class),
                    &["author-name", "authorname", "AuthorName", "authorName"],
                )))
    };
    let likely = |dom: &Dom, id: Id| {
        let class = value(dom, id, Attr::Class);
        matches!(
            dom.tag(id),
            Tag::A | Tag::DIV | Tag::H3 | Tag::H4 | Tag::P | Tag::SPAN
        ) && (matches!(class, "byline" | "username" | "byl" | "BBL")
            || value(dom, id, Attr::Itemprop).contains("author")
            || any(
                value(dom, id, Attr::Id),
                &["author", "zuozhe", "bianji", "xiaobian"],
            )
            || any(
                class,
                &[
                    "author",
                    "channel-name",
                    "zuozhe",
                    "bianji",
                    "xiaobian",
                    "submitted-by",
                    "posted-by",
                    "journalist-name",
                ],
            ))
    };
    let maybe = |dom: &Dom, id: Id| {
        value(dom, id, Attr::DataComponent).contains("Byline")
            || value(dom, id, Attr::Itemprop).contains("author")
            || any(value(dom, id, Attr::Id), &["author", "Author"])
            || any(
                value(dom, id, Attr::Class),
                &[
                    "author",
                    "Author",
                    "screenname",
                    "writer",
                    "byline",
                    "Byline",
                ],
            )
    };
    first_text(dom, copy, 120, &[&surely, &likely, &maybe])
}

/// Names without titles and addresses, each once.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn add(&mut self, text: &str) {
        let text = without_tags(&unescape(text));
        if text.to_lowercase().starts_with("http") || is_address(&text) {
            return;
        }
        let text = text.replace(" and ", ";").replace(" und ", ";");
        for name in text.split(['/', ';', ',', '|', '&']) {
            let name = clean(name);
            let long = name.chars().count() >= 50 && !name.contains([' ', '-']);
            if !name.is_empty() && !long && !self.0.contains(&name) {
                self.0.push(name);
            }
        }
    }

    fn joined(&self) -> Option<String> {
        let whole = |name: &&String| {
            !self
                .0
                .iter()
                .any(|other| other != *name && other.contains(name.as_str()))
        };
        let names: Vec<&str> = self.0.iter().filter(whole).map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join("; "))
    }
}

fn is_address(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| {
        word.split_once('@')
            .is_some_and(|(_, host)| host.contains('.'))
    })
}

/// A name without what is before and behind it.
fn clean(name: &str) -> String {
    let words = name
        .split_whitespace()
        .filter(|word| !word.contains('@'))
        .collect::<Vec<_>>()
        .join(" ");
    let mut name = trim(&words.replace(['.', '_', '+'], " "));
    name.retain(|c| !":()?*$#!%/<>{}~¿".contains(c));
    let lower = name.to_lowercase();
    for start in [
        "written by ",
        "words by ",
        "words ",
        "posted by ",
        "by ",
        "von ",
        "from ",
    ] {
        if lower.starts_with(start) && name.is_char_boundary(start.len()) {
            name = name[start.len()..].to_owned();
            break;
        }
    }
    if let Some(digit) = name.find(|c: char| c.is_ascii_digit())
        && digit + 1 < name.len()
    {
        name.truncate(digit);
    }
    for between in [
        " am ", " on ", " for ", " at ", " in ", " to ", " from ", " of ", " via ", " with ",
        " — ", " - ", " – ",
    ] {
        if let Some(at) = name.to_ascii_lowercase().find(between) {
            name.truncate(at);
        }
    }
    let name = name.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    match name.chars().next() {
        Some(first) if !first.is_uppercase() => title_case(&name),
        _ => name,
    }
}

fn title_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut inside = false;
    for c in name.chars() {
        match inside {
            true => out.extend(c.to_lowercase()),
            false => out.extend(c.to_uppercase()),
        }
        inside = c.is_alphabetic();
    }
    out
}
