//! Parts: the output of one partition, from which the export is assembled. JSON lines, or an Arrow IPC stream where the rows are columns
//! and the export is columnar too.

use super::batch::Batch;
use super::columns_out::{ColumnSink, write_json};
use super::columns_schema::{encode_schema, unified_schema};
use super::file::Dataset;
use super::hashed::Hashed;
use super::row_text::{render, write_rows};
use super::shape::Shape;
use super::storable::{check_arrow, check_json, check_parquet, fits_parquet, for_parquet};
use super::target::ExportFormat;
use super::unique::{alike, differ_by_case};
use anyhow::{Context, Result};
use arrow::array::BinaryViewArray;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Text is collected up to this size before it is hashed and written.
const WRITE_BYTES: usize = 256 << 10;

/// What a part must hold so that the export can be made of it.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    format: ExportFormat,
    keep_stats: bool,
    columns: Option<SchemaRef>,
    /// Rows of columns come as JSON rows: parts hold such rows whatever the export is.
    json_rows: bool,
}

impl ExportOptions {
    /// For the rows of `dataset` and an export in `format`, stats included if `keep_stats`. Reads the schemas of columnar files; fails
    /// where they do not agree or `format` has no type for one. `json_rows`: operators make JSON rows of them.
    pub fn new(dataset: &Dataset, format: ExportFormat, keep_stats: bool, json_rows: bool) -> Result<Self> {
        let mut columns = dataset.is_columnar().then(|| unified_schema(dataset)).transpose()?;
        if let Some(schema) = &columns {
            match format {
                ExportFormat::Parquet if !json_rows => {
                    let held = for_parquet(schema);
                    check_parquet(&held)?;
                    columns = Some(held);
                }
                ExportFormat::Arrow if !json_rows => check_arrow(schema)?,
                _ => check_json(schema)?,
            }
        }
        Ok(Self { format, keep_stats, columns, json_rows })
    }

    /// The schema that the rows of columnar files are read in.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.columns.as_ref()
    }

    /// Whether checkpoints of the rows can be Parquet.
    pub fn fits_parquet(&self) -> bool {
        self.columns.as_deref().is_none_or(fits_parquet)
    }

    /// What the user should know of the columns.
    pub fn notes(&self) -> Vec<String> {
        let names = self.columns.iter().flat_map(|schema| schema.fields()).map(|field| field.name().as_str());
        alike(names).into_iter().map(|(a, b)| differ_by_case(&a, &b)).collect()
    }

    /// Appends the rows as JSON lines, as an export of such has them.
    pub fn write_lines(&self, batch: &Batch, out: &mut Vec<u8>) -> Result<()> {
        self.lines(batch, self.keep_stats, out)
    }

    /// The rows as JSON texts, without the stats that operators computed.
    pub fn texts(&self, batch: &Batch) -> Result<BinaryViewArray> {
        if batch.raw.is_some() {
            return render(batch);
        }
        let mut lines = Vec::new();
        self.lines(batch, false, &mut lines)?;
        Ok(BinaryViewArray::from_iter_values(lines.split_inclusive(|b| *b == b'\n').map(|line| &line[..line.len() - 1])))
    }

    fn lines(&self, batch: &Batch, stats: bool, out: &mut Vec<u8>) -> Result<()> {
        match (&batch.raw, &self.columns) {
            (Some(raw), _) => write_rows(batch, raw, stats, out),
            (None, Some(schema)) => write_json(batch, schema, stats, out),
            (None, None) => anyhow::bail!("a batch of columns in a part of JSON rows"),
        }
    }
}

/// What is known of a finished part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartInfo {
    /// Number of rows.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// xxh3-128 of the file, 32 hex digits.
    pub checksum: String,
    /// Size of the values, which does not depend on how the rows are cut into parts and batches: what row groups are measured by.
    pub logical_bytes: u64,
    /// What is in the file.
    pub content: PartContent,
}

/// What is in a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartContent {
    /// JSON lines. `shape` has the types of all fields, if the export is columnar.
    Rows {
        /// See [`Shape`].
        shape: Option<Shape>,
    },
    /// Arrow IPC streams, a new one wherever the columns differ.
    Columns {
        /// The schema that holds all of them, in Arrow's encoding, as hex digits.
        schema: String,
        /// How many of its columns, from the first, are those of the input.
        input_columns: usize,
    },
}

/// Writes one part.
pub struct PartWriter {
    options: ExportOptions,
    path: PathBuf,
    sink: Sink,
    rows: u64,
    logical_bytes: u64,
}

enum Sink {
    Rows { out: Hashed, buffer: Vec<u8>, shape: Option<Shape> },
    Columns(ColumnSink),
}

impl PartWriter {
    /// Creates the file at `path`, which must not matter to anybody yet: the caller commits the part by a rename after [`Self::finish`].
    pub fn create(path: &Path, options: &ExportOptions) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot create `{}`", path.display()))?;
        let out = Hashed::new(file);
        let columnar_export = matches!(options.format, ExportFormat::Parquet | ExportFormat::Arrow);
        let sink = match &options.columns {
            Some(schema) if columnar_export && !options.json_rows => {
                Sink::Columns(ColumnSink::new(out, schema.clone(), options.keep_stats))
            }
            _ => Sink::Rows { out, buffer: Vec::new(), shape: columnar_export.then(Shape::default) },
        };
        Ok(Self { options: options.clone(), path: path.to_owned(), sink, rows: 0, logical_bytes: 0 })
    }

    /// Appends the rows of `batch`.
    pub fn write(&mut self, batch: &Batch) -> Result<()> {
        self.rows += batch.rows() as u64;
        match &mut self.sink {
            Sink::Rows { out, buffer, shape } => {
                let from = buffer.len();
                self.options.write_lines(batch, buffer)?;
                if let Some(shape) = shape {
                    shape.add_rows(&buffer[from..])?;
                }
                if buffer.len() >= WRITE_BYTES {
                    out.write_all(buffer).with_context(|| format!("cannot write `{}`", self.path.display()))?;
                    buffer.clear();
                }
            }
            Sink::Columns(sink) => {
                self.logical_bytes += sink.write(batch).with_context(|| format!("cannot write `{}`", self.path.display()))?;
            }
        }
        Ok(())
    }

    /// Writes what is left and waits until it is on the disk.
    pub fn finish(self) -> Result<PartInfo> {
        let context = || format!("cannot write `{}`", self.path.display());
        let (out, content) = match self.sink {
            Sink::Rows { mut out, buffer, shape } => {
                out.write_all(&buffer).with_context(context)?;
                (out, PartContent::Rows { shape })
            }
            Sink::Columns(sink) => {
                let (out, schema) = sink.finish().with_context(context)?;
                let input_columns = self.options.columns.map_or(0, |c| c.fields().len());
                (out, PartContent::Columns { schema: encode_schema(&schema)?, input_columns })
            }
        };
        out.sync_all().with_context(context)?;
        let logical_bytes = if matches!(content, PartContent::Columns { .. }) { self.logical_bytes } else { out.bytes() };
        Ok(PartInfo { rows: self.rows, bytes: out.bytes(), checksum: out.checksum(), logical_bytes, content })
    }
}
