//! Parquet files: schema, number of rows, and a range of rows.

use super::chunks::Chunks;
use super::handle::FileAt;
use super::parquet_twice::Twice;
use crate::data::columns::logical::{Times, with_marks};
use crate::data::columns::widen::with_wide_keys;
use anyhow::{Context, Result};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use arrow::ipc::convert::try_schema_from_ipc_buffer;
use arrow::record_batch::RecordBatch;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ProjectionMask};
use parquet::schema::types::SchemaDescriptor;
use std::ops::Range;
use std::sync::Arc;

/// A file and how it is read.
struct Opened {
    file: Chunks,
    metadata: ArrowReaderMetadata,
    twice: Option<Twice>,
    /// That of the rows, with more metadata than the decoder gives them.
    schema: SchemaRef,
}

/// Reads the footer.
fn open(at: FileAt<'_>) -> Result<Opened> {
    let path = at.path();
    let file = Chunks::open(at).with_context(|| format!("cannot open `{}`", path.display()))?;
    let context = || format!("the Parquet footer of `{}` is not readable", path.display());
    let metadata =
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).with_context(context)?;
    // Files that say in which types they were written are taken at their word.
    let keys = metadata.metadata().file_metadata().key_value_metadata();
    if !keys.is_some_and(|all| all.iter().any(|kv| kv.key == ARROW_SCHEMA_META_KEY)) {
        let mut twice = Twice::of(&metadata).with_context(context)?;
        if let Some(twice) = twice.as_mut().filter(|twice| twice.has_times()) {
            choose_units(&file, twice)?;
        }
        let (metadata, schema) = match &twice {
            Some(twice) => (twice.first.clone(), &twice.schema),
            None => (metadata.clone(), metadata.schema()),
        };
        return Ok(Opened {
            schema: with_marks(schema, descriptor(&metadata), Times::Said),
            file,
            metadata,
            twice,
        });
    }
    let footer = Arc::clone(metadata.metadata());
    let with = |schema| {
        let options = ArrowReaderOptions::new().with_schema(schema);
        ArrowReaderMetadata::try_new(Arc::clone(&footer), options)
    };
    // The writer's schema may be that of another file, by mistake: then times keep their
    // instants and lose their zones.
    let zoned = with_zones(&metadata).and_then(|schema| with(schema).ok());
    let metadata = zoned.unwrap_or(metadata);
    // The decoder fills one dictionary from several.
    let fields: Vec<_> = metadata
        .schema()
        .fields()
        .iter()
        .map(with_wide_keys)
        .collect();
    let wide = Schema::new_with_metadata(fields, metadata.schema().metadata().clone());
    let metadata = if wide == **metadata.schema() {
        metadata
    } else {
        with(Arc::new(wide)).unwrap_or(metadata)
    };
    Ok(Opened {
        schema: with_marks(metadata.schema(), descriptor(&metadata), Times::Unsaid),
        file,
        metadata,
        twice: None,
    })
}

fn descriptor(metadata: &ArrowReaderMetadata) -> &SchemaDescriptor {
    metadata.metadata().file_metadata().schema_descr()
}

/// Rows that the units of times are judged by.
const JUDGED: usize = 8192;

fn choose_units(file: &Chunks, twice: &mut Twice) -> Result<()> {
    let first = |metadata: &ArrowReaderMetadata| {
        let mut rows =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file.try_clone()?, metadata.clone())
                .with_projection(twice.mask())
                .with_batch_size(JUDGED)
                .build()?;
        // What is damaged is said when it is read.
        anyhow::Ok(rows.next().and_then(Result::ok))
    };
    if let (Some(one), Some(two)) = (first(&twice.first)?, first(&twice.second)?) {
        twice.choose_units(&one, &two);
    }
    Ok(())
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

/// Schema and number of rows.
pub(crate) fn describe<'a>(at: impl Into<FileAt<'a>>) -> Result<(SchemaRef, u64)> {
    let opened = open(at.into())?;
    let rows = opened
        .metadata
        .metadata()
        .row_groups()
        .iter()
        .map(|g| g.num_rows().max(0) as u64)
        .sum();
    Ok((opened.schema, rows))
}

