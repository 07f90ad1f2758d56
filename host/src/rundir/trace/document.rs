//! `metadata/trace.json`: what a reader of the trace must know beside the table.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rundir::own_files::read_document;
use crate::rundir::{RunPaths, Storage};

/// Version of the document and of the table.
const FORMAT_VERSION: u32 = 1;

/// The range that a stat must be in for a row to stay. None: no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bounds {
    /// The least.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
    /// Whether a stat equal to `min` is in the range.
    pub min_closed: bool,
    /// Whether a stat equal to `max` is in the range.
    pub max_closed: bool,
    /// Whether rows in the range go, and the others stay.
    pub reversed: bool,
}

impl Bounds {
    /// How far `stat` is from where the decision changes: positive where the row stays. None without
    /// bounds.
    pub fn margin(&self, stat: f64) -> Option<f64> {
        let low = self.min.map(|min| stat - min);
        let high = self.max.map(|max| max - stat);
        let inside = match (low, high) {
            (Some(low), Some(high)) => low.min(high),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return None,
        };
        Some(if self.reversed { -inside } else { inside })
    }

    /// Whether a row with this stat stays.
    pub fn keeps(&self, stat: f64) -> bool {
        let (mut min_closed, mut max_closed) = (self.min_closed, self.max_closed);
        if self.reversed {
            // An end that belongs to the range belongs to what stays, either way round.
            (min_closed, max_closed) = (!min_closed, !max_closed);
        }
        let above = self
            .min
            .is_none_or(|min| if min_closed { stat >= min } else { stat > min });
        let below = self
            .max
            .is_none_or(|max| if max_closed { stat <= max } else { stat < max });
        (above && below) != self.reversed
    }
}

/// An op of the job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TracedOp {
    /// Its number in the order in which ops run: `op` of the table.
    pub op: usize,
    /// Its name as written in the recipe.
    pub name: String,
    /// Its place in `process` as written, from 0. Differs from `op` where `reorder` moved it.
    pub position: usize,
    /// `filter`, `mapper`, `deduplicator`, `selector`, `grouper`.
    pub kind: String,
    /// The keys of the stats that it computes.
    pub stats: Vec<String>,
    /// Those of them that it leaves out of rows which it keeps, because it can decide without.
    pub left_out: Vec<String>,
    /// What its parameters demand of a stat, by key, as far as they are a range.
    pub bounds: BTreeMap<String, Bounds>,
    /// The parameters that are the least and the greatest of `bounds`, by the stat's key, also where
    /// they demand nothing now.
    pub bound_params: BTreeMap<String, [Option<String>; 2]>,
    /// Its parameters.
    pub params: Value,
}

/// A file of the dataset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TracedFile {
    /// Where it is.
    pub path: String,
    /// Its size, unpacked if it had to be.
    pub bytes: u64,
}

/// Ops of which the trace does not know what they did to some partitions: an attempt without a
/// trace had done them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Missing {
    /// The op.
    pub op: usize,
    /// Number of the partitions.
    pub partitions: usize,
}

/// The document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceDocument {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// `off`, `dropped`, `all` or `stats`.
    pub mode: String,
    /// An analysis: the share of rows that it looked at. Filters kept all rows there, and their
    /// `kept` and `dropped` say what they would have done.
    pub analysis: Option<f64>,
    /// Number of samples for each mapper.
    pub samples: u64,
    /// Whether the job is complete: only then the trace is.
    pub complete: bool,
    /// The files of the dataset; their position is their number in row ids.
    pub files: Vec<TracedFile>,
    /// Whether rows are counted in a file (Parquet, Arrow), not located by a byte offset.
    pub by_number: bool,
    /// The ops.
    pub ops: Vec<TracedOp>,
    /// What is not known.
    pub missing: Vec<Missing>,
}

impl TraceDocument {
    /// Whether rows that a filter kept have entries (`trace: all` or `stats`, or an analysis).
    pub fn has_kept(&self) -> bool {
        ["all", "stats"].contains(&self.mode.as_str())
    }

    /// Whether these entries have the stat `key` of `op`.
    pub fn knows_kept(&self, op: &TracedOp, key: &str) -> bool {
        self.has_kept() && !op.left_out.iter().any(|left_out| left_out == key)
    }

    /// Replaces the file.
    pub(crate) fn save(&self, paths: &RunPaths, storage: &Storage) -> Result<()> {
        let document = Self {
            format_version: FORMAT_VERSION,
            ..self.clone()
        };
        storage.replace_json(&paths.trace_document(), &document)
    }

    /// Reads the file; None if there is none.
    pub(crate) fn load(paths: &RunPaths) -> Result<Option<Self>> {
        let path = paths.trace_document();
        let bytes = match read_document(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
        };
        let document: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        if document.format_version > FORMAT_VERSION {
            bail!(
                "`{}` has format version {}, this program knows {FORMAT_VERSION}: use a newer djhost",
                path.display(),
                document.format_version
            );
        }
        Ok(Some(document))
    }
}
