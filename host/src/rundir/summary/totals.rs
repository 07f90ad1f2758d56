//! Sums over a job: per op, per component, and of the whole job.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rundir::events::{OpDone, Range};

/// What `determinism.check_ratio` found about one operator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Batches that fresh instances computed again.
    pub batches: u64,
    /// How many of them gave another answer.
    pub different: u64,
    /// The first difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// One op over all partitions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpTotals {
    /// 0-based over the whole recipe.
    pub index: usize,
    /// As written in the recipe.
    pub name: String,
    /// Rows given to it.
    pub rows_in: u64,
    /// Rows that left it.
    pub rows_out: u64,
    /// Rows that it put into quarantine.
    pub quarantined: u64,
    /// Rows merged by a deduplicator.
    pub merged: u64,
    /// Rows made beyond one per input row.
    pub created: u64,
    /// CPU seconds, summed over workers.
    pub cpu_seconds: f64,
    /// Wall seconds, summed over workers.
    pub wall_seconds: f64,
    /// Bytes given to it.
    pub bytes_in: u64,
    /// Megabytes (10^6) given to it per CPU second.
    pub mb_per_cpu_second: f64,
    /// Largest linear memory of one instance, bytes.
    pub peak_memory: u64,
    /// Rows in which it, a mapper, changed a value; None: an attempt did not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<u64>,
    /// The ranges of its stats, by key, as far as it computed them of all rows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stats: BTreeMap<String, Range>,
    /// Calls that failed: traps, timeouts, memory overruns, invalid answers.
    pub traps: u64,
}

impl OpTotals {
    /// Adds what the op did to one partition.
    pub fn add(&mut self, done: &OpDone) {
        self.index = done.op.index;
        self.name.clone_from(&done.op.name);
        if done.input_rows > 0 {
            let before = if self.rows_in > 0 {
                self.changed
            } else {
                Some(0)
            };
            self.changed = before.zip(done.changed_rows).map(|(a, b)| a + b);
            for (key, range) in &done.stats {
                let all = self.stats.entry(key.clone()).or_insert(*range);
                *all = all.with(*range);
            }
        }
        self.rows_in += done.input_rows;
        self.rows_out += done.output_rows;
        self.quarantined += done.quarantined_rows;
        self.merged += done.merged_rows;
        self.created += done.created_rows;
        self.cpu_seconds += done.cpu_seconds;
        self.wall_seconds += done.duration;
        self.bytes_in += done.input_bytes;
        self.peak_memory = self.peak_memory.max(done.peak_memory);
        self.traps += done.traps;
        self.mb_per_cpu_second = if self.cpu_seconds > 0.0 {
            self.bytes_in as f64 / 1e6 / self.cpu_seconds
        } else {
            0.0
        };
    }
}

/// Sizes of the whole job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Partitions.
    pub partitions: usize,
    /// Bytes of the input on disk.
    pub input_bytes: u64,
    /// Bytes of the export.
    pub output_bytes: u64,
    /// CPU seconds of the process over all attempts.
    pub cpu_seconds: f64,
    /// Seconds spent compiling operators over all attempts. An attempt's time begins after
    /// compiling and does not include them.
    pub compile_seconds: f64,
    /// Largest resident memory of the process over all attempts, bytes.
    pub peak_memory: u64,
}

/// A component that a job uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Component {
    /// `built-in NAME`, or the path of the file.
    pub source: String,
    /// SHA-256 of its bytes, in hex.
    pub digest: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The version of the contract that it was built for.
    pub wit_version: String,
    /// Whether it was compiled with interruption checks, as all but the built-in packs are.
    pub interruptible: bool,
}
