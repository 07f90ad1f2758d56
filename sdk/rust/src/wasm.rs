//! The component's side of the contract: converts between the generated bindings and the SDK's
//! types. Columns are moved, never copied.

use crate::blobs::{Blobs, Vectors};
use crate::column::{Column, Lists, Numbers, Texts};
use crate::{Entry, Instance, batch};
use std::cell::RefCell;
use std::marker::PhantomData;

/// Generated from the WIT.
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "operator",
        pub_export_macro: true,
        export_macro_name: "export_pack",
        default_bindings_module: "djhost_sdk::wasm::bindings",
    });
}

use bindings::djhost::op::types as wit;
pub use bindings::export_pack;
use bindings::exports::djhost::op::ops::{Guest, GuestOp, Op};

/// A component's list of operators.
pub trait Pack: 'static {
    /// The operators.
    fn operators() -> Vec<Entry>;
}

/// An operator as the resource that the host holds.
pub struct Held<P> {
    instance: RefCell<Box<dyn Instance>>,
    pack: PhantomData<P>,
}

impl<P: Pack> Guest for P {
    type Op = Held<P>;

    fn describe() -> Vec<wit::Descriptor> {
        P::operators()
            .iter()
            .map(|entry| descriptor((entry.describe)()))
            .collect()
    }
}

impl<P: Pack> GuestOp for Held<P> {
    fn create(name: String, params: String, want: wit::Wanted) -> Result<Op, wit::OpError> {
        let entries = P::operators();
        let entry = entries.iter().find(|entry| (entry.describe)().name == name);
        let entry = entry.ok_or_else(|| {
            wit::OpError::InvalidParams(format!("no operator `{name}` in this component"))
        })?;
        let instance = (entry.create)(&with(params, want)).map_err(error)?;
        Ok(Op::new(Held::<P> {
            instance: RefCell::new(instance),
            pack: PhantomData,
        }))
    }

    fn signature(&self) -> wit::Signature {
        let signature = self.instance.borrow().signature();
        let input = |input: batch::Input| wit::Input {
            path: input.path,
            type_: column_type(input.column_type),
            required: input.required,
        };
        let computed = |c: batch::Computed| wit::Computed {
            path: c.path,
            type_: column_type(c.column_type),
        };
        wit::Signature {
            reads: signature.reads.into_iter().map(input).collect(),
            writes: signature.writes.into_iter().map(computed).collect(),
            writes_stats: signature.writes_stats.into_iter().map(computed).collect(),
            whole_rows: signature.whole_rows,
        }
    }

    fn process(&self, input: wit::Batch) -> Result<wit::Output, wit::OpError> {
        let fields = input
            .fields
            .into_iter()
            .map(|field| batch::Field {
                path: field.path,
                values: column_in(field.values),
            })
            .collect();
        let batch = batch::Batch {
            row_ids: input.row_ids,
            fields,
        };
        self.instance
            .borrow_mut()
            .process(&batch)
            .map(output)
            .map_err(error)
    }

    fn select(&self, keys: wit::Column) -> Result<Vec<u8>, wit::OpError> {
        self.instance
            .borrow_mut()
            .select(&column_in(keys))
            .map_err(error)
    }
}

/// The parameters with what is wanted of the operator, as [`Common`](crate::Common) has it.
fn with(params: String, want: wit::Wanted) -> String {
    if want.stats.is_none() && !want.drop_reasons {
        return params;
    }
    // What is not an object is refused where it is read.
    let Ok(mut object) = serde_json::from_str::<serde_json::Map<_, _>>(&params) else {
        return params;
    };
    if let Some(stats) = want.stats {
        object.insert("wanted_stats".into(), stats.into());
    }
    object.insert("drop_reasons".into(), want.drop_reasons.into());
    serde_json::Value::Object(object).to_string()
}

