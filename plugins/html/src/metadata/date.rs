//! The date of a page.

use super::{linked, metas};
use crate::dom::{Attr, Dom, Id, Tag};
use crate::select::value;

/// What `meta` elements call the date of publication.
const NAMES: [&str; 33] = [
    "article:published_time",
    "article.created",
    "article_date_original",
    "article.published",
    "bt:pubdate",
    "citation_date",
    "citation_publication_date",
    "created",
    "cxenseparse:recs:publishtime",
    "date",
    "date_published",
    "datecreated",
    "dateposted",
    "datepublished",
    "dc.date",
    "dc.created",
    "dc.date.created",
    "dc.date.issued",
    "dc.date.publication",
    "dc:created",
    "dc:date",
    "dcterms.created",
    "dcterms.date",
    "dcterms.issued",
    "dcsext.articlefirstpublished",
    "displaydate",
    "doc_date",
    "field-name-post-date",
    "og:published_time",
    "originalpublicationdate",
    "parsely-pub-date",
    "pubdate",
    "sailthru.date",
];

/// The date of publication that a page names, as `YYYY-MM-DD`. Dates in its text are not looked for.
pub(crate) fn date(dom: &Dom, top: Id) -> Option<String> {
    let named = metas(dom, top).into_iter().find_map(|(key, content)| {
        (key.is_property(&NAMES) || key.is_name(&NAMES) || key.is_itemprop("datepublished"))
            .then(|| day(&content))?
    });
    let described = || {
        linked::articles(dom, top)
            .iter()
            .find_map(|article| day(article["datePublished"].as_str()?))
    };
    let times = || {
        let marked = |id: &Id| {
            dom.attr(*id, Attr::PubDate).is_some()
                || value(dom, *id, Attr::Itemprop) == "datePublished"
                || value(dom, *id, Attr::Class).starts_with("entry-date")
        };
        let times = || dom.iter(top).filter(|&id| dom.tag(id) == Tag::TIME);
        let date = |id| day(value(dom, id, Attr::Datetime));
        times()
            .filter(marked)
            .find_map(date)
            .or_else(|| times().find_map(date))
    };
    named.or_else(described).or_else(times)
}

/// The day at the start of a text, if there is one: `2024-01-31`, also with a time behind it, or
/// `20240131`.
fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let (year, month, day) = match text.as_bytes() {
        [_, _, _, _, b'-' | b'/' | b'.', ..] => (text.get(..4)?, text.get(5..7)?, text.get(8..10)?),
        _ => (text.get(..4)?, text.get(4..6)?, text.get(6..8)?),
    };
    let number = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse::<u32>().ok())?
    };
    let (y, m, d) = (number(year)?, number(month)?, number(day)?);
    let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let most = match m {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    ((1995..=2100).contains(&y) && (1..=most).contains(&d)).then(|| format!("{year}-{month}-{day}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read() {
        for (text, found) in [
            ("2024-02-29T10:00:00Z", Some("2024-02-29")),
            (" 20231231", Some("2023-12-31")),
            ("2023/01/02 x", Some("2023-01-02")),
            ("2023-02-29", None),
            ("1970-01-01", None),
            ("31.12.2023", None),
            ("2023", None),
            ("", None),
        ] {
            assert_eq!(day(text).as_deref(), found, "{text}");
        }
    }
}
