//! Stores the rows of a partition in a file: Parquet, Arrow IPC or JSON lines, in any compression.
//! Reading returns exactly the rows that were written.
//!
//! The columns of Parquet and Arrow are `__row__` (the row's id); for JSON rows `__raw__` (the row
//! with all changes spliced in; null if the input has it) and `__patch__` (turns the input's row
//! into it; null if they are equal); for columnar rows their own columns (see
//! [`columns`](super::columns)); then the stats as `__dj__stats__.KEY`. [`lines`] describes JSON
//! lines.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, RecordBatch, RecordBatchReader, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::differences::Memo;
use super::{columns, lines};
use crate::config::{Compression, StorageFormat};
use crate::data::io::compression::{Encoder, decoder};
use crate::data::{Batch, STATS, Stat, render};
use crate::rundir::AtomicFile;
use crate::rundir::checksum::ChecksumWriter;

pub(crate) const ROW: &str = "__row__";
pub(crate) const RAW: &str = "__raw__";
const PATCH: &str = "__patch__";
/// Size at which a Parquet row group ends, which bounds the writer's memory: there is one for each
/// checkpoint that is written at the same time.
const ROW_GROUP_BYTES: usize = 2 << 20;

/// The file's extension: `parquet`, `arrow`, `jsonl.gz`, …
pub(crate) fn extension(format: StorageFormat, compression: Compression) -> &'static str {
    use Compression as C;
    match (format, compression) {
        (StorageFormat::Parquet, _) => "parquet",
        (StorageFormat::Arrow, C::Gzip) => "arrow.gz",
        (StorageFormat::Arrow, C::Snappy) => "arrow.sz",
        (StorageFormat::Arrow, _) => "arrow",
        (StorageFormat::Jsonl, C::None) => "jsonl",
        (StorageFormat::Jsonl, C::Gzip) => "jsonl.gz",
        (StorageFormat::Jsonl, C::Snappy) => "jsonl.sz",
        (StorageFormat::Jsonl, C::Zstd) => "jsonl.zst",
        (StorageFormat::Jsonl, C::Lz4) => "jsonl.lz4",
    }
}

/// Rows as they are stored.
pub(crate) struct Stored {
    /// `raw` is null where the row can be read from the input.
    pub batch: Batch,
    /// Turns the input's row into this one; null if they are equal.
    pub patch: Option<BinaryViewArray>,
}

impl Stored {
    /// Converts `batch` to the stored form. `whole`: store every row whole. `memo` is of the rows
    /// that were stored last.
    pub(crate) fn new(batch: &Batch, whole: bool, memo: &mut Memo) -> Result<Self> {
        let mut stored = Self {
            batch: batch.clone(),
            patch: None,
        };
        if batch.raw.is_none() {
            return Ok(stored);
        }
        stored.batch.columns.clear();
        stored.batch.origin = None;
        if whole {
            stored.batch.raw = Some(render(batch)?);
            return Ok(stored);
        }
        stored.batch.stored = None;
        let [rows, patches] = memo.differences(batch)?;
        stored.batch.raw = Some(rows);
        stored.patch = Some(patches);
        Ok(stored)
    }
}

impl Stored {
    /// The rows from number `first` on.
    pub(crate) fn from(self, first: usize) -> Self {
        if first == 0 {
            return self;
        }
        let rows = self.batch.rows() - first;
        Self {
            batch: self.batch.slice(first, rows),
            patch: self.patch.map(|patch| patch.slice(first, rows)),
        }
    }
}

type Sink = BufWriter<ChecksumWriter<AtomicFile>>;

enum Writer {
    /// No rows yet: the first batch decides the schema.
    Waiting(Sink),
    Parquet(Box<ArrowWriter<Sink>>),
    Arrow(Box<StreamWriter<Encoder<Sink>>>),
    Jsonl(Encoder<Sink>),
}

/// Writes the rows of one partition.
pub(crate) struct RowsWriter {
    writer: Option<Writer>,
    format: StorageFormat,
    compression: Compression,
    rows: u64,
}