fn descriptor(d: batch::Descriptor) -> wit::Descriptor {
    let kind = match d.kind {
        batch::Kind::Filter => wit::Kind::Filter,
        batch::Kind::Mapper => wit::Kind::Mapper,
        batch::Kind::Deduplicator => wit::Kind::Deduplicator(match d.traits.matching {
            crate::Matching::Equal => wit::Matching::Equal,
            crate::Matching::Hamming(parameter) => wit::Matching::Hamming(parameter.into()),
            crate::Matching::Counted => wit::Matching::Counted,
            crate::Matching::Seen => wit::Matching::Seen,
        }),
        batch::Kind::Selector => wit::Kind::Selector,
        batch::Kind::Grouper => wit::Kind::Grouper,
    };
    let traits = wit::Traits {
        leaves_out_stats: d.traits.leaves_out_stats,
        gives_drop_reasons: d.traits.gives_drop_reasons,
        takes_clusters: d.traits.takes_clusters,
        json_constants: d.traits.json_constants,
    };
    let needs = wit::Needs {
        media: d.needs.media,
        files: d.needs.files,
        models: d.needs.models,
    };
    let cost = match d.cost {
        batch::Cost::Light => wit::Cost::Light,
        batch::Cost::Medium => wit::Cost::Medium,
        batch::Cost::Heavy => wit::Cost::Heavy,
    };
    wit::Descriptor {
        name: d.name.into(),
        kind,
        summary: d.summary,
        params_schema: d.params_schema,
        cost,
        traits,
        needs,
    }
}

fn error(error: batch::OpError) -> wit::OpError {
    match error {
        batch::OpError::InvalidParams(message) => wit::OpError::InvalidParams(message),
        batch::OpError::Failed(message) => wit::OpError::Failed(message),
    }
}

fn column_type(column_type: crate::ColumnType) -> wit::ColumnType {
    match column_type {
        crate::ColumnType::Utf8 => wit::ColumnType::Utf8,
        crate::ColumnType::Json => wit::ColumnType::Json,
        crate::ColumnType::F64 => wit::ColumnType::F64,
        crate::ColumnType::S64 => wit::ColumnType::S64,
        crate::ColumnType::Boolean => wit::ColumnType::Boolean,
        crate::ColumnType::Utf8List => wit::ColumnType::Utf8List,
        crate::ColumnType::F64List => wit::ColumnType::F64List,
        crate::ColumnType::S64List => wit::ColumnType::S64List,
        crate::ColumnType::Bytes => wit::ColumnType::Bytes,
        crate::ColumnType::BytesList => wit::ColumnType::BytesList,
        crate::ColumnType::Vector(width) => wit::ColumnType::Vector(width),
    }
}

fn texts_in(c: wit::Utf8Column) -> Texts {
    // SAFETY: by the contract every value from the host is UTF-8, and the host makes columns only
    // from Arrow strings.
    unsafe { Texts::new_unchecked(c.offsets, c.data, c.validity) }
}

fn column_in(column: wit::Column) -> Column {
    /// A host that breaks the contract ends this instance, as any panic does.
    fn sound<T>(checked: Result<T, String>) -> T {
        checked.unwrap_or_else(|error| panic!("the host sent a malformed column: {error}"))
    }
    match column {
        wit::Column::Utf8(c) => Column::Utf8(texts_in(c)),
        wit::Column::Json(c) => Column::Json(texts_in(c)),
        wit::Column::F64(c) => Column::F64(sound(Numbers::new(c.values, c.validity))),
        wit::Column::S64(c) => Column::S64(sound(Numbers::new(c.values, c.validity))),
        wit::Column::Boolean(c) => Column::Boolean(sound(Numbers::new(c.values, c.validity))),
        wit::Column::Utf8List(c) => Column::Utf8List(sound(Lists::<Texts>::new(
            c.offsets,
            texts_in(c.values),
            c.validity,
        ))),
        wit::Column::F64List(c) => Column::F64List(sound(Lists::<Vec<f64>>::new(
            c.offsets, c.values, c.validity,
        ))),
        wit::Column::S64List(c) => Column::S64List(sound(Lists::<Vec<i64>>::new(
            c.offsets, c.values, c.validity,
        ))),
        wit::Column::Bytes(c) => Column::Bytes(sound(Blobs::new(c.offsets, c.data, c.validity))),
        wit::Column::BytesList(c) => {
            let values = c.values;
            let values = sound(Blobs::new(values.offsets, values.data, values.validity));
            Column::BytesList(sound(Lists::<Blobs>::new(c.offsets, values, c.validity)))
        }
        wit::Column::Vector(c) => {
            Column::Vector(sound(Vectors::new(c.width, c.values, c.validity)))
        }
    }
}

