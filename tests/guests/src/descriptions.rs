//! The component's descriptions of itself.

use crate::bindings::djhost::op::types::{Cost, Descriptor, Kind};
use crate::disasters;

const SCHEMA: &str = r#"{"type":"object","properties":{
    "how":{"type":"string","default":"behave","description":"What it does wrong"},
    "words":{"type":"string","format":"read-file","default":"secret.txt","description":"A file to read"},
    "folders":{"type":"array","items":{"type":"string","format":"read-dir"},"default":["hidden"],"description":"Directories to read"}}}"#;

fn op(name: impl Into<String>, kind: Kind) -> Descriptor {
    Descriptor {
        name: name.into(),
        kind,
        summary: "Does something wrong".into(),
        params_schema: SCHEMA.into(),
        cost: Cost::Light,
    }
}

fn with_schema(schema: String) -> Vec<Descriptor> {
    vec![Descriptor {
        params_schema: schema,
        ..op("rogue_filter", Kind::Filter)
    }]
}

/// The descriptions in mode `mode`; `honest` are those that the other tests use.
pub(crate) fn all(mode: &str) -> Vec<Descriptor> {
    match mode {
        "honest" | "cured" => vec![
            op("rogue_filter", Kind::Filter),
            op("rogue_mapper", Kind::Mapper),
            op("rogue_deduplicator", Kind::Deduplicator),
            op("rogue_selector", Kind::Selector),
        ],
        "media" => with_schema(SCHEMA.replacen('{', r#"{"x-reads-media":true,"#, 1)),
        // `how` is not a number of bits.
        "hamming" => {
            let params_schema = SCHEMA.replacen('{', r#"{"x-hamming-distance":"how","#, 1);
            vec![Descriptor {
                params_schema,
                ..op("rogue_deduplicator", Kind::Deduplicator)
            }]
        }
        "none" => Vec::new(),
        "thousand" => (0..1000)
            .map(|i| op(format!("rogue_{i}"), Kind::Filter))
            .collect(),
        "many" => (0..1001)
            .map(|i| op(format!("rogue_{i}"), Kind::Filter))
            .collect(),
        "giant" => (0..60)
            .map(|i| Descriptor {
                summary: "x".repeat(1 << 20),
                ..op(format!("rogue_{i}"), Kind::Filter)
            })
            .collect(),
        "duplicate" => vec![
            op("rogue_filter", Kind::Filter),
            op("rogue_filter", Kind::Mapper),
        ],
        "empty_name" => vec![op("", Kind::Filter)],
        "bad_name" => vec![op("Rogue\n\u{1b}[31m", Kind::Filter)],
        "long_name" => vec![op("r".repeat(1 << 20), Kind::Filter)],
        "long_summary" => vec![Descriptor {
            summary: "x".repeat(1 << 20),
            ..op("rogue_filter", Kind::Filter)
        }],
        "big_schema" => with_schema(format!("{{\"title\":\"{}\"}}", "x".repeat(1 << 20))),
        "text_schema" => with_schema("min_len: 3".into()),
        "list_schema" => with_schema("[]".into()),
        "deep_schema" => with_schema(format!("{{\"a\":{}", "[".repeat(500_000))),
        disaster => {
            disasters::cause(disaster);
            Vec::new()
        }
    }
}
