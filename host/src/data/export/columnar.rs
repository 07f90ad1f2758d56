//! Assembles columnar exports, Parquet and Arrow, from the parts. Row group boundaries depend on
//! the rows alone.

use super::columnar_file::ColumnarFile;
use super::part::{PartContent, PartInfo};
use super::staging::Staged;
use super::stream::LineStream;
use super::target::{ExportFormat, ExportTarget};
use crate::data::columns::conform::conform;
use crate::data::columns::from_json::to_columns;
use crate::data::columns::hugging_face;
use crate::data::columns::schema::decode_schema;
use crate::data::columns::storable::{empty_struct_notes, for_parquet};
use crate::data::columns::typed::Typed;
use crate::data::columns::unique::{alike, differ_by_case};
use crate::data::columns::widen::unify;
use crate::data::json::schema_inference::Shape;
use crate::data::losses::{Loss, Losses};
use crate::error::UserError;
use anyhow::{Context, Result, anyhow, bail};
use arrow::array::{ArrayRef, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use std::fs::File;
use std::io::Seek;
use std::path::PathBuf;
use std::sync::Arc;

/// Size of a Parquet row group's rows before encoding. Large enough to scan well, small enough to
/// hold a few in memory.
const ROW_GROUP_BYTES: u64 = 64 << 20;

/// Size of the rows that are encoded at once. Small enough for the second-level cache, large enough
/// for a data page; whole row groups cost a fifth more, for new pages of memory. Which rows are in a
/// piece depends on the rows alone, as the encoder may end a page with it.
const PIECE_BYTES: u64 = 1 << 20;

/// Size of the rows of a record batch of an Arrow stream.
const ARROW_BATCH_BYTES: u64 = 8 << 20;

/// Writes the export; returns a note for each column that does not hold the values as they were.
pub(crate) fn assemble(
    parts: &[(PathBuf, PartInfo)],
    target: &ExportTarget,
    out: &mut Staged,
) -> Result<Vec<String>> {
    let sizes = if target.format == ExportFormat::Parquet {
        [ROW_GROUP_BYTES, PIECE_BYTES]
    } else {
        [ARROW_BATCH_BYTES; 2]
    };
    let sizes = sizes.map(|bytes| target.shard_size.unwrap_or(bytes).clamp(1, bytes));
    let sizes = (sizes[0], sizes[1]);
    let columns = parts
        .iter()
        .any(|(_, info)| matches!(info.content, PartContent::Columns { .. }));
    if columns {
        from_columns(parts, target, sizes, out)
    } else {
        from_rows(parts, target, sizes, out)
    }
}

fn from_rows(
    parts: &[(PathBuf, PartInfo)],
    target: &ExportTarget,
    (group_bytes, piece_bytes): (u64, u64),
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
        let mut writer = ColumnarFile::new(out.start()?, target.format, &schema)?;
        while start < shard_end {
            let mut groups = Vec::new();
            while start < shard_end && groups.len() < rayon::current_num_threads() {
                let end = stream.row_end(start, start + group_bytes)?.min(shard_end);
                groups.push((start, end));
                start = end;
            }
            writer.write(groups, |(start, end)| {
                let pieces = stream.pieces(start, end, piece_bytes);
                pieces.map(|lines| to_columns(&lines?, &schema))
            })?;
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
    (group_bytes, piece_bytes): (u64, u64),
    out: &mut Staged,
) -> Result<Vec<String>> {
    let schema = columns_schema(parts)?;
    let rows: u64 = parts.iter().map(|(_, info)| info.rows).sum();
    let bytes: u64 = parts.iter().map(|(_, info)| info.logical_bytes).sum();
    let rows_in = |limit: u64| {
        (u128::from(limit) * u128::from(rows) / u128::from(bytes.max(1))).clamp(1, 1 << 20) as usize
    };
    let (group_rows, shard_rows) = (rows_in(group_bytes), target.shard_size.map(rows_in));
    let piece_rows = rows_in(piece_bytes);
    let mut batches = Batches::new(parts);
    let threads = rayon::current_num_threads();
    loop {
        let mut writer = ColumnarFile::new(out.start()?, target.format, &schema)?;
        let mut left = shard_rows.unwrap_or(usize::MAX);
        while left > 0 && !batches.is_done()? {
            if threads == 1 {
                // Nobody waits, so a group need not be in memory before it is encoded.
                let rows = group_rows.min(left);
                left -= rows;
                let pieces = batches.pieces(rows, piece_rows);
                writer.write_group(pieces.map(|piece| joined(&piece?, &schema)))?;
                continue;
            }
            let mut groups: Vec<Vec<_>> = Vec::new();
            while left > 0 && groups.len() < threads && !batches.is_done()? {
                let rows = group_rows.min(left);
                left -= rows;
                groups.push(batches.pieces(rows, piece_rows).collect::<Result<_>>()?);
            }
            writer.write(groups, |group| {
                group.into_iter().map(|piece| joined(&piece, &schema))
            })?;
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

    /// The next `rows` rows, as far as there are any, in pieces of `piece` rows; the last piece may
    /// be smaller.
    fn pieces(
        &mut self,
        mut rows: usize,
        piece: usize,
    ) -> impl Iterator<Item = Result<Vec<RecordBatch>>> + use<'_> {
        std::iter::from_fn(move || {
            let taken = self.take(piece.min(rows)).transpose()?;
            if let Ok(taken) = &taken {
                rows -= taken.iter().map(RecordBatch::num_rows).sum::<usize>();
            }
            Some(taken)
        })
    }

    /// The next `rows` rows; fewer at the end, None where there are none.
    fn take(&mut self, rows: usize) -> Result<Option<Vec<RecordBatch>>> {
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
        Ok((!taken.is_empty()).then_some(taken))
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
