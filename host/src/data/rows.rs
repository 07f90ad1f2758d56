//! Partitions, and the rows read from them.

use super::batch::Batch;
use super::json::extract::ReadField;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A range of a file: bytes `start..end` of plain JSONL, which begin and end at line ends; rows
/// `start..end` of Parquet and Arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Number of the file in the dataset.
    pub file: usize,
    /// First byte or row.
    pub start: u64,
    /// The first byte or row after it.
    pub end: u64,
}

/// The unit of work: slices in input order. The input is not copied.
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
    /// The fields that ops read.
    pub fields: Vec<ReadField>,
    /// Approximate input bytes per block.
    pub batch_bytes: usize,
    /// Longer rows go to quarantine unread; at most 1 GiB.
    pub max_row_bytes: usize,
    /// Columns will become JSON: a row with a value without a JSON text is bad.
    pub as_json: bool,
    /// Columns: the schema to which the rows of all files are cast. A row with a value that does
    /// not survive is bad. None: each file's own schema.
    pub schema: Option<SchemaRef>,
    /// Parquet: the top-level columns to decode. None: all. What a file needs to be read twice for
    /// is read whole.
    pub columns: Option<Vec<String>>,
}

impl ReadOptions {
    /// 256 KB to 1 MB per batch measured best: a batch stays in the second-level cache.
    pub(crate) const BATCH_BYTES: usize = 512 << 10;
    /// Far above any document, and small enough that two workers with a few copies each fit into a
    /// laptop's memory.
    pub(crate) const MAX_ROW_BYTES: usize = 256 << 20;

    /// Reads `fields` with the usual sizes.
    pub(crate) fn new(fields: Vec<ReadField>) -> Self {
        Self {
            fields,
            batch_bytes: Self::BATCH_BYTES,
            max_row_bytes: Self::MAX_ROW_BYTES,
            as_json: false,
            schema: None,
            columns: None,
        }
    }
}

/// A row that cannot be used.
#[derive(Debug, Clone)]
pub(crate) struct BadRow {
    /// File and place of the row, as in [`Batch::ids`].
    pub id: u64,
    /// The row, or its first bytes if it is longer than `max_row_bytes`.
    pub raw: Vec<u8>,
    /// What is wrong.
    pub reason: String,
}

/// Some rows in input order.
#[derive(Debug)]
pub(crate) struct Block {
    /// The good ones, possibly none.
    pub batch: Batch,
    /// The others.
    pub bad: Vec<BadRow>,
    /// Input bytes consumed (JSONL), or the size of the columns in memory.
    pub bytes: u64,
    /// Records that the recipe does not ask for, by what they are.
    pub passed_over: BTreeMap<String, u64>,
    /// JSONL: number of the file, and lines consumed, with empty ones.
    pub lines: Option<(usize, u64)>,
}

impl Block {
    /// Rows of an input of which every record is a row.
    pub(crate) fn new(batch: Batch, bad: Vec<BadRow>, bytes: u64) -> Self {
        Self {
            batch,
            bad,
            bytes,
            passed_over: BTreeMap::new(),
            lines: None,
        }
    }
}
