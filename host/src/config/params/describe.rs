//! What a schema allows: for the choice of a type, and in words for messages.

use serde_json::{Map, Value};

use super::scalar::plain;
use super::{MAX_DEPTH, Schema};

impl<'a> Schema<'a> {
    /// Returns what the references of `schema` lead to.
    pub(super) fn follow(&self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        for _ in 0..MAX_DEPTH {
            let target = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix('#'))
                .and_then(|p| self.root.pointer(p));
            match target {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    /// Returns the types that a schema allows, those of its choices included.
    pub(super) fn types(&self, schema: &'a Value, depth: usize) -> Vec<&'a str> {
        let schema = self.follow(schema);
        let mut types = match schema.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if depth < MAX_DEPTH && types.is_empty() && self.step() {
            let choices = ["anyOf", "oneOf"]
                .iter()
                .filter_map(|k| schema.get(k)?.as_array())
                .flatten();
            types.extend(choices.flat_map(|c| self.types(c, depth + 1)));
        }
        types
    }

    /// Returns what a schema asks for: `a whole number of at least 0`.
    pub(super) fn describe(&self, schema: &'a Value, depth: usize) -> String {
        let schema = self.follow(schema);
        let Some(keywords) = schema.as_object().filter(|_| depth < 8 && self.step()) else {
            return "any value".into();
        };
        if let Some(valid) = keywords.get("enum").and_then(Value::as_array) {
            return valid
                .iter()
                .map(|v| format!("`{}`", plain(v)))
                .collect::<Vec<_>>()
                .join(" | ");
        }
        if let Some(constant) = keywords.get("const") {
            return format!("`{}`", plain(constant));
        }
        let choices: Vec<&Value> = ["anyOf", "oneOf"]
            .iter()
            .filter_map(|k| keywords.get(*k)?.as_array())
            .flatten()
            .collect();
        if !choices.is_empty() {
            return choices
                .iter()
                .map(|c| self.describe(c, depth + 1))
                .collect::<Vec<_>>()
                .join(" or ");
        }
        let one = |kind: &&str| match *kind {
            "integer" => format!("a whole number{}", bounds_text(keywords)),
            "number" => format!("a number{}", bounds_text(keywords)),
            "boolean" => "true or false".into(),
            "string" => format!("a text{}", length_text(keywords, "Length", "characters")),
            "null" => "null".into(),
            "object" => "a mapping".into(),
            "array" => {
                let of = match keywords.get("items") {
                    Some(items @ Value::Object(_)) => {
                        format!(" (each {})", self.describe(items, depth + 1))
                    }
                    _ => String::new(),
                };
                format!("a list{}{of}", length_text(keywords, "Items", "entries"))
            }
            other => format!("a value of type `{other}`"),
        };
        let types = self.types(schema, 0);
        if types.is_empty() {
            "any value".into()
        } else {
            types.iter().map(one).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn bounds_text(keywords: &Map<String, Value>) -> String {
    let parts: Vec<String> = [
        ("minimum", "of at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "of at most"),
        ("exclusiveMaximum", "below"),
    ]
    .iter()
    .filter_map(|(key, word)| Some(format!("{word} {}", keywords.get(*key)?)))
    .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" {}", parts.join(" and "))
    }
}

fn length_text(keywords: &Map<String, Value>, what: &str, unit: &str) -> String {
    let bound = |end: &str| {
        keywords
            .get(&format!("{end}{what}"))
            .and_then(Value::as_u64)
    };
    match (bound("min"), bound("max")) {
        (Some(a), Some(b)) if a == b => format!(" of {a} {unit}"),
        (Some(a), Some(b)) => format!(" of {a} to {b} {unit}"),
        (Some(a), None) => format!(" of at least {a} {unit}"),
        (None, Some(b)) => format!(" of at most {b} {unit}"),
        (None, None) => String::new(),
    }
}
