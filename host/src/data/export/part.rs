//! A part is the output of one partition; the export is assembled from parts. It holds JSON lines,
//! or an Arrow IPC stream if both the rows and the export are columnar.

use super::target::ExportFormat;
use crate::data::batch::{Batch, STATS};
use crate::data::columns::convert::data_type;
use crate::data::columns::hex_texts::{count_bytes, has_bytes};
use crate::data::columns::out::{ColumnSink, new_json_texts, write_json};
use crate::data::columns::schema::{encode_schema, unified_schema, written_type};
use crate::data::columns::storable::{
    check_arrow, check_json, check_parquet, empty_struct_notes, fits_parquet, for_parquet,
};
use crate::data::columns::typed::{Typed, check_way_back};
use crate::data::columns::unique::{alike, differ_by_case};
use crate::data::columns::widen::{has_order, without_order};
use crate::data::input::Dataset;
use crate::data::json::extract::FieldType;
use crate::data::json::row_text::{render, write_rows};
use crate::data::json::schema_inference::Shape;
use crate::data::json::{constants, has_constant, rows, top_level};
use crate::data::losses::{Loss, Losses};
use crate::error::UserError;
use crate::rundir::AtomicFile;
use crate::rundir::checksum::ChecksumWriter;
use anyhow::{Context, Result};
use arrow::array::BinaryViewArray;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::sync::Arc;

/// Text is buffered up to this size, then hashed and written.
const WRITE_BYTES: usize = 256 << 10;

/// Decides what a part holds: all that the export needs.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    format: ExportFormat,
    keep_stats: bool,
    columns: Option<SchemaRef>,
    /// Operators turn rows of columns into JSON: parts hold JSON lines, whatever the export is.
    json_rows: bool,
    /// Names of the dictionary columns whose values have an order in the input.
    ordered: Vec<String>,
    /// What the user should know of the input's columns if they stay columns.
    of_columns: Vec<String>,
    /// Fields that operators make of types that JSON rows lack: they become columns of these.
    made: Vec<FieldRef>,
}

impl ExportOptions {
    /// For the rows of `dataset` and an export in `format`, with the stats of operators if
    /// `keep_stats`. `json_rows` says that operators turn rows of columns into JSON.
    ///
    /// Reads the schemas of columnar files. Fails if they contradict each other, or if `format`
    /// cannot store one of their types.
    pub fn new(
        dataset: &Dataset,
        format: ExportFormat,
        keep_stats: bool,
        json_rows: bool,
    ) -> Result<Self> {
        let (mut columns, mut of_columns) = match dataset.is_columnar() {
            true => unified_schema(dataset).map(|(schema, notes)| (Some(schema), notes))?,
            false => (None, Vec::new()),
        };
        let mut ordered = Vec::new();
        if let Some(schema) = &mut columns {
            let fields = schema.fields();
            let named = fields.iter().filter(|field| has_order(field));
            ordered.extend(named.map(|field| field.name().clone()));
            let fields: Vec<_> = fields.iter().map(without_order).collect();
            *schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        }
        if let (Some(schema), ExportFormat::Parquet) = (&mut columns, format) {
            of_columns.extend(empty_struct_notes(schema));
            *schema = for_parquet(schema);
        }
        if let Some(schema) = &columns {
            if keep_stats {
                check_stats(schema)?;
            }
            if json_rows || !format.is_columnar() {
                check_json(schema)?;
            }
            if json_rows && format.is_columnar() {
                check_way_back(schema)?;
            }
            match format {
                ExportFormat::Parquet => check_parquet(schema)?,
                ExportFormat::Arrow => check_arrow(schema)?,
                ExportFormat::Jsonl | ExportFormat::Json => {}
            }
        }
        Ok(Self {
            format,
            keep_stats,
            columns,
            json_rows,
            ordered,
            of_columns,
            made: Vec::new(),
        })
    }

    /// The same where operators make fields of these types.
    #[must_use]
    pub fn with_made(mut self, fields: impl IntoIterator<Item = (String, FieldType)>) -> Self {
        let is_lost = |ty| {
            matches!(
                ty,
                FieldType::Bytes | FieldType::BytesList | FieldType::Vector(_)
            )
        };
        let columns = self.columns.clone();
        let is_in = |name: &str| {
            let columns = columns.as_ref();
            columns.is_some_and(|columns| columns.fields().find(name).is_some())
        };
        for (name, ty) in fields {
            let is_known = self.made.iter().any(|field| *field.name() == name);
            if is_lost(ty) && !name.contains('.') && !is_in(&name) && !is_known {
                let ty = written_type(&data_type(ty));
                self.made.push(Arc::new(Field::new(name, ty, true)));
            }
        }
        self
    }

