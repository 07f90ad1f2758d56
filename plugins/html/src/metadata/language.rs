//! The language of a page.

use super::{Meta, metas};
use crate::dom::{Attr, Dom, Id, Tag};

/// The code of the language that a page names, as `en`: in its first element, or in its head.
pub(crate) fn language(dom: &Dom, top: Id) -> Option<String> {
    let html = Some(top).filter(|&id| dom.tag(id) == Tag::HTML);
    let attribute = html.and_then(|id| dom.attr(id, Attr::Lang).or(dom.attr(id, Attr::XmlLang)));
    attribute.and_then(code).or_else(|| {
        metas(dom, top).into_iter().find_map(|(key, content)| {
            let named = matches!(&key, Meta::HttpEquiv(name) if name == "content-language")
                || key.is_property(&["og:locale"])
                || key.is_name(&["language", "dc.language"]);
            named.then(|| code(&content))?
        })
    })
}

/// The language of a code such as `de-AT`, `zh_CN` or `en, fr`.
fn code(text: &str) -> Option<String> {
    let first = text
        .trim()
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()?;
    (2..=3)
        .contains(&first.len())
        .then(|| first.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read() {
        for (text, found) in [
            ("de-AT", Some("de")),
            (" EN_us", Some("en")),
            ("fr, en", Some("fr")),
            ("english", None),
            ("", None),
        ] {
            assert_eq!(code(text).as_deref(), found, "{text}");
        }
    }
}
