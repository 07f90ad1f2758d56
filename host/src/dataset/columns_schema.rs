//! One schema for all files and parts of a columnar dataset.

use super::convert::is_text;
use super::describe::describe;
use super::file::Dataset;
use crate::error::UserError;
use anyhow::{Context, Result};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use std::sync::Arc;

/// The schema that all files of `dataset` fit into. Where types differ the wider one is taken; a column that a file lacks is null there.
/// Types that have none in common are the user's to mend.
pub(super) fn unified_schema(dataset: &Dataset) -> Result<SchemaRef> {
    let mut all: Option<(SchemaRef, &std::path::Path)> = None;
    for file in dataset.files.iter().filter(|f| f.format.is_columnar()) {
        let (schema, _) = describe(file)?;
        all = Some(match all {
            None => (schema, &file.path),
            Some((known, first)) => match unify(&known, &schema) {
                Ok(unified) => (Arc::new(unified), first),
                Err(column) => {
                    let ty = |s: &SchemaRef| s.field_with_name(&column).map_or_else(|_| "absent".to_owned(), |f| f.data_type().to_string());
                    let message = format!("column `{column}` is {}, but {} in `{}`", ty(&schema), ty(&known), first.display());
                    let hint = "convert one of them, or run them as two jobs";
                    return Err(UserError::new(file.path.display().to_string(), message).hint(hint).into());
                }
            },
        });
    }
    Ok(all.context("the dataset has no columnar files")?.0)
}

/// The columns of both: those of `a` in their order, then the new ones of `b`. The error is the column that cannot hold both.
pub(super) fn unify(a: &Schema, b: &Schema) -> Result<Schema, String> {
    let fields = unify_fields(a.fields(), b.fields())?;
    let mut metadata = a.metadata().clone();
    if fields.len() != a.fields().len() {
        // Its description of the columns would be wrong now, and its reader trusts it.
        metadata.remove("huggingface");
    }
    Ok(Schema::new_with_metadata(fields, metadata))
}

fn unify_fields(a: &Fields, b: &Fields) -> Result<Fields, String> {
    if a == b {
        return Ok(a.clone());
    }
    let mut fields: Vec<FieldRef> = Vec::new();
    for field in a {
        let unified = match b.find(field.name()) {
            Some((_, other)) => {
                let ty = unify_types(field.data_type(), other.data_type()).ok_or_else(|| field.name().clone())?;
                field.as_ref().clone().with_data_type(ty).with_nullable(field.is_nullable() || other.is_nullable())
            }
            None => field.as_ref().clone().with_nullable(true),
        };
        fields.push(Arc::new(unified));
    }
    let new = b.iter().filter(|f| a.find(f.name()).is_none());
    fields.extend(new.map(|f| Arc::new(f.as_ref().clone().with_nullable(true))));
    Ok(fields.into())
}

/// The narrowest type that holds the values of both.
fn unify_types(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::*;
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Null, ty) | (ty, Null) => ty.clone(),
        (a, b) if is_text(a) && is_text(b) => {
            if matches!((a, b), (LargeUtf8, _) | (_, LargeUtf8)) {
                LargeUtf8
            } else {
                Utf8
            }
        }
        (UInt64, b) if b.is_integer() => return None,
        (a, UInt64) if a.is_integer() => return None,
        (a, b) if a.is_integer() && b.is_integer() => Int64,
        (a, b) if (a.is_integer() || a.is_floating()) && (b.is_integer() || b.is_floating()) => Float64,
        (List(a), List(b)) => {
            let nullable = a.is_nullable() || b.is_nullable();
            List(Arc::new(a.as_ref().clone().with_data_type(unify_types(a.data_type(), b.data_type())?).with_nullable(nullable)))
        }
        (Struct(a), Struct(b)) => Struct(unify_fields(a, b).ok()?),
        _ => return None,
    })
}

/// `array` as `ty`, which [`unify`] gave for it.
pub(super) fn conform(array: &ArrayRef, ty: &DataType) -> Result<ArrayRef> {
    match (array.data_type(), ty) {
        (from, to) if from == to => Ok(array.clone()),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let old = array.as_struct();
            let children = fields.iter().map(|field| match old.column_by_name(field.name()) {
                Some(child) => conform(child, field.data_type()),
                None => Ok(new_null_array(field.data_type(), array.len())),
            });
            let children = children.collect::<Result<_>>()?;
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), children, old.nulls().cloned(), array.len())?))
        }
        (DataType::List(_), DataType::List(field)) => {
            let old: &ListArray = array.as_list();
            let items = conform(old.values(), field.data_type())?;
            Ok(Arc::new(ListArray::try_new(field.clone(), old.offsets().clone(), items, old.nulls().cloned())?))
        }
        _ => Ok(cast(array, ty)?),
    }
}

/// The schema as hex digits of an empty Arrow IPC stream.
pub(super) fn encode_schema(schema: &Schema) -> Result<String> {
    let stream = StreamWriter::try_new(Vec::new(), schema)?.into_inner()?;
    Ok(hex::encode(stream))
}

/// The schema that [`encode_schema`] wrote.
pub(super) fn decode_schema(digits: &str) -> Result<Schema> {
    let stream = hex::decode(digits).context("the schema of a part is damaged")?;
    let reader = StreamReader::try_new(&stream[..], None).context("the schema of a part is damaged")?;
    Ok(reader.schema().as_ref().clone())
}

/// A column that an operator made is written with plain strings, whatever layout it had in memory.
pub(super) fn written_type(ty: &DataType) -> DataType {
    match ty {
        DataType::Utf8View => DataType::Utf8,
        DataType::List(item) => DataType::List(Arc::new(Field::new_list_field(written_type(item.data_type()), true))),
        other => other.clone(),
    }
}
