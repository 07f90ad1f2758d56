//! An operator of contract 0.2 that reads and writes the columns that 0.1 lacks. The parameter `type`
//! says which; `how` says how it breaks the contract, for batches with a text that contains `GUILTY`.
//! The test chooses what `describe` does by changing [`MODE`](mode) in the built component.
//!
//! Empty for targets other than WebAssembly.

#![cfg(target_family = "wasm")]

/// Generated from the WIT.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit/since-v0.2", world: "operator" });
}

use bindings::djhost::op::types::{
    Batch, BytesColumn, BytesListColumn, Column, ColumnType, Computed, Cost, Descriptor, Input,
    Kind, Matching, Needs, OpError, Output, S64ListColumn, Signature, Traits, Update, UpdateOutput,
    VectorColumn, Wanted,
};
use bindings::exports::djhost::op::ops::{Guest, GuestOp, Op};

const SCHEMA: &str = r#"{"type":"object","properties":{
    "type":{"type":"string","default":"bytes","description":"The type of both fields"},
    "how":{"type":"string","default":"behave","description":"What it does wrong"}}}"#;

/// 32 bytes that the tests find and overwrite in the component.
#[used]
static MODE: [u8; 32] = *b"ROGUE-MODE:honest...............";

/// The mode of `describe`.
fn mode() -> String {
    // SAFETY: a plain array; volatile, so that the compiler does not know its content.
    let bytes = unsafe { std::ptr::read_volatile(&raw const MODE) };
    String::from_utf8_lossy(&bytes["ROGUE-MODE:".len()..])
        .trim_end_matches('.')
        .to_owned()
}

/// The width of its vectors.
const WIDTH: u32 = 3;

struct Columns;

/// One operator with its parameters.
struct Instance {
    column_type: String,
    how: String,
}

bindings::export!(Columns with_types_in bindings);

impl Guest for Columns {
    type Op = Instance;

