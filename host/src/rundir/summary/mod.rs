//! `job_summary.json`: the state of a job and its accounts. The file is replaced as a whole at each
//! change of state.

mod attempt;
mod finding;
mod ledger;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::events::{OpDone, now};
use super::paths::RunPaths;
use super::process::ProcessId;
use super::storage::Storage;
use crate::rundir::own_files::read_document;
use attempt::last_seen;

pub(crate) use attempt::Attempt;
pub(crate) use finding::{Expected, Finding};
pub use ledger::Ledger;
pub(crate) use totals::{Checked, Component, OpTotals, Totals};

/// Version of `job_summary.json`. Readers accept this and older ones.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// State of a job, as its own process last wrote it. Whether that process still runs, only the lock
/// can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// An attempt began and has not yet written how it ended.
    Running,
    /// All rows are processed and exported.
    Completed,
    /// It ended with an error.
    Failed,
    /// It was stopped on request.
    Stopped,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        })
    }
}

/// The content of `job_summary.json`. Names are Data-Juicer's where it has one. Unknown fields are
/// ignored: other tools may add theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSummary {
    /// [`FORMAT_VERSION`].
    #[serde(default)]
    pub format_version: u32,
    /// The job id.
    pub job_id: String,
    /// `project_name` of the recipe.
    #[serde(default)]
    pub project_name: String,
    /// State of the job.
    pub status: Status,
    /// Start of the first attempt, seconds since 1970.
    pub start_time: f64,
    /// End of the last attempt, seconds since 1970.
    #[serde(default)]
    pub end_time: Option<f64>,
    /// Seconds during which attempts ran, without the pauses between them.
    #[serde(default)]
    pub duration: Option<f64>,
    /// Why it failed.
    #[serde(default)]
    pub error_message: Option<String>,
    /// The command that continues the job.
    #[serde(default)]
    pub resumption_command: String,
    /// `default` or `ray_partitioned`.
    #[serde(default)]
    pub executor_type: String,
    /// Path of the recipe, if it came from a file.
    #[serde(default)]
    pub config_file: Option<String>,
    /// The run directory.
    #[serde(default)]
    pub work_dir: String,
    /// Path of the dataset.
    #[serde(default)]
    pub dataset_path: String,
    /// Path of the export.
    #[serde(default)]
    pub export_path: String,
    /// Event file of the last attempt.
    #[serde(default)]
    pub event_log_file: String,
    /// `checkpoints/`, or where the recipe puts them.
    #[serde(default)]
    pub checkpoint_dir: String,
    /// `metadata/`.
    #[serde(default)]
    pub metadata_dir: String,
    /// Sizes and times of the whole job.
    #[serde(default)]
    pub totals: Totals,
    /// Where every input row went.
    #[serde(default)]
    pub ledger: Ledger,
    /// Ops in the order of the recipe.
    #[serde(default)]
    pub ops: Vec<OpTotals>,
    /// Versions: `djhost`, `wasmtime`, `wit`.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Digest of every component used, by its name.
    #[serde(default)]
    pub plugins: BTreeMap<String, String>,
    /// Details of these components, each once.
    #[serde(default)]
    pub components: Vec<Component>,
    /// What `determinism.check_ratio` found in this attempt, by the name of the operator.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub determinism: BTreeMap<String, Checked>,
    /// Values and types that the export could not keep, with counts, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What deserves a look: an op that dropped nothing, a stat that is always the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What the recipe's `expect` demands, and what is the case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Expected>,
    /// All attempts, in order.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Why it was stopped: `signal`, `request`, or the text of another tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
}

impl JobSummary {
    /// Creates the summary for the start of `attempt`. Keeps what earlier attempts left in the run
    /// directory: start, attempts, CPU seconds, compile seconds and peak memory.
    pub fn start(
        paths: &RunPaths,
        job_id: &str,
        attempt: u32,
        event_log_file: &Path,
    ) -> Result<Self> {
        let started = now();
        let mut summary = Self::empty(paths, job_id, event_log_file, started);
        if let Some(earlier) = Self::load_if_readable(paths)? {
            summary.start_time = earlier.start_time;
            summary.totals.cpu_seconds = earlier.totals.cpu_seconds;
            summary.totals.compile_seconds = earlier.totals.compile_seconds;
            summary.totals.peak_memory = earlier.totals.peak_memory;
            summary.attempts = earlier.attempts;
            for died in summary
                .attempts
                .iter_mut()
                .filter(|a| a.end_time.is_none() && a.last_seen.is_none())
            {
                died.last_seen = last_seen(paths, died);
            }
        }
        summary.attempts.push(Attempt {
            attempt,
            start_time: started,
            end_time: None,
            last_seen: None,
            status: Status::Running,
            process: ProcessId::current(),
            event_log_file: event_log_file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
        });
        Ok(summary)
    }

