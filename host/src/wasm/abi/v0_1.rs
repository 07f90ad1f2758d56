//! Contract 0.1 by means of 0.2. What 0.1 said by keys of the parameter schema (`x-groups`) becomes
//! kinds and traits, and columns move from the records of one version into those of the other:
//! nothing is copied or checked here.

wasmtime::component::bindgen!({ path: "wit/since-v0.1", world: "operator" });

use serde_json::{Map, Value};
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use self::djhost::op::types as old;
use super::v0_2::types as new;
use crate::wasm::contract::ROW;
use crate::wasm::sandbox::Guest;

/// Common parameters that came after 0.1, whose SDKs refuse parameters that they do not know.
const NEWER: [&str; 1] = ["image_bytes_key"];
/// Parameters by which 0.1 tells an operator what is wanted of it.
const WANTED_STATS: &str = "wanted_stats";
const DROP_REASONS: &str = "drop_reasons";

pub(super) fn describe(
    exports: &Operator,
    store: &mut Store<Guest>,
) -> wasmtime::Result<Vec<new::Descriptor>> {
    let descriptors = exports.djhost_op_ops().call_describe(store)?;
    Ok(descriptors.into_iter().map(descriptor).collect())
}

pub(super) fn create(
    exports: &Operator,
    store: &mut Store<Guest>,
    name: &str,
    params: &str,
    wanted: &new::Wanted,
) -> wasmtime::Result<Result<ResourceAny, new::OpError>> {
    let mut object: Map<String, Value> = serde_json::from_str(params)?;
    object.retain(|key, _| !NEWER.contains(&key.as_str()));
    if let Some(stats) = &wanted.stats {
        object.insert(WANTED_STATS.into(), stats.as_slice().into());
    }
    if wanted.drop_reasons {
        object.insert(DROP_REASONS.into(), true.into());
    }
    let params = Value::Object(object).to_string();
    let created = exports
        .djhost_op_ops()
        .op()
        .call_create(store, name, &params)?;
    Ok(created.map_err(error))
}

pub(super) fn signature(
    exports: &Operator,
    store: &mut Store<Guest>,
    op: ResourceAny,
) -> wasmtime::Result<new::Signature> {
    let s = exports.djhost_op_ops().op().call_signature(store, op)?;
    let computed = |list: Vec<old::Computed>| -> Vec<new::Computed> {
        list.into_iter()
            .map(|c| new::Computed {
                path: c.path,
                type_: column_type(c.type_),
            })
            .collect()
    };
    let input = |i: old::Input| new::Input {
        path: i.path,
        type_: column_type(i.type_),
        required: i.required,
    };
    Ok(new::Signature {
        whole_rows: s.writes.iter().any(|c| c.path == ROW),
        reads: s.reads.into_iter().map(input).collect(),
        writes: computed(s.writes),
        writes_stats: computed(s.writes_stats),
    })
}

pub(super) fn process(
    exports: &Operator,
    store: &mut Store<Guest>,
    op: ResourceAny,
    input: new::Batch,
) -> (
    new::Batch,
    wasmtime::Result<Result<new::Output, new::OpError>>,
) {
    let fields = input.fields.into_iter().map(|f| old::Field {
        path: f.path,
        values: column_to(f.values),
    });
    let input = old::Batch {
        row_ids: input.row_ids,
        fields: fields.collect(),
    };
    let called = exports.djhost_op_ops().op().call_process(store, op, &input);
    let input = new::Batch {
        row_ids: input.row_ids,
        fields: fields_of(input.fields),
    };
    (
        input,
        called.map(|answer| answer.map(output).map_err(error)),
    )
}

pub(super) fn select(
    exports: &Operator,
    store: &mut Store<Guest>,
    op: ResourceAny,
    keys: new::Column,
) -> wasmtime::Result<Result<Vec<u8>, new::OpError>> {
    let keys = column_to(keys);
    let selected = exports.djhost_op_ops().op().call_select(store, op, &keys)?;
    Ok(selected.map_err(error))
}

fn error(error: old::OpError) -> new::OpError {
    match error {
        old::OpError::InvalidParams(message) => new::OpError::InvalidParams(message),
        old::OpError::Failed(message) => new::OpError::Failed(message),
    }
}

/// A schema that is no JSON object says nothing; it is refused later.
fn descriptor(d: old::Descriptor) -> new::Descriptor {
    let schema: Value = serde_json::from_str(&d.params_schema).unwrap_or_default();
    let says = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    let mut traits = new::Traits {
        json_constants: says("x-json-constants"),
        ..super::v0_2::NO_TRAITS
    };
    let kind = match d.kind {
        old::Kind::Filter => {
            traits.leaves_out_stats = says("x-wanted-stats");
            new::Kind::Filter
        }
        old::Kind::Mapper => {
            traits.gives_drop_reasons = says("x-drop-reasons");
            new::Kind::Mapper
        }
        old::Kind::Deduplicator => {
            traits.takes_clusters = says("x-clusters");
            let distance = schema.get("x-hamming-distance").and_then(Value::as_str);
            new::Kind::Deduplicator(match distance {
                _ if says("x-counts-keys") => new::Matching::Counted,
                _ if says("x-seen-keys") => new::Matching::Seen,
                Some(parameter) => new::Matching::Hamming(parameter.into()),
                None => new::Matching::Equal,
            })
        }
        old::Kind::Selector if says("x-groups") => new::Kind::Grouper,
        old::Kind::Selector => new::Kind::Selector,
    };
    let needs = new::Needs {
        media: says("x-reads-media"),
        ..super::v0_2::needs_of(&schema)
    };
    new::Descriptor {
        name: d.name,
        kind,
        summary: d.summary,
        params_schema: d.params_schema,
        cost: match d.cost {
            old::Cost::Light => new::Cost::Light,
            old::Cost::Medium => new::Cost::Medium,
            old::Cost::Heavy => new::Cost::Heavy,
        },
        traits,
        needs,
    }
}

