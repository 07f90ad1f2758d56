//! Texts that pages carry as JSON for search engines.

use crate::dom::{Attr, Dom, Id, Tag};
use crate::parse::{parse, unescape};
use djhost_sdk::text::is_space;
use serde_json::Value;

/// Values within values deeper than this are not looked at.
const MAX_DEPTH: usize = 16;

/// The full texts in a page's JSON, and the descriptions of products and videos.
pub(super) fn texts(dom: &Dom, top: Id) -> (Vec<String>, Vec<String>) {
    const HOOKS: [&str; 7] = [
        "articleBody",
        "reviewBody",
        "recipeInstructions",
        "acceptedAnswer",
        "\"Product\"",
        "\"VideoObject\"",
        "\"HowTo\"",
    ];
    let (mut bodies, mut teasers) = (Vec::new(), Vec::new());
    for id in dom.descendants(top) {
        if dom.tag(id) == Tag::SCRIPT && dom.attr(id, Attr::Type) == Some("application/ld+json") {
            let text = dom.str(dom.text(id));
            if HOOKS.iter().any(|hook| text.contains(hook))
                && let Some(value) = json(text)
            {
                walk(&value, 0, &mut bodies, &mut teasers);
            }
        }
    }
    (bodies, teasers)
}

/// Reads JSON, in whose strings line ends may stand as they are.
pub(crate) fn json(text: &str) -> Option<Value> {
    serde_json::from_str(&text.replace(|c: char| c < ' ', " ")).ok()
}

/// The value, or those of a list.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}

fn walk(value: &Value, depth: usize, bodies: &mut Vec<String>, teasers: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        return;
    }
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    for item in each(value).iter().filter(|item| item.is_object()) {
        for key in ["articleBody", "reviewBody"] {
            bodies.extend(text(item, key).filter(|text| !text.is_empty()));
        }
        for step in ["recipeInstructions", "step"]
            .iter()
            .flat_map(|key| each(&item[*key]))
        {
            match step {
                Value::String(step) => bodies.push(step.clone()),
                Value::Object(_) => {
                    bodies.extend(text(step, "text"));
                    bodies.extend(
                        each(&step["itemListElement"])
                            .iter()
                            .filter_map(|sub| text(sub, "text")),
                    );
                }
                _ => {}
            }
        }
        bodies.extend(text(&item["acceptedAnswer"], "text"));
        let kind = item["@type"].to_string();
        if ["Product", "VideoObject"]
            .iter()
            .any(|name| kind.contains(name))
        {
            teasers.extend(text(item, "description"));
        }
        for container in ["@graph", "mainEntity"] {
            walk(&item[container], depth + 1, bodies, teasers);
        }
    }
}

/// The clean text of a value that may be HTML.
pub(super) fn render(raw: &str) -> String {
    let raw = unescape(raw);
    let marked = raw.match_indices('<').any(|(at, _)| {
        raw[at + 1..]
            .trim_start_matches('/')
            .starts_with(|c: char| c.is_ascii_alphabetic())
    });
    if marked && raw.contains('>') {
        let mut dom = Dom::default();
        if let Some(root) = parse(&mut dom, &format!("<html><body><div>{raw}</div>")) {
            return super::baseline::block_text(&dom, root);
        }
    }
    let words: Vec<&str> = raw
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}
