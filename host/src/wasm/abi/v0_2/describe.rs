//! Checks what a component says about its operators.

use serde_json::Value;

use super::types;
use crate::sanitize::printable;
use crate::wasm::contract::{Cost, Descriptor, Kind, Matching, Needs, Traits};

/// Limits of operators per component, and of the sizes of their descriptions: far above any honest
/// ones.
const MAX_OPS: usize = 1000;
const MAX_SCHEMA: usize = 1 << 20;
const MAX_TEXT: usize = 4096;
const MAX_NAME: usize = 64;
/// What contract 0.1 says in the schema, and 0.2 in the descriptor or the signature.
const UNTYPED: [(&str, &str); 9] = [
    ("x-groups", "the kind `grouper`"),
    ("x-whole-rows", "`whole-rows` in the signature"),
    ("x-hamming-distance", "the matching `hamming`"),
    ("x-counts-keys", "the matching `counted`"),
    ("x-seen-keys", "the matching `seen`"),
    ("x-wanted-stats", "the trait `leaves-out-stats`"),
    ("x-drop-reasons", "the trait `gives-drop-reasons`"),
    ("x-clusters", "the trait `takes-clusters`"),
    ("x-json-constants", "the trait `json-constants`"),
];

/// Of an operator that can do nothing beyond its kind.
pub(crate) const NO_TRAITS: types::Traits = types::Traits {
    leaves_out_stats: false,
    gives_drop_reasons: false,
    takes_clusters: false,
    json_constants: false,
};

type Checked<T> = Result<T, String>;

/// Checks each descriptor, and that names are unique. `typed`: the component is of 0.2, and says by
/// types what 0.1 says in the schema.
pub(crate) fn describe(
    descriptors: Vec<types::Descriptor>,
    typed: bool,
) -> Checked<Vec<Descriptor>> {
    if descriptors.is_empty() || descriptors.len() > MAX_OPS {
        return Err(format!(
            "the component describes {} operators; 1 to {MAX_OPS} are allowed",
            descriptors.len()
        ));
    }
    let mut checked: Vec<Descriptor> = Vec::with_capacity(descriptors.len());
    for d in descriptors {
        let d = descriptor(d, typed)?;
        if checked.iter().any(|c| c.name == d.name) {
            return Err(format!(
                "the component describes operator `{}` twice",
                d.name
            ));
        }
        checked.push(d);
    }
    Ok(checked)
}

fn descriptor(d: types::Descriptor, typed: bool) -> Checked<Descriptor> {
    if !is_op_name(&d.name) {
        let shown: String = d.name.chars().take(80).collect();
        return Err(format!(
            "`{}` is not an operator name: lower-case letters, digits and `_`, at most {MAX_NAME}, a letter first",
            shown.escape_debug()
        ));
    }
    if d.summary.len() > MAX_TEXT || d.params_schema.len() > MAX_SCHEMA {
        return Err(format!(
            "operator `{}` describes itself at too great a length",
            d.name
        ));
    }
    let params_schema: Value = serde_json::from_str(&d.params_schema).map_err(|e| {
        format!(
            "the parameter schema of operator `{}` is not JSON: {e}",
            d.name
        )
    })?;
    if !params_schema.is_object() {
        return Err(format!(
            "the parameter schema of operator `{}` is not a JSON object",
            d.name
        ));
    }
    if typed {
        check_typed(&d, &params_schema)?;
    }
    let (kind, matching) = match d.kind {
        types::Kind::Filter => (Kind::Filter, None),
        types::Kind::Mapper => (Kind::Mapper, None),
        types::Kind::Deduplicator(matching) => (Kind::Deduplicator, Some(matching)),
        types::Kind::Selector => (Kind::Selector, None),
        types::Kind::Grouper => (Kind::Grouper, None),
    };
    Ok(Descriptor {
        name: d.name,
        kind,
        summary: printable(&d.summary),
        params_schema,
        cost: match d.cost {
            types::Cost::Light => Cost::Light,
            types::Cost::Medium => Cost::Medium,
            types::Cost::Heavy => Cost::Heavy,
        },
        matching: matching.map(|matching| match matching {
            types::Matching::Equal => Matching::Equal,
            types::Matching::Hamming(parameter) => Matching::Hamming(parameter),
            types::Matching::Counted => Matching::Counted,
            types::Matching::Seen => Matching::Seen,
        }),
        traits: Traits {
            leaves_out_stats: d.traits.leaves_out_stats,
            gives_drop_reasons: d.traits.gives_drop_reasons,
            takes_clusters: d.traits.takes_clusters,
            json_constants: d.traits.json_constants,
        },
        needs: Needs {
            media: d.needs.media,
            files: d.needs.files,
            models: d.needs.models,
        },
    })
}

fn is_op_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Refuses what would silently have no effect: keys of 0.1, traits of another kind of operator, and
/// parameters that need what the operator does not.
fn check_typed(d: &types::Descriptor, schema: &Value) -> Checked<()> {
    let wrong = |what: String| Err(format!("operator `{}` {what}", d.name));
    if let Some((key, typed)) = UNTYPED.iter().find(|(key, _)| schema.get(key).is_some()) {
        return wrong(format!(
            "has `{key}` in its parameter schema, as in contract 0.1: in 0.2 that is {typed}"
        ));
    }
    if schema.get("x-reads-media").is_some() {
        return wrong("has `x-reads-media` in its parameter schema, as in contract 0.1: in 0.2 that is the need `media`".into());
    }
    let by_fingerprints = matches!(
        d.kind,
        types::Kind::Deduplicator(types::Matching::Equal | types::Matching::Hamming(_))
    );
    let is_filter = matches!(d.kind, types::Kind::Filter);
    let is_mapper = matches!(d.kind, types::Kind::Mapper);
    for (what, name, fits, of) in [
        (
            d.traits.leaves_out_stats,
            "leaves-out-stats",
            is_filter,
            "a filter",
        ),
        (
            d.traits.gives_drop_reasons,
            "gives-drop-reasons",
            is_mapper,
            "a mapper",
        ),
        (
            d.traits.takes_clusters,
            "takes-clusters",
            by_fingerprints,
            "a deduplicator by fingerprints",
        ),
    ] {
        if what && !fits {
            return wrong(format!("has the trait `{name}`, which only {of} can have"));
        }
    }
    let needs = needs_of(schema);
    if needs.files && !d.needs.files {
        return wrong("has parameters that name files, and does not need `files`".into());
    }
    if needs.models && !d.needs.models {
        return wrong("has parameters that name models, and does not need `models`".into());
    }
    Ok(())
}

/// What an operator with such parameters needs.
pub(crate) fn needs_of(schema: &Value) -> types::Needs {
    let mut needs = types::Needs {
        media: false,
        files: false,
        models: false,
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    for (_, property) in properties.into_iter().flatten() {
        let formats = [&property["format"], &property["items"]["format"]];
        for format in formats.into_iter().filter_map(Value::as_str) {
            match format {
                "read-file" | "read-dir" | "read-path" => needs.files = true,
                "model" => needs.models = true,
                _ => {}
            }
        }
    }
    needs
}
