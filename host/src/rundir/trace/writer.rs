//! Writes the file of one task.

use std::io::BufWriter;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{
    Array, ArrayRef, Int32Array, RecordBatch, StringArray, UInt64Array, new_null_array,
};
use arrow::compute::concat;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::Fate;
use super::schema::{
    AFTER, BEFORE, FATE, FIELD, OP, PARTNER, PIECE, REASON, ROW_ID, ROWS, StatColumns,
};
use crate::rundir::storage::AtomicFile;

/// Entries of a row group: what a writer holds in memory, and what a reader of one row unpacks.
const GROUP: usize = 64 << 10;
/// The same in bytes of texts: reasons and samples may be long.
const GROUP_BYTES: usize = 1 << 20;

/// Entries of some rows, of one op and one fate. All arrays are as long as `rows`.
pub(crate) struct Entries {
    pub(crate) op: Option<usize>,
    pub(crate) fate: Fate,
    pub(crate) rows: UInt64Array,
    /// By the name of the column; the columns that are not here are null.
    pub(crate) columns: Vec<(&'static str, ArrayRef)>,
    /// By the name of the stat's column, of its type.
    pub(crate) stats: Vec<(String, ArrayRef)>,
}

impl Entries {
    /// Entries that say no more.
    pub(crate) fn new(op: Option<usize>, fate: Fate, rows: UInt64Array) -> Self {
        Self {
            op,
            fate,
            rows,
            columns: Vec::new(),
            stats: Vec::new(),
        }
    }

    /// Adds `piece`, if there is any.
    #[must_use]
    pub(crate) fn pieces(self, pieces: Option<arrow::array::UInt32Array>) -> Self {
        match pieces {
            Some(pieces) => self.with(PIECE, Arc::new(pieces)),
            None => self,
        }
    }

    /// Adds `partner`.
    #[must_use]
    pub(crate) fn partners(self, partners: UInt64Array) -> Self {
        self.with(PARTNER, Arc::new(partners))
    }

    /// Adds `rows`.
    #[must_use]
    pub(crate) fn counts(self, counts: arrow::array::UInt32Array) -> Self {
        self.with(ROWS, Arc::new(counts))
    }

    /// Adds `reason`.
    #[must_use]
    pub(crate) fn reasons(self, reasons: StringArray) -> Self {
        self.with(REASON, Arc::new(reasons))
    }

    /// Adds what a mapper changed: field, value before, value after.
    #[must_use]
    pub(crate) fn changes(self, [field, before, after]: [StringArray; 3]) -> Self {
        self.with(FIELD, Arc::new(field))
            .with(BEFORE, Arc::new(before))
            .with(AFTER, Arc::new(after))
    }

    fn with(mut self, column: &'static str, values: ArrayRef) -> Self {
        debug_assert_eq!(values.len(), self.rows.len());
        self.columns.push((column, values));
        self
    }

    fn column(&self, name: &str) -> Option<ArrayRef> {
        let n = self.rows.len();
        match name {
            ROW_ID => Some(Arc::new(self.rows.clone())),
            OP => self
                .op
                .map(|op| Arc::new(Int32Array::from(vec![op as i32; n])) as ArrayRef),
            FATE => Some(Arc::new(StringArray::from(vec![self.fate.word(); n]))),
            name => self
                .columns
                .iter()
                .find(|(column, _)| *column == name)
                .map(|(_, values)| Arc::clone(values))
                .or_else(|| {
                    let stat = self.stats.iter().find(|(column, _)| column == name);
                    stat.map(|(_, values)| Arc::clone(values))
                }),
        }
    }

    /// Bytes of values that may have any size.
    fn texts(&self) -> usize {
        let bytes = |values: &ArrayRef| match values.data_type().is_primitive() {
            true => 0,
            false => values.get_buffer_memory_size(),
        };
        let columns = self.columns.iter().map(|(_, values)| values);
        let stats = self.stats.iter().map(|(_, values)| values);
        columns.chain(stats).map(bytes).sum()
    }
}

type Out = BufWriter<AtomicFile>;

/// Collects the entries of a task. Holds those of one row group; the file is created with the first.
pub(crate) struct TraceWriter {
    schema: SchemaRef,
    waiting: Vec<Entries>,
    count: usize,
    bytes: usize,
    entries: u64,
    out: Option<ArrowWriter<Out>>,
}

impl TraceWriter {
    /// A writer without entries.
    pub(crate) fn new(stats: &StatColumns) -> Self {
        Self {
            schema: stats.schema(),
            waiting: Vec::new(),
            count: 0,
            bytes: 0,
            entries: 0,
            out: None,
        }
    }

    /// Adds entries. Rows of later calls of [`relieve`](Self::relieve) are later ones.
    pub(crate) fn add(&mut self, entries: Entries) {
        if entries.rows.is_empty() {
            return;
        }
        self.count += entries.rows.len();
        self.bytes += entries.texts();
        self.entries += entries.rows.len() as u64;
        self.waiting.push(entries);
    }

    /// Writes the entries so far if they are many. `create` makes the file.
    pub(crate) fn relieve(&mut self, create: impl FnOnce() -> Result<AtomicFile>) -> Result<()> {
        match self.count >= GROUP || self.bytes >= GROUP_BYTES {
            true => self.write(create),
            false => Ok(()),
        }
    }

    /// Returns the file, not yet committed, and the number of its entries; None if there are none.
    pub(crate) fn finish(
        mut self,
        create: impl FnOnce() -> Result<AtomicFile>,
    ) -> Result<Option<(AtomicFile, u64)>> {
        self.write(create)?;
        let Some(out) = self.out else {
            return Ok(None);
        };
        let file = out.into_inner().context("cannot end a file of the trace")?;
        let file = file.into_inner().map_err(|e| e.into_error())?;
        Ok(Some((file, self.entries)))
    }

    /// Writes what waits as one row group.
    fn write(&mut self, create: impl FnOnce() -> Result<AtomicFile>) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // Entries of one op and fate lie together: they have the same columns.
        self.waiting
            .sort_by_key(|entries| (entries.op, entries.fate));
        let columns = self.schema.fields().iter().map(|field| {
            let parts: Vec<ArrayRef> = self
                .waiting
                .iter()
                .map(|entries| {
                    let null = || new_null_array(field.data_type(), entries.rows.len());
                    entries.column(field.name()).unwrap_or_else(null)
                })
                .collect();
            concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())
        });
        let table =
            RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)?;
        let out = match &mut self.out {
            Some(out) => out,
            none => none.insert(ArrowWriter::try_new(
                BufWriter::with_capacity(256 << 10, create()?),
                Arc::clone(&self.schema),
                Some(properties()?),
            )?),
        };
        out.write(&table)?;
        out.flush()?;
        self.waiting.clear();
        (self.count, self.bytes) = (0, 0);
        Ok(())
    }
}

fn properties() -> Result<WriterProperties> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(format!("djhost {}", env!("CARGO_PKG_VERSION")));
    // Ids ascend, and no two are equal.
    for column in [ROW_ID, PARTNER] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(column), false)
            .set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED);
    }
    for column in [BEFORE, AFTER, REASON] {
        properties = properties
            .set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::None);
    }
    Ok(properties.build())
}