impl RowsWriter {
    /// Starts a file in the given format.
    pub(crate) fn new(file: AtomicFile, format: StorageFormat, compression: Compression) -> Self {
        let sink = BufWriter::with_capacity(256 << 10, ChecksumWriter::new(file));
        Self {
            writer: Some(Writer::Waiting(sink)),
            format,
            compression,
            rows: 0,
        }
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, stored: &Stored) -> Result<()> {
        let rows = stored.batch.rows();
        if rows == 0 {
            return Ok(());
        }
        self.rows += rows as u64;
        let table = to_table(stored, self.format)?;
        let writer = match self.writer.take().context("written after an error")? {
            Writer::Waiting(sink) => open(sink, self.format, self.compression, &table)?,
            open => open,
        };
        self.writer = Some(match writer {
            Writer::Parquet(mut w) => {
                w.write(&table)?;
                if w.in_progress_size() > ROW_GROUP_BYTES {
                    w.flush()?;
                }
                Writer::Parquet(w)
            }
            Writer::Arrow(mut w) => {
                w.write(&table)?;
                Writer::Arrow(w)
            }
            Writer::Jsonl(mut w) => {
                lines::write(&mut w, &table)?;
                Writer::Jsonl(w)
            }
            Writer::Waiting(_) => unreachable!("opened above"),
        });
        Ok(())
    }

    /// Returns the file, not yet committed, with its rows, bytes and checksum.
    pub(crate) fn finish(mut self) -> Result<(AtomicFile, u64, u64, String)> {
        let sink = match self.writer.take().context("finished after an error")? {
            Writer::Waiting(sink) => sink,
            Writer::Parquet(w) => w.into_inner()?,
            Writer::Arrow(w) => w.into_inner()?.finish()?,
            Writer::Jsonl(w) => w.finish()?,
        };
        let summing = sink.into_inner().map_err(|e| anyhow::anyhow!("{e}"))?;
        let (file, checksum, bytes) = summing.into_parts();
        Ok((file, self.rows, bytes, checksum))
    }
}

fn open(
    sink: Sink,
    format: StorageFormat,
    compression: Compression,
    table: &RecordBatch,
) -> Result<Writer> {
    Ok(match format {
        StorageFormat::Parquet => {
            let codec = match compression {
                Compression::None => Codec::UNCOMPRESSED,
                Compression::Snappy => Codec::SNAPPY,
                Compression::Gzip => Codec::GZIP(GzipLevel::try_new(3)?),
                Compression::Zstd => Codec::ZSTD(ZstdLevel::try_new(1)?),
                Compression::Lz4 => Codec::LZ4_RAW,
            };
            // Nobody queries a checkpoint, so it has no statistics; rows hardly ever repeat, so it
            // has no dictionary.
            let properties = WriterProperties::builder()
                .set_compression(codec)
                .set_dictionary_enabled(false)
                .set_statistics_enabled(EnabledStatistics::None)
                .build();
            Writer::Parquet(Box::new(ArrowWriter::try_new(
                sink,
                table.schema(),
                Some(properties),
            )?))
        }
        StorageFormat::Arrow => {
            let (inside, outside) = match compression {
                Compression::Zstd => (Some(arrow::ipc::CompressionType::ZSTD), Compression::None),
                Compression::Lz4 => (
                    Some(arrow::ipc::CompressionType::LZ4_FRAME),
                    Compression::None,
                ),
                stream => (None, stream),
            };
            let options = IpcWriteOptions::default().try_with_compression(inside)?;
            Writer::Arrow(Box::new(StreamWriter::try_new_with_options(
                Encoder::new(sink, outside)?,
                &table.schema(),
                options,
            )?))
        }
        StorageFormat::Jsonl => Writer::Jsonl(Encoder::new(sink, compression)?),
    })
}

