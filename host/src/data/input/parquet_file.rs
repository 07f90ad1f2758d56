//! Parquet files: schema, number of rows, and a range of rows.

use anyhow::{Context, Result};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::ipc::convert::try_schema_from_ipc_buffer;
use arrow::record_batch::RecordBatch;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Reads the footer.
fn open(path: &Path) -> Result<(File, ArrowReaderMetadata)> {
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let context = || format!("the Parquet footer of `{}` is not readable", path.display());
    let metadata =
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).with_context(context)?;
    let with = |schema| {
        ArrowReaderMetadata::try_new(
            metadata.metadata().clone(),
            ArrowReaderOptions::new().with_schema(schema),
        )
    };
    if let Some(schema) = with_micros(&metadata) {
        return Ok((file, with(schema).with_context(context)?));
    }
    // The writer's schema may be that of another file, by mistake: then times keep their
    // instants and lose their zones.
    let zoned = with_zones(&metadata).and_then(|schema| with(schema).ok());
    Ok((file, zoned.unwrap_or(metadata)))
}

/// Reads 96-bit times, as Spark, Hive and Impala write them, as microseconds. Arrow's default,
/// nanoseconds in 64 bits, cannot hold them all: the year 9999 would become 1816. Spark and DuckDB
/// read microseconds, too. None if the file has no such times, or states another unit.
fn with_micros(metadata: &ArrowReaderMetadata) -> Option<SchemaRef> {
    let file = metadata.metadata().file_metadata();
    let mut leaves = file
        .schema_descr()
        .columns()
        .iter()
        .map(|leaf| leaf.physical_type() == Type::INT96);
    if !leaves.clone().any(|is_96| is_96)
        || file
            .key_value_metadata()
            .is_some_and(|all| all.iter().any(|kv| kv.key == ARROW_SCHEMA_META_KEY))
    {
        return None;
    }
    let schema = metadata.schema();
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| in_micros(field, &mut leaves))
        .collect();
    Some(Arc::new(Schema::new_with_metadata(
        fields,
        schema.metadata().clone(),
    )))
}

/// Restores the time zones that times were written with. Parquet has no unit of seconds, and the
/// reader loses the zone of such times, which only the writer's schema tells. None if no zone is
/// lost.
fn with_zones(metadata: &ArrowReaderMetadata) -> Option<SchemaRef> {
    let written = metadata
        .metadata()
        .file_metadata()
        .key_value_metadata()?
        .iter()
        .find(|kv| kv.key == ARROW_SCHEMA_META_KEY)?;
    let written = try_schema_from_ipc_buffer(&BASE64.decode(written.value.as_ref()?).ok()?).ok()?;
    let schema = metadata.schema();
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .zip(written.fields())
        .map(|(field, written)| in_zone(field, written))
        .collect();
    let is_same = fields.len() != schema.fields().len() || fields.iter().eq(schema.fields());
    (!is_same).then(|| Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

fn in_zone(field: &FieldRef, written: &FieldRef) -> FieldRef {
    use DataType::*;
    let ty = match (field.data_type(), written.data_type()) {
        (Timestamp(unit, Some(_)), Timestamp(_, Some(zone))) => {
            Timestamp(*unit, Some(zone.clone()))
        }
        (Struct(fields), Struct(written)) if fields.len() == written.len() => Struct(
            fields
                .iter()
                .zip(written)
                .map(|(field, written)| in_zone(field, written))
                .collect(),
        ),
        (List(item), List(written)) => List(in_zone(item, written)),
        (LargeList(item), LargeList(written)) => LargeList(in_zone(item, written)),
        (Map(entries, sorted), Map(written, _)) => Map(in_zone(entries, written), *sorted),
        _ => return field.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(ty))
}

/// `leaves` says of each leaf, starting with this field, whether it has 96 bits.
fn in_micros(field: &FieldRef, leaves: &mut impl Iterator<Item = bool>) -> FieldRef {
    use DataType::*;
    let ty = match field.data_type() {
        Struct(fields) => Struct(fields.iter().map(|f| in_micros(f, leaves)).collect()),
        List(item) => List(in_micros(item, leaves)),
        Map(entries, sorted) => Map(in_micros(entries, leaves), *sorted),
        leaf => match (leaves.next(), leaf) {
            (Some(true), Timestamp(_, zone)) => Timestamp(TimeUnit::Microsecond, zone.clone()),
            _ => leaf.clone(),
        },
    };
    Arc::new(field.as_ref().clone().with_data_type(ty))
}

/// Schema and number of rows.
pub(crate) fn describe(path: &Path) -> Result<(SchemaRef, u64)> {
    let (_, metadata) = open(path)?;
    let rows = metadata
        .metadata()
        .row_groups()
        .iter()
        .map(|g| g.num_rows().max(0) as u64)
        .sum();
    Ok((metadata.schema().clone(), rows))
}

/// The minima and maxima of a top-level column in the row groups, as far as the file has them.
pub(crate) fn extremes(path: &Path, column: &str) -> Result<Vec<ArrayRef>> {
    let (_, metadata) = open(path)?;
    let footer = metadata.metadata();
    let Ok(statistics) = StatisticsConverter::try_new(
        column,
        metadata.schema(),
        footer.file_metadata().schema_descr(),
    ) else {
        return Ok(Vec::new());
    };
    let groups = footer.row_groups();
    Ok([
        statistics.row_group_mins(groups),
        statistics.row_group_maxes(groups),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// The rows in `range`, in batches of about `batch_bytes`. Does not touch row groups outside of it.
pub(crate) fn rows(
    path: &Path,
    range: Range<u64>,
    batch_bytes: usize,
) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<>> {
    let (file, metadata) = open(path)?;
    let (mut first, mut groups, mut before, mut bytes, mut rows) = (0, Vec::new(), None, 0, 0);
    for (i, group) in metadata.metadata().row_groups().iter().enumerate() {
        let end = first + group.num_rows().max(0) as u64;
        if first < range.end && end > range.start {
            groups.push(i);
            before.get_or_insert(first);
            bytes += group.total_byte_size().max(0) as u64;
            rows += end - first;
        }
        first = end;
    }
    // The footer has the encoded size. Repeated values are larger in memory, hence the low upper
    // limit.
    let batch_rows = (batch_bytes as u64 * rows / bytes.max(1)).clamp(1, 8192) as usize;
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_row_groups(groups)
        .with_offset((range.start - before.unwrap_or(range.start)) as usize)
        .with_limit((range.end - range.start) as usize)
        .with_batch_size(batch_rows)
        .build()
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    let path = path.to_owned();
    Ok(reader.map(move |batch| batch.with_context(|| format!("`{}` is damaged", path.display()))))
}
