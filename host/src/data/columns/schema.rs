//! The one schema for all files and parts of a columnar dataset.

use super::conform::{conform, loss, lost};
use super::widen::{unify, with_wide_keys};
use super::{hugging_face, logical};
use crate::data::input::describe::describe_all;
use crate::data::input::{Dataset, Format, InputFile, parquet_file};
use crate::error::UserError;
use anyhow::{Context, Result};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use std::sync::Arc;

/// Notes on columns of which files say different things: no more of them than one reads.
const MOST_NOTES: usize = 5;

/// The schema that fits all files of `dataset`, and what the user should know of it. Where types
/// differ it has the wider one; a column that a file lacks is null there. Fails, naming column and
/// files, if no type holds both.
pub(crate) fn unified_schema(dataset: &Dataset) -> Result<(SchemaRef, Vec<String>)> {
    let mut all: Option<SchemaRef> = None;
    let mut known: Vec<(SchemaRef, &InputFile)> = Vec::new();
    let files = dataset.files.iter().filter(|f| f.format.is_columnar());
    let files: Vec<&InputFile> = files.collect();
    for (file, (schema, _)) in files.iter().zip(describe_all(&files)?) {
        all = Some(match all {
            None => schema.clone(),
            // What is unified with a schema once more stays what it is.
            Some(before) if known.len() > 1 && known.last().is_some_and(|(s, _)| *s == schema) => {
                before
            }
            Some(before) => match unify(&before, &schema) {
                Ok(unified) => Arc::new(unified),
                Err(clash) => {
                    let column = clash.path.split('.').next().unwrap_or_default();
                    let clashes = |earlier: &&(SchemaRef, &InputFile)| match (
                        earlier.0.field_with_name(column),
                        schema.field_with_name(column),
                    ) {
                        (Ok(a), Ok(b)) => {
                            unify(&Schema::new(vec![a.clone()]), &Schema::new(vec![b.clone()]))
                                .is_err()
                        }
                        _ => false,
                    };
                    let first = known
                        .iter()
                        .find(clashes)
                        .or(known.first())
                        .map(|(_, file)| file.path.display().to_string());
                    let (path, first_type, second) = (clash.path, clash.first, clash.second);
                    let message = format!(
                        "column `{path}` is {second}, but {first_type} in `{}`",
                        first.unwrap_or_default()
                    );
                    let hint = "convert one of them, or run them as two jobs";
                    return Err(UserError::new(file.path.display().to_string(), message)
                        .hint(hint)
                        .into());
                }
            },
        });
        known.push((schema, file));
    }
    let all = all.context("the dataset has no columnar files")?;
    let fields: Vec<_> = all.fields().iter().map(with_wide_keys).collect();
    let mut metadata = all.metadata().clone();
    let mut notes: Vec<String> = Vec::new();
    if let Some(features) = &dataset.features
        && !metadata.contains_key(hugging_face::KEY)
    {
        // The files do not say what the card of the dataset does.
        let (text, unfit) = hugging_face::declared(features, &fields.clone().into());
        metadata.extend(text.map(|text| (hugging_face::KEY.to_owned(), text)));
        if !unfit.is_empty() {
            notes.push(format!(
                "the card of the dataset describes columns that are not there or of another type: what it says of `{}` was left out",
                unfit.join("`, `")
            ));
        }
    }
    let all = Arc::new(Schema::new_with_metadata(fields, metadata));
    for (schema, file) in &known {
        check_extremes(schema, file, &all, &known)?;
    }
    for (schema, file) in &known {
        for (column, mark) in logical::lost_marks(schema, &all) {
            if notes.len() < MOST_NOTES {
                notes.push(format!(
                    "column `{column}` is {mark} in `{}`, but not in all files: the export has its values without that",
                    file.path.display()
                ));
            }
        }
    }
    Ok((all, notes))
}

/// Fails if the minimum or maximum of a column, from a Parquet file's statistics, does not survive
/// in the shared type. Values between are checked when they are read.
fn check_extremes(
    schema: &Schema,
    file: &InputFile,
    all: &Schema,
    known: &[(SchemaRef, &InputFile)],
) -> Result<()> {
    let other = |field: &Field| {
        Some(all.field_with_name(field.name()).ok()?.data_type())
            .filter(|ty| *ty != field.data_type())
            .cloned()
    };
    let differ: Vec<(&Field, DataType)> = schema
        .fields()
        .iter()
        .filter_map(|f| Some((f.as_ref(), other(f)?)))
        .collect();
    if file.format != Format::Parquet || differ.is_empty() {
        return Ok(());
    }
    for (field, ty) in differ
        .into_iter()
        .filter(|(field, _)| field.data_type().is_primitive())
    {
        for values in parquet_file::extremes(file, field.name())? {
            let Some(row) =
                lost(&values, &conform(&values, &ty)?)?.and_then(|rows| rows.set_indices().next())
            else {
                continue;
            };
            let differing = known.iter().find(|(s, _)| {
                s.field_with_name(field.name())
                    .is_ok_and(|f| f.data_type() != field.data_type())
            });
            let differing = differing.map(|(s, file)| {
                let ty = s
                    .field_with_name(field.name())
                    .map(|f| f.data_type().to_string())
                    .unwrap_or_default();
                format!(" (it is {ty} in `{}`)", file.path.display())
            });
            let message = format!(
                "column `{}` has {}{}",
                field.name(),
                loss(&values, row, &ty),
                differing.unwrap_or_default()
            );
            let hint = "write the column with one type to all files, or run them as two jobs";
            return Err(UserError::new(file.path.display().to_string(), message)
                .hint(hint)
                .into());
        }
    }
    Ok(())
}

/// The schema as an empty Arrow IPC stream in hex digits.
pub(crate) fn encode_schema(schema: &Schema) -> Result<String> {
    let stream = StreamWriter::try_new(Vec::new(), schema)?.into_inner()?;
    Ok(hex::encode(stream))
}

/// Reverses [`encode_schema`].
pub(crate) fn decode_schema(digits: &str) -> Result<Schema> {
    let stream = hex::decode(digits).context("the schema of a part is damaged")?;
    let reader =
        StreamReader::try_new(&stream[..], None).context("the schema of a part is damaged")?;
    Ok(reader.schema().as_ref().clone())
}

/// The type that a column made by an operator is written in: strings and bytes in the plain layout,
/// whatever layout they had in memory.
pub(crate) fn written_type(ty: &DataType) -> DataType {
    match ty {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(item) => DataType::List(Arc::new(Field::new_list_field(
            written_type(item.data_type()),
            true,
        ))),
        other => other.clone(),
    }
}
