//! Articles that a page describes as JSON for search engines.

use crate::dom::{Attr, Dom, Id, Tag};
use crate::rescue::json;
use serde_json::Value;

/// The descriptions of articles in a page, in their order.
pub(super) fn articles(dom: &Dom, top: Id) -> Vec<Value> {
    const KINDS: [&str; 10] = [
        "article",
        "backgroundnewsarticle",
        "blogposting",
        "medicalscholarlyarticle",
        "newsarticle",
        "opinionnewsarticle",
        "reportagenewsarticle",
        "scholarlyarticle",
        "socialmediaposting",
        "liveblogposting",
    ];
    let scripts = dom.descendants(top).filter(|&id| {
        dom.tag(id) == Tag::SCRIPT
            && matches!(
                dom.attr(id, Attr::Type),
                Some("application/ld+json" | "application/settings+json")
            )
    });
    let values = scripts.filter_map(|id| json(dom.str(dom.text(id))));
    let mut found = Vec::new();
    for value in values.flat_map(list) {
        let linked = value["@context"]
            .as_str()
            .is_some_and(|context| context.to_ascii_lowercase().contains("://schema.org"));
        if !linked {
            continue;
        }
        let parts = match value.get("@graph") {
            Some(graph) => list(graph.clone()),
            None => vec![value],
        };
        found.extend(parts.into_iter().filter(|part| {
            list(part["@type"].clone()).iter().any(|kind| {
                kind.as_str()
                    .is_some_and(|kind| KINDS.contains(&kind.to_ascii_lowercase().as_str()))
            })
        }));
    }
    found
}

/// The value, or those of a list.
pub(super) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values,
        value => vec![value],
    }
}
