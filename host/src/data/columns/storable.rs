//! What formats can hold of the types of columns, found out by trying: before a job starts and not
//! at its end.

use super::to_json::Encoder;
use super::widen::{list_item, retyped};
use crate::data::input::describe::caught;
use crate::error::{UserError, UserErrors};
use anyhow::{Result, bail, ensure};
use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use std::sync::Arc;

/// The schema with the types in which Parquet holds the values, as pyarrow writes them: without a
/// type of its own a time in seconds would be a bare number. Which values do not survive that is
/// looked at row by row.
pub(crate) fn for_parquet(schema: &Schema) -> SchemaRef {
    let fields = schema
        .fields()
        .iter()
        .map(parquet_field)
        .collect::<Vec<_>>();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn parquet_field(field: &FieldRef) -> FieldRef {
    let ty = parquet_type(field.data_type());
    if ty == *field.data_type() {
        return field.clone();
    }
    Arc::new(retyped(field, ty).with_nullable(true))
}

fn parquet_type(ty: &DataType) -> DataType {
    use DataType::*;
    match ty {
        Timestamp(TimeUnit::Second, zone) => Timestamp(TimeUnit::Millisecond, zone.clone()),
        Time32(TimeUnit::Second) => Time32(TimeUnit::Millisecond),
        Date64 => Date32,
        Struct(fields) if fields.is_empty() => no_members(),
        Struct(fields) => Struct(fields.iter().map(parquet_field).collect()),
        FixedSizeList(item, n) => FixedSizeList(parquet_field(item), *n),
        LargeList(item) => LargeList(parquet_field(item)),
        List(item) => List(parquet_field(item)),
        LargeListView(item) => LargeListView(parquet_field(item)),
        ListView(item) => ListView(parquet_field(item)),
        Map(entries, sorted) => match entries.data_type() {
            Struct(fields) => {
                let fields = fields.iter().map(|f| {
                    Arc::new(
                        parquet_field(f)
                            .as_ref()
                            .clone()
                            .with_nullable(f.is_nullable()),
                    )
                });
                Map(
                    Arc::new(
                        entries
                            .as_ref()
                            .clone()
                            .with_data_type(Struct(fields.collect())),
                    ),
                    *sorted,
                )
            }
            _ => ty.clone(),
        },
        RunEndEncoded(_, value) => parquet_type(value.data_type()),
        _ => ty.clone(),
    }
}

/// Parquet has no struct without members. A map without entries is the same JSON: `{}`.
fn no_members() -> DataType {
    let entries = vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, true),
    ];
    DataType::Map(
        Arc::new(Field::new(
            "entries",
            DataType::Struct(entries.into()),
            false,
        )),
        false,
    )
}

/// What [`for_parquet`] makes of structs without members, for each column that has one.
pub(crate) fn empty_struct_notes(schema: &Schema) -> Vec<String> {
    let with = schema
        .fields()
        .iter()
        .filter(|f| has_empty_struct(f.data_type()));
    let note = |f: &FieldRef| {
        format!(
            "column `{}` has objects without members: written as maps without entries",
            f.name()
        )
    };
    with.map(note).collect()
}

/// Whether a type has a struct without members anywhere.
fn has_empty_struct(ty: &DataType) -> bool {
    match ty {
        DataType::Struct(fields) => {
            fields.is_empty() || fields.iter().any(|f| has_empty_struct(f.data_type()))
        }
        DataType::Map(entries, _) => has_empty_struct(entries.data_type()),
        ty => list_item(ty).is_some_and(|item| has_empty_struct(item.data_type())),
    }
}

/// Whether Parquet takes all columns.
pub(crate) fn fits_parquet(schema: &Schema) -> bool {
    schema
        .fields()
        .iter()
        .all(|field| tried(field, as_parquet).is_ok())
}

/// Fails if a column cannot be written as Parquet.
pub(crate) fn check_parquet(schema: &Schema) -> Result<()> {
    check(schema, "Parquet", "`.arrow` or `.jsonl`", as_parquet)
}

/// Fails if a column cannot be written as Arrow.
pub(crate) fn check_arrow(schema: &Schema) -> Result<()> {
    check(schema, "Arrow", "`.jsonl`", as_arrow)
}

/// Fails if a column cannot be written as JSON.
pub(crate) fn check_json(schema: &Schema) -> Result<()> {
    check(schema, "JSON", "`.arrow`", as_json)
}

fn check(
    schema: &Schema,
    format: &str,
    others: &str,
    write: fn(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let refused = schema.fields().iter().filter_map(|field| {
        let error = tried(field, write).err()?;
        let reason = match error.to_string() {
            reason if reason.is_empty() || reason.starts_with("NYI") => {
                format!("{format} has no type for that")
            }
            reason => format!("{format} does not hold that: {reason}"),
        };
        let message = format!(
            "column `{}` is {}: {reason}",
            field.name(),
            field.data_type()
        );
        Some(UserError::new("export_path", message).hint(format!(
            "export as {others}, or leave the column out of the input"
        )))
    });
    let refused: Vec<UserError> = refused.collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(UserErrors(refused).into())
    }
}

/// One row of the column, null.
fn tried(field: &FieldRef, write: fn(&RecordBatch) -> Result<()>) -> Result<()> {
    let schema = Arc::new(Schema::new(vec![
        field.as_ref().clone().with_nullable(true),
    ]));
    let tried = caught(|| {
        write(&RecordBatch::try_new(
            schema,
            vec![new_null_array(field.data_type(), 1)],
        )?)
    });
    tried.unwrap_or_else(|| bail!(""))
}

/// Whether there is a union in it, or bytes of which each value has none.
fn is_odd(ty: &DataType) -> bool {
    match ty {
        DataType::Union(..) | DataType::FixedSizeBinary(0) => true,
        DataType::Struct(fields) => fields.iter().any(|f| is_odd(f.data_type())),
        DataType::Map(entries, _) | DataType::RunEndEncoded(_, entries) => {
            is_odd(entries.data_type())
        }
        DataType::Dictionary(_, values) => is_odd(values),
        ty => list_item(ty).is_some_and(|item| is_odd(item.data_type())),
    }
}

fn as_parquet(rows: &RecordBatch) -> Result<()> {
    // The writer would panic.
    ensure!(
        !rows
            .columns()
            .iter()
            .any(|column| is_odd(column.data_type())),
        ""
    );
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None)?;
    writer.write(rows)?;
    writer.close()?;
    Ok(())
}

fn as_arrow(rows: &RecordBatch) -> Result<()> {
    let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema())?;
    Ok(writer.write(rows)?)
}

fn as_json(rows: &RecordBatch) -> Result<()> {
    Encoder::new(rows.column(0)).map(|_| ())
}
