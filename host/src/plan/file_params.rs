//! Parameters of operators that name files, by the `format` in their schema.

use serde_json::{Map, Value};

/// What a parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Dir,
    File,
    /// A file or a directory, whichever it turns out to be.
    Path,
}

/// Returns the parameters at the top of a schema whose `format` is `read-dir`, `read-file` or
/// `read-path`, also in a choice of `anyOf` or in the items of a list.
pub(super) fn file_params(schema: &Value) -> Vec<(String, Names)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    // The schema of a plugin may refer to itself.
    let mut steps = 10_000;
    properties
        .into_iter()
        .flatten()
        .filter_map(|(name, p)| Some((name.clone(), named(schema, p, 0, &mut steps)?)))
        .collect()
}

fn named(root: &Value, schema: &Value, depth: usize, steps: &mut u32) -> Option<Names> {
    *steps = steps.checked_sub(1)?;
    if depth > 8 {
        return None;
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("read-dir") => return Some(Names::Dir),
        Some("read-file") => return Some(Names::File),
        Some("read-path") => return Some(Names::Path),
        _ => {}
    }
    let target = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|r| r.strip_prefix('#'))
        .and_then(|p| root.pointer(p));
    let choices = ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|k| schema.get(k)?.as_array())
        .flatten();
    target
        .into_iter()
        .chain(choices)
        .chain(schema.get("items"))
        .find_map(|s| named(root, s, depth + 1, steps))
}

/// Returns the texts given for a parameter with the place of each. Empty texts name nothing, and a
/// default grants nothing, since it comes from the plugin.
pub(super) fn texts<'a>(params: &'a Map<String, Value>, param: &str) -> Vec<(String, &'a str)> {
    let mut texts = match params.get(param) {
        Some(Value::String(one)) => vec![(param.to_owned(), one.as_str())],
        Some(Value::Array(several)) => several
            .iter()
            .enumerate()
            .filter_map(|(i, v)| Some((format!("{param}[{i}]"), v.as_str()?)))
            .collect(),
        _ => Vec::new(),
    };
    texts.retain(|(_, text)| !text.is_empty());
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_that_name_files() {
        let schema = json!({
            "properties": {
                "words": { "type": "string", "format": "read-file" },
                "lists": { "anyOf": [{ "type": "array", "items": { "$ref": "#/$defs/dir" } }, { "type": "null" }] },
                "model": { "type": ["string", "null"], "format": "read-path" },
                "n": { "type": "integer", "format": "uint64" },
                "circle": { "$ref": "#/properties/circle" },
                "nested": { "type": "object", "properties": { "words": { "type": "string", "format": "read-file" } } },
            },
            "$defs": { "dir": { "type": "string", "format": "read-dir" } },
        });
        let mut found = file_params(&schema);
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(
            found,
            [
                ("lists".to_owned(), Names::Dir),
                ("model".to_owned(), Names::Path),
                ("words".to_owned(), Names::File)
            ]
        );
        assert_eq!(file_params(&json!({})), []);
    }

    #[test]
    fn a_schema_with_many_circles_ends() {
        let choices: Vec<Value> = (0..200)
            .map(|_| json!({ "$ref": "#/properties/p" }))
            .collect();
        assert_eq!(
            file_params(&json!({ "properties": { "p": { "anyOf": choices } } })),
            []
        );
    }
}
