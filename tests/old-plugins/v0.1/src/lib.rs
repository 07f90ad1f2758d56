//! A filter by length in bytes, and a mapper that writes ASCII letters small, over the bare
//! interface of version 0.1.

wit_bindgen::generate!({ path: "wit", world: "operator" });

use djhost::op::types::{
    Batch, Column, ColumnType, Computed, Cost, Descriptor, Field, FilterOutput, Input, Kind, OpError, Output, S64Column, Signature, Update,
    UpdateOutput, Utf8Column,
};
use exports::djhost::op::ops::{Guest, GuestOp, Op};

const FILTER: &str = "old_bytes_filter";
const MAPPER: &str = "old_lower_mapper";

struct Plugin;

struct OldOp {
    filter: bool,
    text_key: String,
    least: u32,
}

/// The value of a key in a flat JSON object; enough for a string without escapes and a number.
fn value<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let rest = json.split_once(&format!("\"{key}\""))?.1.trim_start().strip_prefix(':')?.trim_start();
    match rest.strip_prefix('"') {
        Some(text) => text.split('"').next(),
        None => rest.split([',', '}']).next().map(str::trim),
    }
}

impl Guest for Plugin {
    type Op = OldOp;

    fn describe() -> Vec<Descriptor> {
        let descriptor = |name: &str, kind, summary: &str, schema: &str| Descriptor {
            name: name.into(),
            kind,
            summary: summary.into(),
            params_schema: schema.into(),
            cost: Cost::Light,
        };
        let least = r#"{"type": "object", "properties": {"least": {"type": "integer", "minimum": 0, "default": 4, "description": "Bytes."}}}"#;
        vec![
            descriptor(FILTER, Kind::Filter, "Keeps texts that have enough bytes.", least),
            descriptor(MAPPER, Kind::Mapper, "Writes ASCII letters small.", r#"{"type": "object", "properties": {}}"#),
        ]
    }
}

impl GuestOp for OldOp {
    fn create(name: String, params: String) -> Result<Op, OpError> {
        let least = value(&params, "least").unwrap_or("4");
        Ok(Op::new(OldOp {
            filter: name == FILTER,
            text_key: value(&params, "text_key").unwrap_or("text").into(),
            least: least.parse().map_err(|_| OpError::InvalidParams(format!("least: {least}")))?,
        }))
    }

    fn signature(&self) -> Signature {
        let computed = |path: &str, type_| vec![Computed { path: path.into(), type_ }];
        Signature {
            reads: vec![Input { path: self.text_key.clone(), type_: ColumnType::Utf8, required: true }],
            writes: if self.filter { vec![] } else { computed(&self.text_key, ColumnType::Utf8) },
            writes_stats: if self.filter { computed("old_bytes", ColumnType::S64) } else { vec![] },
        }
    }

    fn process(&self, input: Batch) -> Result<Output, OpError> {
        let Some(Field { values: Column::Utf8(texts), .. }) = input.fields.into_iter().next() else {
            return Err(OpError::Failed("no text".into()));
        };
        if self.filter {
            let lengths: Vec<u32> = texts.offsets.windows(2).map(|ends| ends[1] - ends[0]).collect();
            let values = lengths.iter().map(|&length| length.into()).collect();
            return Ok(Output::Filtered(FilterOutput {
                keep: lengths.iter().map(|&length| (length >= self.least).into()).collect(),
                stats: vec![Field { path: "old_bytes".into(), values: Column::S64(S64Column { values, validity: None }) }],
                rejected: vec![],
            }));
        }
        // Changing the case of ASCII letters changes no length.
        let lower = Utf8Column { data: texts.data.to_ascii_lowercase(), ..texts };
        let update = Update { path: self.text_key.clone(), rows: None, values: Column::Utf8(lower) };
        Ok(Output::Updated(UpdateOutput { updates: vec![update], rejected: vec![] }))
    }

    fn select(&self, _: Column) -> Result<Vec<u8>, OpError> {
        Err(OpError::Failed("this is no selector".into()))
    }
}

export!(Plugin);
