//! Assembles columnar exports, Parquet and Arrow, from the parts. Row group boundaries depend on
//! the rows alone.

use super::part::{PartContent, PartInfo};
use super::staging::Staged;
use super::stream::LineStream;
use super::target::{ExportFormat, ExportTarget};
use crate::data::columns::conform::conform;
use crate::data::columns::from_json::to_columns;
use crate::data::columns::hugging_face;
use crate::data::columns::logical::parquet_schema;
use crate::data::columns::schema::decode_schema;
use crate::data::columns::storable::{empty_struct_notes, for_parquet};
use crate::data::columns::typed::Typed;
use crate::data::columns::unique::{alike, differ_by_case};
use crate::data::columns::widen::unify;
use crate::data::json::schema_inference::Shape;
use crate::data::losses::{Loss, Losses};
use crate::error::UserError;
use crate::rundir::AtomicFile;
use anyhow::{Context, Result, anyhow, bail};
use arrow::array::{ArrayRef, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use std::fs::File;
use std::io::{BufWriter, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

/// Size of a Parquet row group's rows before encoding. Large enough to scan well, small enough to
/// hold a few in memory.
const ROW_GROUP_BYTES: u64 = 64 << 20;

/// The same for a record batch of an Arrow stream.
const ARROW_BATCH_BYTES: u64 = 8 << 20;

/// Writes the export; returns a note for each column that does not hold the values as they were.
pub(crate) fn assemble(
    parts: &[(PathBuf, PartInfo)],
    target: &ExportTarget,
    out: &mut Staged,
) -> Result<Vec<String>> {
    let group_bytes = if target.format == ExportFormat::Parquet {
        ROW_GROUP_BYTES
    } else {
        ARROW_BATCH_BYTES
    };
    let group_bytes = target
        .shard_size
        .map_or(group_bytes, |shard| shard.min(group_bytes))
        .max(1);
    let columns = parts
        .iter()
        .any(|(_, info)| matches!(info.content, PartContent::Columns { .. }));
    if columns {
        from_columns(parts, target, group_bytes, out)
    } else {
        from_rows(parts, target, group_bytes, out)
    }
}

fn from_rows(
    parts: &[(PathBuf, PartInfo)],
    target: &ExportTarget,
    group_bytes: u64,
    out: &mut Staged,
) -> Result<Vec<String>> {
    let (mut shape, mut typed, mut losses) = (Shape::default(), None::<Typed>, Losses::default());
    for (path, info) in parts {
        match &info.content {
            PartContent::Rows {
                shape: Some(later),
                typed: more,
            } => {
                shape.merge(later);
                match (&mut typed, more) {
                    (Some(typed), Some(more)) => typed.merge(more),
                    (typed, more) => *typed = more.clone(),
                }
            }
            _ => bail!(
                "the part `{}` was not written for a columnar export",
                path.display()
            ),
        }
        losses.merge(&info.losses);
    }
    let (mut schema, mut notes) = match &typed {
        Some(typed) => typed.columns(&shape)?,
        None => (Schema::new(shape.columns()), Vec::new()),
    };
    let inferred = |name: &str| {
        typed.is_none()
            || schema
                .field_with_name(name)
                .is_ok_and(|field| Some(field) == shape.column(name).as_ref())
    };
    notes.extend(shape.notes(inferred));
    let mut losses = shape.losses(&losses);
    // A column with a type of the input holds what it held there.
    let is_in = |path: &str, name: &str| {
        path.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let typed: Vec<&String> = schema
        .fields()
        .iter()
        .map(|field| field.name())
        .filter(|name| !inferred(name))
        .collect();
    losses.retain(|path, loss| {
        loss == Loss::Surrogate || !typed.iter().any(|name| is_in(path, name))
    });
    notes.extend(losses.notes());
    notes.extend(
        alike(schema.fields().iter().map(|f| f.name().as_str()))
            .into_iter()
            .map(|(a, b)| differ_by_case(&a, &b)),
    );
    if target.format == ExportFormat::Parquet {
        notes.extend(empty_struct_notes(&schema));
        schema = for_parquet(&schema).as_ref().clone();
    }
    let schema = Arc::new(schema);
    if schema.fields().is_empty() && parts.iter().any(|(_, info)| info.rows > 0) {
        return Err(UserError::new(
            "export_path",
            "the rows have no fields, so they cannot be columns",
        )
        .hint("export as `.jsonl`")
        .into());
    }
    let stream = LineStream::open(parts.iter().map(|(path, info)| (path.clone(), info.bytes)))?;
    let mut start = 0;
    loop {
        let shard_end = match target.shard_size {
            Some(size) => stream.row_end(start, start.saturating_add(size))?,
            None => stream.len(),
        };
        let mut writer = Writer::new(out.start()?, target.format, &schema)?;
        while start < shard_end {
            let mut groups = Vec::new();
            while start < shard_end && groups.len() < rayon::current_num_threads() {
                let end = stream.row_end(start, start + group_bytes)?.min(shard_end);
                let mut lines = Vec::with_capacity((end - start) as usize);
                stream.range(start, end).read_to_end(&mut lines)?;
                groups.push(lines);
                start = end;
            }
            writer.write(groups, |lines| to_columns(&lines, &schema))?;
        }
        out.add(writer.finish()?)?;
        if start == stream.len() {
            return Ok(notes);
        }
    }
}

fn from_columns(
    parts: &[(PathBuf, PartInfo)],
    target: &ExportTarget,
    group_bytes: u64,
    out: &mut Staged,
) -> Result<Vec<String>> {
    let schema = columns_schema(parts)?;
    let rows: u64 = parts.iter().map(|(_, info)| info.rows).sum();
    let bytes: u64 = parts.iter().map(|(_, info)| info.logical_bytes).sum();
    let rows_in = |limit: u64| {
        (u128::from(limit) * u128::from(rows) / u128::from(bytes.max(1))).clamp(1, 1 << 20) as usize
    };
    let (group_rows, shard_rows) = (rows_in(group_bytes), target.shard_size.map(rows_in));
    let mut batches = Batches::new(parts);
    loop {
        let mut writer = Writer::new(out.start()?, target.format, &schema)?;
        let mut left = shard_rows.unwrap_or(usize::MAX);
        let mut ended = false;
        while left > 0 && !ended {
            let mut groups = Vec::new();
            while left > 0 && groups.len() < rayon::current_num_threads() {
                let pieces = batches.take(group_rows.min(left))?;
                let taken: usize = pieces.iter().map(RecordBatch::num_rows).sum();
                if taken == 0 {
                    ended = true;
                    break;
                }
                left -= taken;
                groups.push(pieces);
            }
            writer.write(groups, |pieces| joined(&pieces, &schema))?;
        }
        out.add(writer.finish()?)?;
        if batches.is_done()? {
            let mut losses = Losses::default();
            parts
                .iter()
                .for_each(|(_, info)| losses.merge(&info.losses));
            return Ok(losses.notes());
        }
    }
}

/// The schema that fits all parts. Columns that operators added come last, sorted by name, because
/// the order in which they first appear depends on the partitions.
fn columns_schema(parts: &[(PathBuf, PartInfo)]) -> Result<SchemaRef> {
    let mut all: Option<Schema> = None;
    let mut given = 0;
    for (path, info) in parts {
        let PartContent::Columns {
            schema,
            input_columns,
        } = &info.content
        else {
            bail!("the part `{}` does not hold columns", path.display())
        };
        let schema = decode_schema(schema)?;
        given = *input_columns;
        all = Some(match all {
            None => schema,
            Some(known) => unify(&known, &schema).map_err(|clash| {
                anyhow!(
                    "the types of `{}` in the parts do not go together",
                    clash.path
                )
            })?,
        });
    }
    let all = all.context("there are no parts")?;
    let mut fields = all.fields().to_vec();
    fields[given..].sort_by(|a, b| a.name().cmp(b.name()));
    let mut metadata = all.metadata().clone();
    if let Some(text) = metadata
        .remove(hugging_face::KEY)
        .and_then(|text| hugging_face::completed(&text, &fields.clone().into()))
    {
        metadata.insert(hugging_face::KEY, text);
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
}

/// The record batches of all parts, for cutting anew.
struct Batches {
    parts: std::vec::IntoIter<PathBuf>,
    open: Option<OpenPart>,
    rest: Option<RecordBatch>,
}

struct OpenPart {
    /// The streams read through clones of it, which share its position.
    file: File,
    stream: Option<StreamReader<File>>,
    path: PathBuf,
}

impl Batches {
    fn new(parts: &[(PathBuf, PartInfo)]) -> Self {
        Self {
            parts: parts
                .iter()
                .map(|(path, _)| path.clone())
                .collect::<Vec<_>>()
                .into_iter(),
            open: None,
            rest: None,
        }
    }

    /// The next `rows` rows; fewer only at the end.
    fn take(&mut self, rows: usize) -> Result<Vec<RecordBatch>> {
        let mut left = rows;
        let mut taken = Vec::new();
        while left > 0 {
            let Some(batch) = self.next()? else { break };
            let now = left.min(batch.num_rows());
            if now < batch.num_rows() {
                self.rest = Some(batch.slice(now, batch.num_rows() - now));
            }
            taken.push(batch.slice(0, now));
            left -= now;
        }
        Ok(taken)
    }

    fn is_done(&mut self) -> Result<bool> {
        self.rest = self.next()?;
        Ok(self.rest.is_none())
    }

    /// The next batch that is not empty.
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        loop {
            if let Some(open) = &mut self.open {
                match open
                    .next()
                    .with_context(|| format!("cannot read the part `{}`", open.path.display()))?
                {
                    Some(batch) if batch.num_rows() > 0 => return Ok(Some(batch)),
                    Some(_) => continue,
                    None => self.open = None,
                }
            }
            let Some(path) = self.parts.next() else {
                return Ok(None);
            };
            let file = File::open(&path)
                .with_context(|| format!("cannot open the part `{}`", path.display()))?;
            self.open = Some(OpenPart {
                file,
                stream: None,
                path,
            });
        }
    }
}

impl OpenPart {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(stream) = &mut self.stream {
                if let Some(batch) = stream.next() {
                    return Ok(Some(batch?));
                }
                self.stream = None;
            }
            if self.file.stream_position()? == self.file.metadata()?.len() {
                return Ok(None);
            }
            self.stream = Some(StreamReader::try_new(self.file.try_clone()?, None)?);
        }
    }
}

/// Concatenates the pieces to one record batch of `schema`.
fn joined(pieces: &[RecordBatch], schema: &SchemaRef) -> Result<RecordBatch> {
    let rows: usize = pieces.iter().map(RecordBatch::num_rows).sum();
    let columns = schema.fields().iter().map(|field| {
        let arrays = pieces
            .iter()
            .map(|piece| match piece.column_by_name(field.name()) {
                Some(column) => conform(column, field.data_type()),
                None => Ok(new_null_array(field.data_type(), piece.num_rows())),
            });
        let arrays: Vec<ArrayRef> = arrays.collect::<Result<_>>()?;
        let joined = concat(&arrays.iter().map(|a| &**a).collect::<Vec<_>>())?;
        Ok(match field.data_type() {
            // The concatenated dictionary depends on how the rows were cut: rebuild it in the order
            // of the values.
            DataType::Dictionary(_, values) => cast(&cast(&joined, values)?, field.data_type())?,
            _ => joined,
        })
    });
    let columns = columns.collect::<Result<_>>()?;
    Ok(RecordBatch::try_new_with_options(
        schema.clone(),
        columns,
        &RecordBatchOptions::new().with_row_count(Some(rows)),
    )?)
}

/// A file being written, one group at a time.
enum Writer {
    Parquet(
        SerializedFileWriter<BufWriter<AtomicFile>>,
        ArrowRowGroupWriterFactory,
    ),
    Arrow(StreamWriter<BufWriter<AtomicFile>>),
}

impl Writer {
    fn new(file: AtomicFile, format: ExportFormat, schema: &SchemaRef) -> Result<Self> {
        let file = BufWriter::with_capacity(256 << 10, file);
        Ok(if format == ExportFormat::Parquet {
            // Level 1 is as fast as snappy here and a quarter smaller.
            // Readers look for `huggingface` and `pandas` next to Arrow's schema, not in it.
            let described = schema
                .metadata()
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
                .collect();
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
                .set_key_value_metadata(
                    Some(described).filter(|described: &Vec<KeyValue>| !described.is_empty()),
                )
                .build();
            let mut options = ArrowWriterOptions::new().with_properties(properties);
            if let Some(schema) = parquet_schema(schema)? {
                options = options.with_parquet_schema(schema);
            }
            let (writer, factory) =
                ArrowWriter::try_new_with_options(file, schema.clone(), options)?
                    .into_serialized_writer()?;
            Self::Parquet(writer, factory)
        } else {
            Self::Arrow(StreamWriter::try_new(file, schema)?)
        })
    }

    /// Makes and encodes the groups in parallel; writes them in order.
    fn write<T: Send>(
        &mut self,
        groups: Vec<T>,
        make: impl Fn(T) -> Result<RecordBatch> + Sync + Send,
    ) -> Result<()> {
        match self {
            Self::Parquet(writer, factory) => {
                let factory = &*factory;
                let first = writer.flushed_row_groups().len();
                let encode = |(i, group): (usize, T)| encode(&make(group)?, factory, first + i);
                let encoded: Vec<Vec<ArrowColumnChunk>> = groups
                    .into_par_iter()
                    .enumerate()
                    .map(encode)
                    .collect::<Result<_>>()?;
                for chunks in encoded {
                    let mut group = writer.next_row_group()?;
                    chunks
                        .into_iter()
                        .try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
                    group.close()?;
                }
            }
            Self::Arrow(writer) => {
                let made: Vec<RecordBatch> =
                    groups.into_par_iter().map(&make).collect::<Result<_>>()?;
                made.iter().try_for_each(|batch| writer.write(batch))?;
            }
        }
        Ok(())
    }

    /// The file, with all of it written.
    fn finish(self) -> Result<AtomicFile> {
        let out = match self {
            Self::Parquet(writer, _) => writer.into_inner()?,
            Self::Arrow(writer) => writer.into_inner()?,
        };
        Ok(out.into_inner().map_err(|e| e.into_error())?)
    }
}

fn encode(
    batch: &RecordBatch,
    factory: &ArrowRowGroupWriterFactory,
    group: usize,
) -> Result<Vec<ArrowColumnChunk>> {
    let mut writers = factory.create_column_writers(group)?.into_iter();
    let mut chunks = Vec::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        for leaf in compute_leaves(field, array)? {
            let mut writer = writers
                .next()
                .context("fewer column writers than columns")?;
            writer.write(&leaf)?;
            chunks.push(writer.close()?);
        }
    }
    Ok(chunks)
}