    /// The types that columns have again where rows were JSON on their way to the export.
    fn remembered(&self) -> Result<Option<Typed>> {
        if !self.format.is_columnar() || (self.columns.is_none() && self.made.is_empty()) {
            return Ok(None);
        }
        let schema = match &self.columns {
            Some(schema) => schema.as_ref().clone(),
            None => Schema::empty(),
        };
        let fields: Vec<FieldRef> = schema.fields().iter().chain(&self.made).cloned().collect();
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        Typed::new(&Arc::new(schema)).map(Some)
    }

    /// The schema in which rows of columnar files are read; `None` for JSON rows.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.columns.as_ref()
    }

    /// Whether Parquet can store the rows, for checkpoints.
    pub fn fits_parquet(&self) -> bool {
        self.columns.as_deref().is_none_or(fits_parquet)
    }

    /// Whether rows of columns become JSON on their way to the export.
    pub fn makes_json(&self) -> bool {
        self.columns.is_some() && (self.json_rows || !self.format.is_columnar())
    }

    /// Whether rows of columns stay columns to the end. New values must then have the columns' types.
    pub fn keeps_columns(&self) -> bool {
        self.columns.is_some() && !self.makes_json()
    }

    /// Sentences for the user about what happens to the columns.
    pub fn notes(&self) -> Vec<String> {
        let Some(columns) = &self.columns else {
            return Vec::new();
        };
        let names = columns.fields().iter().map(|field| field.name().as_str());
        let mut notes: Vec<String> = alike(names)
            .into_iter()
            .map(|(a, b)| differ_by_case(&a, &b))
            .collect();
        if self.format.is_columnar() {
            notes.extend(self.ordered.iter().map(|name| {
                format!(
                    "column `{name}` is a dictionary with an order (an ordered Categorical of pandas): all values are kept; the order, and \
                     categories that no row has, are not"
                )
            }));
            notes.extend(self.of_columns.iter().cloned());
        }
        if self.json_rows {
            notes.extend(self.bytes_as_text(columns));
        }
        notes
    }

    /// A sentence about the columns whose bytes operators see as text, if there are any.
    fn bytes_as_text(&self, columns: &SchemaRef) -> Option<String> {
        let bytes: Vec<String> = columns
            .fields()
            .iter()
            .filter(|f| has_bytes(f.data_type()))
            .map(|f| format!("`{}`", f.name()))
            .collect();
        if bytes.is_empty() {
            return None;
        }
        let after = if self.format.is_columnar() {
            "; in the export they are bytes again"
        } else {
            ""
        };
        let (columns, are) = if bytes.len() == 1 {
            ("column", "is")
        } else {
            ("columns", "are")
        };
        Some(format!(
            "{columns} {} {are} bytes: operators that get rows as JSON see hexadecimal digits{after}",
            bytes.join(", ")
        ))
    }

    /// Appends the rows as the JSON lines of an export.
    pub fn write_lines(&self, batch: &Batch, out: &mut Vec<u8>) -> Result<()> {
        self.lines(batch, self.keep_stats, &mut Losses::default(), out)
    }

    /// The rows as JSON texts, without the stats that operators computed.
    pub fn texts(&self, batch: &Batch) -> Result<BinaryViewArray> {
        if batch.raw.is_some() {
            return render(batch);
        }
        let mut lines = Vec::new();
        self.lines(batch, false, &mut Losses::default(), &mut lines)?;
        Ok(BinaryViewArray::from_iter_values(rows(&lines)))
    }

    fn lines(
        &self,
        batch: &Batch,
        stats: bool,
        losses: &mut Losses,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        match (&batch.raw, &self.columns) {
            (Some(raw), _) => write_rows(batch, raw, stats, losses, out),
            (None, Some(schema)) => write_json(batch, schema, stats, losses, out),
            (None, None) => anyhow::bail!("a batch of columns in a part of JSON rows"),
        }
    }
}

/// Fails if the input has a column where the stats of operators go, and it cannot take them.
fn check_stats(schema: &SchemaRef) -> Result<()> {
    let Ok(field) = schema.field_with_name(STATS) else {
        return Ok(());
    };
    if matches!(field.data_type(), DataType::Struct(_) | DataType::Null) {
        return Ok(());
    }
    let message = format!(
        "the stats of operators are written into `{STATS}`, but the input has a column of that name, which is {} and no struct",
        field.data_type()
    );
    Err(UserError::new("keep_stats_in_res_ds", message)
        .hint("set it to false, or give the column another name")
        .into())
}

/// What is known of a finished part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartInfo {
    /// Number of rows.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// xxh3-128 of the file, 32 hex digits.
    pub checksum: String,
    /// Size of the values. It does not depend on how the rows are cut into parts and batches, so row
    /// groups are measured by it.
    pub logical_bytes: u64,
    /// What is in the file.
    pub content: PartContent,
    /// Values that the export cannot hold as they are.
    #[serde(default)]
    pub losses: Losses,
}

