//! Partitions, and the rows that are read of them.

use super::batch::Batch;
use super::json::extract::ReadField;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

/// A piece of a file: bytes `start..end` of plain JSONL, which begin and end at line ends; rows
/// `start..end` of Parquet and Arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Number of the file in the dataset.
    pub file: usize,
    /// First byte or row.
    pub start: u64,
    /// Behind the last one.
    pub end: u64,
}

/// The unit of work: some slices in input order. The input is not copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Its position among all partitions.
    pub id: u32,
    /// May be empty.
    pub slices: Vec<Slice>,
}

/// How rows are read.
#[derive(Debug, Clone)]
pub(crate) struct ReadOptions {
    /// The fields that somebody reads.
    pub fields: Vec<ReadField>,
    /// Input bytes per block, about.
    pub batch_bytes: usize,
    /// Longer rows go to quarantine unread; at most 1 GiB.
    pub max_row_bytes: usize,
    /// Rows of columns will become JSON: one with a value that has no text there is bad.
    pub as_json: bool,
    /// Columns: the schema that the rows of all files come in. A row of which a value does not
    /// survive that is bad. None: each file's own.
    pub schema: Option<SchemaRef>,
}

impl ReadOptions {
    /// 256 KB to 1 MB per batch were measured as the best: a batch stays in the second-level cache.
    pub(crate) const BATCH_BYTES: usize = 512 << 10;
    /// Far above any document, and small enough that two workers with a few copies each stay within
    /// a laptop's memory.
    pub(crate) const MAX_ROW_BYTES: usize = 256 << 20;

    /// Reads `fields` with the usual sizes.
    pub(crate) fn new(fields: Vec<ReadField>) -> Self {
        Self {
            fields,
            batch_bytes: Self::BATCH_BYTES,
            max_row_bytes: Self::MAX_ROW_BYTES,
            as_json: false,
            schema: None,
        }
    }
}

/// A row that cannot be used as it is.
#[derive(Debug, Clone)]
pub(crate) struct BadRow {
    /// File and place of the row, as in [`Batch::ids`].
    pub id: u64,
    /// The row, or its first bytes where it is longer than `max_row_bytes`.
    pub raw: Vec<u8>,
    /// What is wrong.
    pub reason: String,
}

/// Some rows in input order.
#[derive(Debug)]
pub(crate) struct Block {
    /// The good ones; may be none.
    pub batch: Batch,
    /// The others.
    pub bad: Vec<BadRow>,
    /// Input bytes consumed (JSONL), or the size of the columns in memory.
    pub bytes: u64,
}