/// The minima and maxima of a top-level column in the row groups, as far as the file has them.
pub(crate) fn extremes<'a>(at: impl Into<FileAt<'a>>, column: &str) -> Result<Vec<ArrayRef>> {
    let Opened { metadata, .. } = open(at.into())?;
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

/// Bytes of all rows of the top-level columns that are not in `known`, as the footer has them: the
/// size of the values where the writer noted it, else the encoded size.
pub(crate) fn bytes_beside<'a>(at: impl Into<FileAt<'a>>, known: &[String]) -> Result<u64> {
    let Opened { metadata, .. } = open(at.into())?;
    let footer = metadata.metadata();
    let leaves = footer.row_groups().iter().flat_map(|g| g.columns());
    Ok(leaves
        .filter(|leaf| {
            !known
                .iter()
                .any(|name| *name == leaf.column_path().parts()[0])
        })
        .map(|leaf| match leaf.unencoded_byte_array_data_bytes() {
            Some(bytes) => bytes.max(0) as u64,
            None => leaf.uncompressed_size().max(0) as u64,
        })
        .sum())
}

/// The rows in `range`, in batches of about `batch_bytes`: of the top-level columns called `only`,
/// if given. Does not touch row groups outside of it.
pub(crate) fn rows<'a>(
    at: impl Into<FileAt<'a>>,
    range: Range<u64>,
    batch_bytes: usize,
    only: Option<&[String]>,
) -> Result<Box<dyn Iterator<Item = Result<RecordBatch>> + Send>> {
    let at = at.into();
    let path = at.path();
    let Opened {
        file,
        metadata,
        twice,
        ..
    } = open(at)?;
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
    let cannot = || format!("cannot read `{}`", path.display());
    let other = file.try_clone().with_context(cannot)?;
    let reader = |file: Chunks, metadata: ArrowReaderMetadata, mask: ProjectionMask| {
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_row_groups(groups.clone())
            .with_offset((range.start - before.unwrap_or(range.start)) as usize)
            .with_limit((range.end - range.start) as usize)
            .with_batch_size(batch_rows)
            .with_projection(mask)
            .build()
            .with_context(cannot)
    };
    let second = match &twice {
        Some(twice) => Some(reader(other, twice.second.clone(), twice.mask())?),
        None => None,
    };
    let mut second = second.into_iter().flatten();
    let mask = match only {
        Some(only) if twice.is_none() => {
            let descriptor = metadata.metadata().file_metadata().schema_descr();
            let roots = descriptor.root_schema().get_fields().iter().enumerate();
            let chosen = roots.filter(|(_, root)| only.iter().any(|name| name == root.name()));
            ProjectionMask::roots(descriptor, chosen.map(|(i, _)| i).collect::<Vec<_>>())
        }
        _ => ProjectionMask::all(),
    };
    announce(
        &file,
        &metadata,
        &groups,
        &mask,
        2 * (range.end - range.start) >= rows,
    );
    let reader = reader(file, metadata, mask)?;
    let path = path.to_owned();
    Ok(Box::new(reader.map(move |batch| {
        let whole = || match &twice {
            None => Ok(batch?),
            Some(twice) => {
                let other = second.next().context("a second reading of it ends early")?;
                twice.joined(&batch?, &other?)
            }
        };
        whole().with_context(|| format!("`{}` is damaged", path.display()))
    })))
}

/// Says which columns of which row groups will be read.
fn announce(
    file: &Chunks,
    metadata: &ArrowReaderMetadata,
    groups: &[usize],
    mask: &ProjectionMask,
    all: bool,
) {
    if !file.is_remote() {
        return;
    }
    let of_group = |group: &usize| {
        let columns = metadata.metadata().row_group(*group).columns().iter();
        let wanted = columns
            .enumerate()
            .filter(|(leaf, _)| mask.leaf_included(*leaf));
        let range = |start: u64, bytes: u64| start..start.saturating_add(bytes);
        wanted
            .map(|(_, column)| column.byte_range())
            .map(|(start, bytes)| range(start, bytes))
            .collect()
    };
    file.announce(groups.iter().map(of_group).collect(), all);
}
