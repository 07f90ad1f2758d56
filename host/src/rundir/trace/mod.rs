//! The trace: where each row of the input went, as Parquet files in `trace/`.
//!
//! # The table
//!
//! One entry says what one op did with one row. All files of a job are parts of one table, whose
//! content depends on the dataset, the recipe and the operators alone: not on partitions, threads,
//! sizes of batches, attempts or kills. The order of entries, and which file has them, means nothing.
//!
//! | column | type | |
//! |---|---|---|
//! | `row_id` | u64 | the row of the input: number of the file in the dataset << 44, plus the row's byte offset (JSON rows) or number (Parquet, Arrow) |
//! | `piece` | u32 | where several rows with this id came to the op, because an earlier op had made several of one: which of them, from 0; else null |
//! | `op` | i32 | the op, by its number in the order in which ops run; null: the reader, or the export |
//! | `fate` | text | a word of [`Fate`] |
//! | `partner` | u64 | `merged`, `grouped`: `row_id` of the row that stands for this one |
//! | `rows` | u32 | `made`: the number of rows that the op made of this one |
//! | `reason` | text | `quarantined`: why; `dropped`: why, where a mapper or a deduplicator says so |
//! | `field`, `before`, `after` | text | `changed`: a sample of what a mapper did |
//! | `stat.KEY` | by the operator | `kept`, `dropped`: the stat of this row that the op computed |
//!
//! `trace: dropped` has an entry for each row that does not come out as it went in: `dropped`,
//! `merged`, `grouped`, `quarantined`, `made`, and the samples; a row without one of the first four
//! is in the export. `trace: all` also has `kept` for each filter and row, with the stats that were
//! computed, and `written` for each row of the export. With `trace: stats` all of them were, so that
//! the stats of all rows that came to a filter are known: what another threshold would keep is
//! counted, not guessed ([`stat` columns](schema)).
//!
//! # Files
//!
//! Like a file of quarantine, a file here belongs to one task and is named after the key of the
//! task's result; the account in the manifest of the result names it. So a file counts if and only
//! if a good manifest names it, whatever was killed, done twice, or taken over. A resumed task
//! starts at a checkpoint: what became of the rows before is in the files of the account that the
//! checkpoint's manifest has. What a global op did is written at its barrier, with its mask, because
//! only there the row that stands for a duplicate is known.
//!
//! Within a file, row groups have rows one after the other, so that the entries of one row are
//! found by the statistics of `row_id`.

mod document;
mod reader;
mod runs;
mod schema;
mod writer;

pub use document::{Bounds, Missing, TraceDocument, TracedFile, TracedOp};
pub use reader::Entry;
pub(crate) use reader::{Wanted, each_entry, value as value_of};
pub(crate) use runs::{Run, each_run, each_run_of};
pub(crate) use schema::StatColumns;
pub(crate) use writer::{Entries, TraceWriter};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// The filter kept it (only with `trace: all` and `stats`).
    Kept,
    /// A filter or selector dropped it, or a mapper made no row of it.
    Dropped,
    /// A deduplicator dropped it because an equal or similar row stays: `partner`.
    Merged,
    /// It became part of the group that takes the place of `partner`.
    Grouped,
    /// It could not be read or processed: `reason`.
    Quarantined,
    /// A mapper made `rows` rows of it.
    Made,
    /// A mapper changed it: a sample, not a list of all that it changed.
    Changed,
    /// It is in the export (only with `trace: all` and `stats`).
    Written,
}

impl Fate {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Kept,
        Self::Dropped,
        Self::Merged,
        Self::Grouped,
        Self::Quarantined,
        Self::Made,
        Self::Changed,
        Self::Written,
    ];

    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Dropped => "dropped",
            Self::Merged => "merged",
            Self::Grouped => "grouped",
            Self::Quarantined => "quarantined",
            Self::Made => "made",
            Self::Changed => "changed",
            Self::Written => "written",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| fate.word() == word)
    }

    /// Whether the row ends here.
    pub fn is_end(self) -> bool {
        matches!(
            self,
            Self::Dropped | Self::Merged | Self::Grouped | Self::Quarantined | Self::Written
        )
    }
}

/// The place of a row among the samples of op `op`: the rows with the lowest ranks are the samples
/// of the job, whichever tasks saw them.
pub(crate) fn rank(op: usize, row_id: u64, piece: u32) -> u64 {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&row_id.to_le_bytes());
    bytes[8..].copy_from_slice(&piece.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64_with_seed(&bytes, op as u64)
}

#[cfg(test)]
mod tests;
