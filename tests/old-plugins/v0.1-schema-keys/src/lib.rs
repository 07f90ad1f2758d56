//! One operator for each key by which schemas of version 0.1 said what an operator can do, over the
//! bare interface of that version.

wit_bindgen::generate!({ path: "wit", world: "operator" });

use djhost::op::types::{
    Batch, Column, ColumnType, Computed, Cost, Descriptor, F64Column, Field, FilterOutput,
    Fingerprints, Input, Kind, KeysOutput, OpError, Output, RowsOutput, Signature, Update,
    UpdateOutput, Utf8Column, Utf8ListColumn,
};
use exports::djhost::op::ops::{Guest, GuestOp, Op};

/// Name, kind, and what the schema begins with.
const OPS: [(&str, Kind, &str); 7] = [
    ("old_first_letter_grouper", Kind::Selector, r#""x-groups": true"#),
    ("old_twice_mapper", Kind::Mapper, r#""x-whole-rows": true"#),
    ("old_once_deduplicator", Kind::Deduplicator, r#""x-counts-keys": true"#),
    ("old_near_deduplicator", Kind::Deduplicator, r#""x-hamming-distance": "bits""#),
    ("old_newest_deduplicator", Kind::Deduplicator, r#""x-clusters": true"#),
    ("old_told_filter", Kind::Filter, r#""x-wanted-stats": true"#),
    ("old_reasons_mapper", Kind::Mapper, r#""x-drop-reasons": true"#),
];

struct Plugin;

struct OldOp {
    name: String,
    told: bool,
}

impl Guest for Plugin {
    type Op = OldOp;

    fn describe() -> Vec<Descriptor> {
        let described = OPS.into_iter().map(|(name, kind, key)| Descriptor {
            name: name.into(),
            kind,
            summary: "Shows a key of schemas.".into(),
            params_schema: format!(
                r#"{{"type": "object", {key}, "properties": {{
                    "bits": {{"type": "integer", "default": 1, "description": "Bits."}},
                    "keep": {{"type": "string", "default": "first", "description": "Which stays."}},
                    "cluster_size_field": {{"type": ["string", "null"], "default": null, "description": "How many."}}}}}}"#
            ),
            cost: Cost::Light,
        });
        described.collect()
    }
}

/// The last byte of each text, in lower case; 0 for an empty one.
fn last_bytes(texts: &Utf8Column) -> Vec<u8> {
    let ends = texts.offsets.windows(2);
    let last = |range: &[u32]| match range[0] == range[1] {
        true => 0,
        false => texts.data[range[1] as usize - 1].to_ascii_lowercase(),
    };
    ends.map(last).collect()
}

fn texts(values: &[String]) -> Utf8Column {
    let mut column = Utf8Column { offsets: vec![0], data: Vec::new(), validity: None };
    for value in values {
        column.data.extend_from_slice(value.as_bytes());
        column.offsets.push(column.data.len() as u32);
    }
    column
}

impl GuestOp for OldOp {
    /// As the SDKs of then, it refuses parameters that it does not know.
    fn create(name: String, params: String) -> Result<Op, OpError> {
        let known = [
            "text_key", "image_key", "audio_key", "video_key", "min_closed_interval", "max_closed_interval", "reversed_range", "seed",
            "wanted_stats", "drop_reasons", "bits", "keep", "cluster_size_field",
        ];
        let names = params.split('"').skip(1).step_by(2);
        let odd = names.filter(|name| name.contains("_key")).find(|name| !known.contains(name));
        if let Some(odd) = odd {
            return Err(OpError::InvalidParams(format!("no parameter `{odd}`")));
        }
        let told = params.contains(r#""wanted_stats":[]"#) || params.contains(r#""drop_reasons":true"#);
        Ok(Op::new(OldOp { name, told }))
    }

    fn signature(&self) -> Signature {
        let path = if self.name == "old_twice_mapper" { "__dj__row__" } else { "text" };
        let writes = match self.name.as_str() {
            "old_twice_mapper" | "old_once_deduplicator" | "old_reasons_mapper" => {
                vec![Computed { path: path.into(), type_: ColumnType::Utf8 }]
            }
            _ => vec![],
        };
        let stat = Computed { path: "old_told".into(), type_: ColumnType::F64 };
        Signature {
            reads: vec![Input { path: path.into(), type_: ColumnType::Utf8, required: true }],
            writes,
            writes_stats: if self.name == "old_told_filter" { vec![stat] } else { vec![] },
        }
    }

    fn process(&self, input: Batch) -> Result<Output, OpError> {
        let rows = input.row_ids.len();
        let Some(Field { values: Column::Utf8(given), .. }) = input.fields.first() else {
            return Err(OpError::Failed("no text".into()));
        };
        let last = last_bytes(given);
        let letters: Vec<String> = last.iter().map(|byte| char::from(*byte).to_string()).collect();
        let field = |path: &str, values: Utf8Column| Field { path: path.into(), values: Column::Utf8(values) };
        Ok(match self.name.as_str() {
            "old_first_letter_grouper" => Output::Keys(KeysOutput { keys: Column::Utf8(texts(&letters)), rejected: vec![] }),
            "old_twice_mapper" => {
                let origins: Vec<u32> = (0..rows as u32).flat_map(|row| [row, row]).collect();
                let row = |row: &u32| {
                    let range = given.offsets[*row as usize] as usize..given.offsets[*row as usize + 1] as usize;
                    String::from_utf8_lossy(&given.data[range]).into_owned()
                };
                let made: Vec<String> = origins.iter().map(row).collect();
                Output::Rows(RowsOutput { origins, fields: vec![field("__dj__row__", texts(&made))], rejected: vec![] })
            }
            "old_once_deduplicator" => match input.fields.get(1) {
                None => Output::Keys(KeysOutput {
                    keys: Column::Utf8List(Utf8ListColumn {
                        offsets: (0..=rows as u32).collect(),
                        values: texts(&letters),
                        validity: None,
                    }),
                    rejected: vec![],
                }),
                Some(Field { path, values: Column::F64List(counts) }) if path == "__dj__counts__" => {
                    let values: Vec<String> = counts.values.iter().map(|count| format!("{count} with it")).collect();
                    let update = Update { path: "text".into(), rows: None, values: Column::Utf8(texts(&values)) };
                    Output::Updated(UpdateOutput { updates: vec![update], rejected: vec![] })
                }
                Some(_) => return Err(OpError::Failed("no counts".into())),
            },
            "old_near_deduplicator" | "old_newest_deduplicator" => Output::Fingerprints(Fingerprints {
                width: 8,
                per_row: 1,
                data: last.iter().flat_map(|byte| u64::from(*byte).to_le_bytes()).collect(),
                validity: None,
                rejected: vec![],
            }),
            "old_told_filter" => Output::Filtered(FilterOutput {
                // It keeps all where it is told that nobody reads the stat.
                keep: vec![u8::from(self.told); rows],
                stats: vec![Field {
                    path: "old_told".into(),
                    values: Column::F64(F64Column { values: vec![0.0; rows], validity: None }),
                }],
                rejected: vec![],
            }),
            _ => {
                let reasons: Vec<String> = (0..rows).map(|_| "it is old".to_owned()).collect();
                let mut fields = vec![field("text", texts(&letters))];
                if self.told {
                    fields.push(field("__dj__dropped__", texts(&reasons)));
                }
                Output::Rows(RowsOutput { origins: (0..rows as u32).collect(), fields, rejected: vec![] })
            }
        })
    }

    fn select(&self, _: Column) -> Result<Vec<u8>, OpError> {
        Err(OpError::Failed("this is no selector".into()))
    }
}

export!(Plugin);
