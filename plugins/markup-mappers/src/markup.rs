//! Writes tags and texts as Beautiful Soup does.

use crate::soup::{Attributes, resolve};
use djhost_sdk::text::{is_space, lower_into};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Appends a text with `&`, `<` and `>` as references.
pub(crate) fn push_escaped(text: &str, out: &mut String) {
    let mut done = 0;
    for (at, b) in text.bytes().enumerate() {
        let name = match b {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => continue,
        };
        out.push_str(&text[done..at]);
        out.push_str(name);
        done = at + 1;
    }
    out.push_str(&text[done..]);
}

/// Appends the attributes of an element, sorted by name. The last of equal names counts.
pub(crate) fn push_attributes(element: &str, attributes: Attributes<'_>, out: &mut String) {
    let mut all = BTreeMap::new();
    for (name, value) in attributes {
        let mut lower = String::with_capacity(name.len());
        lower_into(name, &mut lower);
        let mut resolved = String::new();
        resolve(value.unwrap_or_default(), &mut resolved);
        all.insert(lower, resolved);
    }
    if element == "meta" {
        name_encoding(&mut all);
    }
    let mut escaped = String::new();
    for (name, value) in &all {
        let mut value = Cow::Borrowed(value.as_str());
        if is_list(element, name) {
            value = value
                .split(is_space)
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
                .into();
        }
        escaped.clear();
        push_escaped(&value, &mut escaped);
        let mut mark = "\"";
        if escaped.contains('"') {
            match escaped.contains('\'') {
                true => escaped = escaped.replace('"', "&quot;"),
                false => mark = "'",
            }
        }
        out.extend([" ", name, "=", mark, &escaped, mark]);
    }
}

/// Whether Beautiful Soup takes the value for a list of words, which it separates by one space.
fn is_list(element: &str, attribute: &str) -> bool {
    match attribute {
        "class" | "accesskey" | "dropzone" => true,
        "rel" => matches!(element, "a" | "link" | "area"),
        "rev" => matches!(element, "a" | "link"),
        "headers" => matches!(element, "td" | "th"),
        "accept-charset" => element == "form",
        "archive" => element == "object",
        "sizes" => element == "icon",
        "sandbox" => element == "iframe",
        "for" => element == "output",
        _ => false,
    }
}

/// Replaces the encoding in a `meta` element with UTF-8.
fn name_encoding(attributes: &mut BTreeMap<String, String>) {
    if let Some(charset) = attributes.get_mut("charset") {
        *charset = "utf-8".into();
        return;
    }
    let is_type = attributes
        .get("http-equiv")
        .is_some_and(|name| name.eq_ignore_ascii_case("content-type"));
    let Some(content) = attributes.get_mut("content").filter(|_| is_type) else {
        return;
    };
    let mut named = String::new();
    let mut at = 0;
    while at < content.len() {
        let rest = &content[at..];
        let line = at == 0 || content.as_bytes()[at - 1] == b'\n';
        let behind = |rest: &str| {
            rest.trim_start_matches(is_space)
                .strip_prefix("charset=")
                .map(str::len)
        };
        let found = line
            .then(|| behind(rest))
            .flatten()
            .or_else(|| rest.strip_prefix(';').and_then(behind));
        match found {
            Some(after) => {
                let value = content.len() - after;
                named.extend([&content[at..value], "utf-8"]);
                at = value + content[value..].find(';').unwrap_or(after);
            }
            None => {
                named.extend(rest.chars().next());
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
    }
    *content = named;
}
