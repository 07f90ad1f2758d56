//! One row's way through the recipe, for `djhost explain`: what the trace knows of it, and for what
//! it does not hold, the same ops once more, on this row alone.
//!
//! What is computed again is exact for filters and mappers, which see one row at a time. What a
//! global op did depends on all rows, so only the trace knows; behind a grouper, or an op that
//! changes rows by counts over all rows, there is nothing to compute with.

mod locate;
mod rerun;
mod search;
mod sought;

pub use locate::{Located, Which};

use anyhow::Result;
use serde::Serialize;

use super::{Prepared, retry};
use crate::data::Dataset;
use crate::data::input::unpack::{materialise, materialised};
use crate::jobs::Trace;
use crate::rundir::{RunPaths, Storage};

/// What happened to a row.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// Which row it is.
    pub row: Located,
    /// The row as it is in the input.
    pub text: String,
    /// What the ops did, in the order in which they ran.
    pub steps: Vec<Step>,
    /// Where it is now.
    pub end: End,
    /// What one should know about this answer.
    pub notes: Vec<String>,
}

/// Where a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// In the export.
    Written,
    /// Nowhere: it was dropped, merged or grouped.
    Gone,
    /// In quarantine.
    Quarantined,
    /// That is not known.
    Unknown,
}

/// What one op did.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The op; None: the reader.
    pub op: Option<usize>,
    /// Its name.
    pub name: String,
    /// Its place in the recipe, if it ran in another order.
    pub position: Option<usize>,
    /// What it did, for each row that had become of the row by then.
    pub did: Vec<Did>,
    /// Whether this was computed again for this answer, not recorded by the run.
    pub recomputed: bool,
}

/// What an op did with one row.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "fate")]
pub enum Did {
    /// A filter kept it, or a global op let it stay.
    Kept {
        /// What it computed.
        stats: Vec<Judged>,
        /// The stats without which it decided, so that nobody knows them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<String>,
    },
    /// A filter or selector dropped it, or a mapper made nothing of it.
    Dropped {
        /// Why, where the operator says so.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What it computed.
        stats: Vec<Judged>,
    },
    /// A mapper changed nothing.
    Unchanged,
    /// A mapper changed fields.
    Changed {
        /// Each field before and after.
        fields: Vec<Change>,
    },
    /// A mapper made several rows of it.
    Made {
        /// How many.
        rows: usize,
    },
    /// Another row stands for it.
    Merged {
        /// Which.
        partner: Option<Located>,
        /// The beginning of that row, as it is in the input.
        text: Option<String>,
        /// The share of their different words that both have, in what the op reads, as it is in the
        /// input: for people, not what the op compares.
        alike: Option<f64>,
    },
    /// It became part of a group, which takes the place of another row.
    Grouped {
        /// Which.
        partner: Option<Located>,
    },
    /// It could not be processed.
    Quarantined {
        /// Why.
        reason: String,
    },
    /// What it did is not known.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// A stat, and what was demanded of it.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// Its key.
    pub stat: String,
    /// Its value.
    pub value: serde_json::Value,
    /// What it had to be, in words.
    pub demand: Option<String>,
    /// How far it is from where the decision changes; negative where it fails.
    pub margin: Option<f64>,
}

/// A field before and after.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// Its path.
    pub field: String,
    /// Its value before.
    pub before: String,
    /// Its value after.
    pub after: String,
}

/// Explains a row of the job in `paths`. `prepared` is the job's recipe.
pub fn explain(mut prepared: Prepared, paths: &RunPaths, which: &Which) -> Result<Explained> {
    retry::attach(&mut prepared, paths)?;
    let trace = Trace::open(paths)?;
    let (dataset, _unpacked) = readable(&prepared.dataset, paths)?;
    let (found, others) = locate::locate(&dataset, which, prepared.resolved.config.max_row_mb)?;
    let mut explained = rerun::explain(&prepared, paths, &trace, &dataset, found)?;
    explained.notes.splice(0..0, others);
    Ok(explained)
}

/// The dataset of the job in `paths`, such that rows can be read from the middle: as the job has
/// unpacked it, or unpacked into a directory that goes away with it.
pub(crate) fn readable(
    dataset: &Dataset,
    paths: &RunPaths,
) -> Result<(Dataset, Option<tempfile::TempDir>)> {
    if let Some(dataset) = materialised(dataset, &paths.partitions()) {
        return Ok((dataset, None));
    }
    let dir = tempfile::tempdir()?;
    Ok((
        materialise(dataset, dir.path(), &Storage::temporary())?,
        Some(dir),
    ))
}

pub(crate) use locate::{all_located, read_row, row_text};