    /// Returns the summary of a job that started at `start_time` and has no attempts yet.
    fn empty(paths: &RunPaths, job_id: &str, event_log_file: &Path, start_time: f64) -> Self {
        let show = |path: &Path| paths.show(path);
        Self {
            format_version: FORMAT_VERSION,
            job_id: job_id.to_owned(),
            project_name: String::new(),
            status: Status::Running,
            start_time,
            end_time: None,
            duration: None,
            error_message: None,
            resumption_command: String::new(),
            executor_type: String::new(),
            config_file: None,
            work_dir: show(paths.root()),
            dataset_path: String::new(),
            export_path: String::new(),
            event_log_file: event_log_file
                .file_name()
                .map_or_else(String::new, |_| show(event_log_file)),
            checkpoint_dir: show(&paths.checkpoints()),
            metadata_dir: show(&paths.metadata()),
            totals: Totals::default(),
            ledger: Ledger::default(),
            ops: Vec::new(),
            components: Vec::new(),
            determinism: BTreeMap::new(),
            versions: BTreeMap::from([("djhost".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
            plugins: BTreeMap::new(),
            warnings: Vec::new(),
            findings: Vec::new(),
            expected: Vec::new(),
            attempts: Vec::new(),
            stop_reason: None,
        }
    }

    /// Ends the attempt: sets status, times and error.
    pub fn finish(&mut self, status: Status, error_message: Option<String>) {
        let ended = now();
        self.status = status;
        self.end_time = Some(ended);
        self.error_message = error_message;
        if let Some(last) = self.attempts.last_mut() {
            last.status = status;
            last.end_time = Some(ended);
        }
        self.duration = Some(
            self.attempts
                .iter()
                .filter_map(|a| Some((a.end_time.or(a.last_seen)? - a.start_time).max(0.0)))
                .sum(),
        );
    }

    /// Returns the seconds during which attempts ran. For attempts that died, they end at the last
    /// trace in the run directory.
    pub fn time_at_work(&self, paths: &RunPaths) -> f64 {
        let end = |a: &Attempt| a.end_time.or(a.last_seen).or_else(|| last_seen(paths, a));
        self.attempts
            .iter()
            .filter_map(|a| Some((end(a)? - a.start_time).max(0.0)))
            .sum()
    }

    /// Adds what one op did to one partition, both to the table of ops and to the ledger.
    pub fn add_op(&mut self, done: &OpDone) {
        let at = match self.ops.binary_search_by_key(&done.op.index, |o| o.index) {
            Ok(at) => at,
            Err(at) => {
                self.ops.insert(
                    at,
                    OpTotals {
                        index: done.op.index,
                        ..OpTotals::default()
                    },
                );
                at
            }
        };
        self.ops[at].add(done);
        self.ledger.add_op(done);
    }

    /// Replaces the file and waits for the disk.
    pub fn save(&self, paths: &RunPaths) -> Result<()> {
        self.save_with(paths, &paths.storage())
    }

    /// Does what [`save`](Self::save) does, through `storage`.
    pub fn save_with(&self, paths: &RunPaths, storage: &Storage) -> Result<()> {
        storage.write_json(&paths.summary(), self)
    }

    /// Reads the file as [`load`](Self::load) does, but returns None, with a warning, if it is not
    /// a summary. Other tools write it in place, and a torn write must not cost the job.
    pub fn load_if_readable(paths: &RunPaths) -> Result<Option<Self>> {
        match Self::load(paths) {
            Err(error) if error.is::<serde_json::Error>() => {
                tracing::warn!("{error:#}");
                Ok(None)
            }
            loaded => loaded,
        }
    }

    /// Reads the file; returns None if there is none. Fails if it is not a summary or was written
    /// by a newer version.
    pub fn load(paths: &RunPaths) -> Result<Option<Self>> {
        let path = paths.summary();
        let bytes = match read_document(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
        };
        let summary: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("`{}` is not a job summary", path.display()))?;
        if summary.format_version > FORMAT_VERSION {
            bail!(
                "`{}` has format version {}, this program knows {FORMAT_VERSION}",
                path.display(),
                summary.format_version
            );
        }
        Ok(Some(summary))
    }
}