/// What is in a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PartContent {
    /// JSON lines.
    Rows {
        /// The types of all fields, if the export is columnar.
        shape: Option<Shape>,
        /// The types of the input's columns, if the rows come from columns, and of fields that
        /// operators made.
        #[serde(default)]
        typed: Option<Typed>,
    },
    /// Arrow IPC streams; a new one begins wherever the columns change.
    Columns {
        /// A schema that fits all streams, in Arrow's encoding, as hex digits.
        schema: String,
        /// How many of its columns are the input's. They come first.
        input_columns: usize,
    },
}

/// Writes one part.
pub(crate) struct PartWriter {
    options: ExportOptions,
    sink: Sink,
    rows: u64,
    logical_bytes: u64,
    losses: Losses,
}

enum Sink {
    Rows {
        out: ChecksumWriter<AtomicFile>,
        buffer: Vec<u8>,
        shape: Option<Shape>,
        typed: Option<Typed>,
    },
    Columns(ColumnSink),
}

impl PartWriter {
    /// Writes to `file`, which the caller commits after [`Self::finish`].
    pub(crate) fn new(file: AtomicFile, options: &ExportOptions) -> Result<Self> {
        let out = ChecksumWriter::new(file);
        let columnar_export = options.format.is_columnar();
        let sink = match &options.columns {
            Some(schema) if columnar_export && !options.json_rows => {
                Sink::Columns(ColumnSink::new(out, schema.clone(), options.keep_stats))
            }
            _ => Sink::Rows {
                out,
                buffer: Vec::new(),
                shape: columnar_export.then(Shape::default),
                typed: options.remembered()?,
            },
        };
        Ok(Self {
            options: options.clone(),
            sink,
            rows: 0,
            logical_bytes: 0,
            losses: Losses::default(),
        })
    }

    /// Appends the rows of `batch`.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<()> {
        self.rows += batch.rows() as u64;
        match &mut self.sink {
            Sink::Rows {
                out,
                buffer,
                shape,
                typed,
            } => {
                let from = buffer.len();
                let mut losses = Losses::default();
                self.options
                    .lines(batch, self.options.keep_stats, &mut losses, buffer)?;
                let lines = &buffer[from..];
                match shape {
                    // What only JSON cannot hold is no loss: the export is columnar.
                    Some(shape) => {
                        losses.retain(|_, loss| loss == Loss::Replaced);
                        self.losses.merge(&losses);
                        shape.add_rows(lines, &mut self.losses)?;
                        typed
                            .as_mut()
                            .map_or(Ok(()), |typed| typed.add_rows(lines))?;
                    }
                    None => {
                        self.losses.merge(&losses);
                        if self.options.makes_json() && batch.raw.is_some() {
                            count_constants(lines, &mut self.losses)?;
                            if let Some(columns) = &self.options.columns {
                                count_bytes(lines, columns, &mut self.losses)?;
                            }
                        }
                    }
                }
                if buffer.len() >= WRITE_BYTES {
                    out.write_all(buffer)?;
                    buffer.clear();
                }
            }
            Sink::Columns(sink) => {
                for (path, count) in self
                    .options
                    .columns
                    .iter()
                    .flat_map(|schema| new_json_texts(batch, schema))
                {
                    self.losses.add(path, Loss::JsonText, count);
                }
                self.logical_bytes += sink.write(batch).context("cannot store the rows")?;
            }
        }
        Ok(())
    }

    /// Writes what is left; returns the file, which the caller has to commit.
    pub(crate) fn finish(self) -> Result<(AtomicFile, PartInfo)> {
        let (out, content) = match self.sink {
            Sink::Rows {
                mut out,
                buffer,
                shape,
                typed,
            } => {
                out.write_all(&buffer)?;
                (out, PartContent::Rows { shape, typed })
            }
            Sink::Columns(sink) => {
                let (out, schema) = sink.finish().context("cannot store the rows")?;
                let input_columns = self.options.columns.map_or(0, |c| c.fields().len());
                (
                    out,
                    PartContent::Columns {
                        schema: encode_schema(&schema)?,
                        input_columns,
                    },
                )
            }
        };
        let (file, checksum, bytes) = out.into_parts();
        let logical_bytes = if matches!(content, PartContent::Columns { .. }) {
            self.logical_bytes
        } else {
            bytes
        };
        let info = PartInfo {
            rows: self.rows,
            bytes,
            checksum,
            logical_bytes,
            content,
            losses: self.losses,
        };
        Ok((file, info))
    }
}

/// Counts NaN and infinite values in JSON rows that were made from columns.
fn count_constants(lines: &[u8], losses: &mut Losses) -> Result<()> {
    for line in lines
        .split(|b| *b == b'\n')
        .filter(|line| has_constant(line))
    {
        top_level(line, |key, value| {
            let count = constants(value);
            if count > 0 {
                losses.add(&String::from_utf8_lossy(key), Loss::Constant, count);
            }
            Ok(())
        })?;
    }
    Ok(())
}