fn texts_out(texts: Texts) -> wit::Utf8Column {
    let (offsets, data, validity) = texts.into_parts();
    wit::Utf8Column {
        offsets,
        data,
        validity,
    }
}

fn blobs_out(blobs: Blobs) -> wit::BytesColumn {
    let (offsets, data, validity) = blobs.into_parts();
    wit::BytesColumn {
        offsets,
        data,
        validity,
    }
}

fn column_out(column: Column) -> wit::Column {
    match column {
        Column::Utf8(c) => wit::Column::Utf8(texts_out(c)),
        Column::Json(c) => wit::Column::Json(texts_out(c)),
        Column::F64(c) => {
            let (values, validity) = c.into_parts();
            wit::Column::F64(wit::F64Column { values, validity })
        }
        Column::S64(c) => {
            let (values, validity) = c.into_parts();
            wit::Column::S64(wit::S64Column { values, validity })
        }
        Column::Boolean(c) => {
            let (values, validity) = c.into_parts();
            wit::Column::Boolean(wit::BooleanColumn { values, validity })
        }
        Column::Utf8List(c) => {
            let (offsets, values, validity) = c.into_parts();
            wit::Column::Utf8List(wit::Utf8ListColumn {
                offsets,
                values: texts_out(values),
                validity,
            })
        }
        Column::F64List(c) => {
            let (offsets, values, validity) = c.into_parts();
            wit::Column::F64List(wit::F64ListColumn {
                offsets,
                values,
                validity,
            })
        }
        Column::S64List(c) => {
            let (offsets, values, validity) = c.into_parts();
            wit::Column::S64List(wit::S64ListColumn {
                offsets,
                values,
                validity,
            })
        }
        Column::Bytes(c) => wit::Column::Bytes(blobs_out(c)),
        Column::BytesList(c) => {
            let (offsets, values, validity) = c.into_parts();
            wit::Column::BytesList(wit::BytesListColumn {
                offsets,
                values: blobs_out(values),
                validity,
            })
        }
        Column::Vector(c) => {
            let (width, values, validity) = c.into_parts();
            wit::Column::Vector(wit::VectorColumn {
                width,
                values,
                validity,
            })
        }
    }
}

fn fields_out(fields: Vec<batch::Field>) -> Vec<wit::Field> {
    fields
        .into_iter()
        .map(|field| wit::Field {
            path: field.path,
            values: column_out(field.values),
        })
        .collect()
}

fn rejected_out(rejected: Vec<batch::Rejection>) -> Vec<wit::Rejection> {
    rejected
        .into_iter()
        .map(|r| wit::Rejection {
            row: r.row,
            reason: r.reason,
        })
        .collect()
}

fn output(output: batch::Output) -> wit::Output {
    use batch::Output;
    match output {
        Output::Filtered {
            keep,
            stats,
            rejected,
        } => wit::Output::Filtered(wit::FilterOutput {
            keep,
            stats: fields_out(stats),
            rejected: rejected_out(rejected),
        }),
        Output::Updated { updates, rejected } => {
            let update = |u: batch::Update| wit::Update {
                path: u.path,
                rows: u.rows,
                values: column_out(u.values),
            };
            wit::Output::Updated(wit::UpdateOutput {
                updates: updates.into_iter().map(update).collect(),
                rejected: rejected_out(rejected),
            })
        }
        Output::Rows {
            origins,
            fields,
            rejected,
        } => wit::Output::Rows(wit::RowsOutput {
            origins,
            fields: fields_out(fields),
            rejected: rejected_out(rejected),
        }),
        Output::Fingerprints {
            width,
            per_row,
            data,
            validity,
            rejected,
        } => wit::Output::Fingerprints(wit::Fingerprints {
            width,
            per_row,
            data,
            validity,
            rejected: rejected_out(rejected),
        }),
        Output::Keys { keys, rejected } => wit::Output::Keys(wit::KeysOutput {
            keys: column_out(keys),
            rejected: rejected_out(rejected),
        }),
    }
}