fn to_table(Stored { batch, patch }: &Stored, format: StorageFormat) -> Result<RecordBatch> {
    let mut fields = vec![Field::new(ROW, DataType::UInt64, false)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(batch.ids.clone())];
    let mut add = |field: Field, array: ArrayRef| {
        fields.push(field);
        arrays.push(match array.data_type() {
            // Arrow's form would contain the whole buffers behind the views.
            DataType::BinaryView if format != StorageFormat::Parquet => {
                Arc::new(array.as_binary_view().gc())
            }
            DataType::Utf8View if format != StorageFormat::Parquet => {
                Arc::new(array.as_string_view().gc())
            }
            _ => array,
        });
    };
    let named = |name: String, array: &ArrayRef| Field::new(name, array.data_type().clone(), true);
    match &batch.raw {
        Some(raw) => add(
            Field::new(RAW, DataType::BinaryView, true),
            Arc::new(raw.clone()),
        ),
        None => columns::store(batch, &mut add),
    }
    if let Some(patch) = patch {
        add(
            Field::new(PATCH, DataType::BinaryView, true),
            Arc::new(patch.clone()),
        );
    }
    batch.stats.iter().for_each(|s| {
        add(
            named(format!("{STATS}.{}", s.key), &s.data),
            Arc::clone(&s.data),
        )
    });
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

pub(crate) fn from_table(table: &RecordBatch) -> Result<Stored> {
    let mut patch = None;
    let schema = table.schema();
    let mut batch = Batch {
        ids: UInt64Array::from(Vec::<u64>::new()),
        raw: None,
        origin: None,
        stored: None,
        columns: Vec::new(),
        stats: Vec::new(),
    };
    for (field, array) in schema.fields().iter().zip(table.columns()) {
        match field.name().as_str() {
            _ if columns::is_column(field) => columns::restore(&mut batch.columns, field, array)?,
            ROW => {
                batch.ids = array
                    .as_primitive_opt::<UInt64Type>()
                    .context("`__row__` is not a row id")?
                    .clone()
            }
            RAW => {
                batch.raw = Some(
                    arrow::compute::cast(array, &DataType::BinaryView)?
                        .as_binary_view()
                        .clone(),
                )
            }
            PATCH => {
                patch = Some(
                    arrow::compute::cast(array, &DataType::BinaryView)?
                        .as_binary_view()
                        .clone(),
                )
            }
            name => match name.strip_prefix(STATS).and_then(|n| n.strip_prefix('.')) {
                Some(key) => batch.stats.push(Stat {
                    key: key.into(),
                    data: Arc::clone(array),
                }),
                None => columns::restore(&mut batch.columns, field, array)?,
            },
        }
    }
    ensure!(batch.ids.len() == table.num_rows(), "rows without ids");
    Ok(Stored { batch, patch })
}

/// Reads the rows of a file in batches.
pub(crate) struct RowsReader {
    inner: Reader,
}

enum Reader {
    Empty,
    Batches(Box<dyn RecordBatchReader + Send>),
    Lines(Box<dyn BufRead + Send>),
}

impl RowsReader {
    /// Opens a file that [`RowsWriter`] wrote, with `rows` rows in `bytes` bytes. Batches have
    /// about `batch_bytes`.
    pub(crate) fn open(
        path: &Path,
        format: StorageFormat,
        compression: Compression,
        rows: u64,
        batch_bytes: usize,
    ) -> Result<Self> {
        let at = || format!("cannot read `{}`", path.display());
        let file = File::open(path).with_context(at)?;
        if rows == 0 {
            return Ok(Self {
                inner: Reader::Empty,
            });
        }
        let inner = match format {
            StorageFormat::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(file).with_context(at)?;
                let unpacked: i64 = builder
                    .metadata()
                    .row_groups()
                    .iter()
                    .map(|g| g.total_byte_size())
                    .sum();
                let per_row = (unpacked as u64 / rows).max(1) as usize;
                // Counts rows, not bytes, and huge rows come in runs: a quarter of the mean keeps a
                // batch of such rows small.
                let size = (batch_bytes / 4 / per_row).clamp(1, 8192);
                Reader::Batches(Box::new(
                    builder.with_batch_size(size).build().with_context(at)?,
                ))
            }
            StorageFormat::Arrow => {
                let outside = if matches!(compression, Compression::Zstd | Compression::Lz4) {
                    Compression::None
                } else {
                    compression
                };
                let stream =
                    decoder(BufReader::with_capacity(256 << 10, file), outside).with_context(at)?;
                Reader::Batches(Box::new(
                    StreamReader::try_new(stream, None).with_context(at)?,
                ))
            }
            StorageFormat::Jsonl => {
                let stream = decoder(BufReader::with_capacity(256 << 10, file), compression)
                    .with_context(at)?;
                Reader::Lines(Box::new(BufReader::with_capacity(256 << 10, stream)))
            }
        };
        Ok(Self { inner })
    }
}

impl Iterator for RowsReader {
    type Item = Result<Stored>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.inner {
            Reader::Empty => None,
            Reader::Batches(reader) => reader.next().map(|table| from_table(&table?)),
            Reader::Lines(reader) => lines::read(reader.as_mut()).transpose(),
        }
    }
}