    fn describe() -> Vec<Descriptor> {
        let traits = Traits {
            leaves_out_stats: false,
            gives_drop_reasons: false,
            takes_clusters: false,
            json_constants: false,
        };
        let mut d = Descriptor {
            name: "column_mapper".into(),
            kind: Kind::Mapper,
            summary: "Changes bytes, lists and vectors".into(),
            params_schema: SCHEMA.into(),
            cost: Cost::Light,
            traits,
            needs: Needs {
                media: false,
                files: false,
                models: false,
            },
        };
        match mode().as_str() {
            "old_key" => d.params_schema = SCHEMA.replacen('{', r#"{"x-whole-rows":true,"#, 1),
            "old_media" => d.params_schema = SCHEMA.replacen('{', r#"{"x-reads-media":true,"#, 1),
            "trait" => d.traits.takes_clusters = true,
            "clusters" => {
                d.kind = Kind::Deduplicator(Matching::Counted);
                d.traits.takes_clusters = true;
            }
            "needs" => {
                d.params_schema =
                    SCHEMA.replacen(r#""how":{"#, r#""how":{"format":"read-file","#, 1);
            }
            "hamming" => d.kind = Kind::Deduplicator(Matching::Hamming("how".into())),
            "filter" => d.kind = Kind::Filter,
            _ => {}
        }
        vec![d]
    }
}

/// The value of a parameter in compact JSON.
fn param(params: &str, name: &str) -> String {
    let value = params.split(&format!("\"{name}\":\"")).nth(1);
    let value = value.and_then(|rest| rest.split('"').next());
    value.unwrap_or_default().to_owned()
}

impl GuestOp for Instance {
    fn create(_name: String, params: String, _want: Wanted) -> Result<Op, OpError> {
        Ok(Op::new(Self {
            column_type: param(&params, "type"),
            how: param(&params, "how"),
        }))
    }

    fn signature(&self) -> Signature {
        let ty = || match self.column_type.as_str() {
            "bytes" => ColumnType::Bytes,
            "bytes-list" => ColumnType::BytesList,
            "s64-list" => ColumnType::S64List,
            _ => ColumnType::Vector(match self.how.as_str() {
                "width_zero" => 0,
                "width_giant" => u32::MAX,
                _ => WIDTH,
            }),
        };
        let input = |path: &str, type_: ColumnType, required: bool| Input {
            path: path.into(),
            type_,
            required,
        };
        Signature {
            reads: vec![
                input("text", ColumnType::Utf8, true),
                input("given", ty(), false),
            ],
            writes: vec![Computed {
                path: "made".into(),
                type_: ty(),
            }],
            writes_stats: Vec::new(),
            whole_rows: self.how == "whole_rows",
        }
    }

    fn process(&self, mut input: Batch) -> Result<Output, OpError> {
        let given = input.fields.pop().map(|field| field.values);
        let text = match &input.fields[0].values {
            Column::Utf8(texts) => &texts.data[..],
            _ => return Err(OpError::Failed("there is no text".into())),
        };
        let guilty = text.windows(6).any(|word| word == b"GUILTY");
        let how = if guilty { self.how.as_str() } else { "behave" };
        let values = match given {
            Some(Column::Bytes(column)) => Column::Bytes(bytes(column, how)),
            Some(Column::BytesList(column)) => Column::BytesList(bytes_list(column, how)),
            Some(Column::S64List(column)) => Column::S64List(s64_list(column, how)),
            Some(Column::Vector(column)) => vector(column, how),
            _ => return Err(OpError::Failed("`given` has another type".into())),
        };
        Ok(Output::Updated(UpdateOutput {
            updates: vec![Update {
                path: "made".into(),
                rows: None,
                values,
            }],
            rejected: Vec::new(),
        }))
    }

    fn select(&self, _keys: Column) -> Result<Vec<u8>, OpError> {
        Err(OpError::Failed("only selectors select".into()))
    }
}

/// Breaks what columns with offsets have in common.
fn offsets(offsets: &mut Vec<u32>, validity: &mut Option<Vec<u8>>, how: &str) {
    match how {
        "offsets_beyond" => *offsets.last_mut().unwrap() += 1000,
        "offsets_short" => drop(offsets.pop()),
        "offsets_none" => offsets.clear(),
        "offsets_fall" => {
            let last = offsets.len() - 1;
            offsets.insert(last, u32::MAX);
            offsets.remove(0);
        }
        "validity_short" => *validity = Some(Vec::new()),
        _ => {}
    }
}

/// Each value backwards.
fn bytes(mut column: BytesColumn, how: &str) -> BytesColumn {
    for range in column.offsets.windows(2) {
        column.data[range[0] as usize..range[1] as usize].reverse();
    }
    if how == "data_long" {
        column.data.push(0);
    }
    offsets(&mut column.offsets, &mut column.validity, how);
    column
}

/// Each element backwards.
fn bytes_list(mut column: BytesListColumn, how: &str) -> BytesListColumn {
    let elements = column.values.offsets.len() - 1;
    column.values = match how.strip_prefix("element_") {
        Some("null") => BytesColumn {
            validity: Some(vec![0; elements.div_ceil(8)]),
            ..column.values
        },
        Some(how) => bytes(column.values, how),
        None => bytes(column.values, "behave"),
    };
    offsets(&mut column.offsets, &mut column.validity, how);
    column
}

/// Each number and one.
fn s64_list(mut column: S64ListColumn, how: &str) -> S64ListColumn {
    for value in &mut column.values {
        *value += 1;
    }
    if how == "values_long" {
        column.values.push(0);
    }
    offsets(&mut column.offsets, &mut column.validity, how);
    column
}

/// Each number twice.
fn vector(mut column: VectorColumn, how: &str) -> Column {
    for value in &mut column.values {
        *value *= 2.0;
    }
    match how {
        "values_short" => drop(column.values.pop()),
        "values_none" => column.values.clear(),
        "validity_short" => column.validity = Some(Vec::new()),
        "other_width" => {
            let rows = column.values.len() / WIDTH as usize;
            column.width = 2;
            column.values.truncate(2 * rows);
        }
        "zero_width" => {
            column.width = 0;
            column.values.clear();
        }
        "other_type" => {
            let rows = column.values.len() as u32 / WIDTH;
            return Column::Bytes(BytesColumn {
                offsets: vec![0; rows as usize + 1],
                data: Vec::new(),
                validity: None,
            });
        }
        _ => {}
    }
    Column::Vector(column)
}