fn column_type(ty: old::ColumnType) -> new::ColumnType {
    match ty {
        old::ColumnType::Utf8 => new::ColumnType::Utf8,
        old::ColumnType::Json => new::ColumnType::Json,
        old::ColumnType::F64 => new::ColumnType::F64,
        old::ColumnType::S64 => new::ColumnType::S64,
        old::ColumnType::Boolean => new::ColumnType::Boolean,
        old::ColumnType::Utf8List => new::ColumnType::Utf8List,
        old::ColumnType::F64List => new::ColumnType::F64List,
    }
}

/// The same record of the other version.
macro_rules! moved {
    ($to:ident :: $record:ident, $from:expr, $($field:ident),+) => {{
        let from = $from;
        $to::$record { $($field: from.$field),+ }
    }};
}

fn column_of(column: old::Column) -> new::Column {
    let text = |c: old::Utf8Column| moved!(new::Utf8Column, c, offsets, data, validity);
    match column {
        old::Column::Utf8(c) => new::Column::Utf8(text(c)),
        old::Column::Json(c) => new::Column::Json(text(c)),
        old::Column::F64(c) => new::Column::F64(moved!(new::F64Column, c, values, validity)),
        old::Column::S64(c) => new::Column::S64(moved!(new::S64Column, c, values, validity)),
        old::Column::Boolean(c) => {
            new::Column::Boolean(moved!(new::BooleanColumn, c, values, validity))
        }
        old::Column::Utf8List(c) => new::Column::Utf8List(new::Utf8ListColumn {
            offsets: c.offsets,
            values: text(c.values),
            validity: c.validity,
        }),
        old::Column::F64List(c) => {
            new::Column::F64List(moved!(new::F64ListColumn, c, offsets, values, validity))
        }
    }
}

/// The way back. A signature of 0.1 asks for none of the newer columns.
fn column_to(column: new::Column) -> old::Column {
    let text = |c: new::Utf8Column| moved!(old::Utf8Column, c, offsets, data, validity);
    match column {
        new::Column::Utf8(c) => old::Column::Utf8(text(c)),
        new::Column::Json(c) => old::Column::Json(text(c)),
        new::Column::F64(c) => old::Column::F64(moved!(old::F64Column, c, values, validity)),
        new::Column::S64(c) => old::Column::S64(moved!(old::S64Column, c, values, validity)),
        new::Column::Boolean(c) => {
            old::Column::Boolean(moved!(old::BooleanColumn, c, values, validity))
        }
        new::Column::Utf8List(c) => old::Column::Utf8List(old::Utf8ListColumn {
            offsets: c.offsets,
            values: text(c.values),
            validity: c.validity,
        }),
        new::Column::F64List(c) => {
            old::Column::F64List(moved!(old::F64ListColumn, c, offsets, values, validity))
        }
        new::Column::S64List(_)
        | new::Column::Bytes(_)
        | new::Column::BytesList(_)
        | new::Column::Vector(_) => {
            unreachable!("a signature of contract 0.1 has none of these types")
        }
    }
}

fn fields_of(fields: Vec<old::Field>) -> Vec<new::Field> {
    let field = |f: old::Field| new::Field {
        path: f.path,
        values: column_of(f.values),
    };
    fields.into_iter().map(field).collect()
}

fn output(output: old::Output) -> new::Output {
    let rejected = |list: Vec<old::Rejection>| -> Vec<new::Rejection> {
        list.into_iter()
            .map(|r| moved!(new::Rejection, r, row, reason))
            .collect()
    };
    match output {
        old::Output::Filtered(o) => new::Output::Filtered(new::FilterOutput {
            keep: o.keep,
            stats: fields_of(o.stats),
            rejected: rejected(o.rejected),
        }),
        old::Output::Updated(o) => {
            let update = |u: old::Update| new::Update {
                path: u.path,
                rows: u.rows,
                values: column_of(u.values),
            };
            new::Output::Updated(new::UpdateOutput {
                updates: o.updates.into_iter().map(update).collect(),
                rejected: rejected(o.rejected),
            })
        }
        old::Output::Rows(o) => new::Output::Rows(new::RowsOutput {
            origins: o.origins,
            fields: fields_of(o.fields),
            rejected: rejected(o.rejected),
        }),
        old::Output::Fingerprints(o) => new::Output::Fingerprints(new::Fingerprints {
            width: o.width,
            per_row: o.per_row,
            data: o.data,
            validity: o.validity,
            rejected: rejected(o.rejected),
        }),
        old::Output::Keys(o) => new::Output::Keys(new::KeysOutput {
            keys: column_of(o.keys),
            rejected: rejected(o.rejected),
        }),
    }
}
