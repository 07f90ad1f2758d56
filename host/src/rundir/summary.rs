//! `job_summary.json`: the state of a job and its accounts. The file is replaced as a whole at each
//! change of state.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::events::{OpDone, now};
use super::paths::RunPaths;
use super::process::ProcessId;
use super::storage::Storage;

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

/// One process that worked on the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Number of the attempt: 1, 2, …
    pub attempt: u32,
    /// When it began, seconds since 1970.
    pub start_time: f64,
    /// When it ended, seconds since 1970; None while it runs or if it died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<f64>,
    /// When an attempt that died last wrote to its events or log, seconds since 1970. A later
    /// attempt fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<f64>,
    /// How it ended; `running` while it runs or if it died.
    pub status: Status,
    /// The process.
    pub process: ProcessId,
    /// Name of its event file.
    #[serde(default)]
    pub event_log_file: String,
}

/// Where every input row went. `read = output + dropped + merged + quarantined - created`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// Rows (lines, records) found in the input, bad ones included.
    pub read: u64,
    /// Rows in the export.
    pub output: u64,
    /// Rows dropped by filters and selectors, per op (0-based index over the recipe).
    pub dropped: BTreeMap<usize, u64>,
    /// Rows dropped because an equal or similar row is kept, per op.
    pub merged: BTreeMap<usize, u64>,
    /// Rows in quarantine, from the reader and all ops.
    pub quarantined: u64,
    /// Rows made beyond one per input row, per op.
    pub created: BTreeMap<usize, u64>,
}

impl Ledger {
    /// Checks that every row is accounted for. The error shows the sum.
    pub fn check_balance(&self) -> Result<()> {
        let sum = |map: &BTreeMap<usize, u64>| map.values().map(|n| u128::from(*n)).sum::<u128>();
        let (dropped, merged, created) =
            (sum(&self.dropped), sum(&self.merged), sum(&self.created));
        let inn = u128::from(self.read) + created;
        let out = u128::from(self.output) + dropped + merged + u128::from(self.quarantined);
        if inn != out {
            bail!(
                "the row ledger does not balance: {} read + {created} created = {inn}, but {} written + {dropped} dropped + {merged} merged + {} quarantined = {out}",
                self.read,
                self.output,
                self.quarantined
            );
        }
        Ok(())
    }

    /// Adds what one op did to one partition, its quarantined rows included.
    pub fn add_op(&mut self, done: &OpDone) {
        let enter = |map: &mut BTreeMap<usize, u64>, n: u64| {
            if n > 0 {
                *map.entry(done.op.index).or_default() += n;
            }
        };
        // Rows that did not leave the op and were neither merged nor quarantined were dropped.
        let dropped = (done.input_rows + done.created_rows)
            .saturating_sub(done.output_rows + done.merged_rows + done.quarantined_rows);
        enter(&mut self.dropped, dropped);
        enter(&mut self.merged, done.merged_rows);
        enter(&mut self.created, done.created_rows);
        self.quarantined += done.quarantined_rows;
    }
}

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
    /// Calls that failed: traps, timeouts, memory overruns, invalid answers.
    pub traps: u64,
}

impl OpTotals {
    /// Adds what the op did to one partition.
    pub fn add(&mut self, done: &OpDone) {
        self.index = done.op.index;
        self.name.clone_from(&done.op.name);
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
        event_log_file: &std::path::Path,
    ) -> Result<Self> {
        let started = now();
        let earlier = Self::load_if_readable(paths)?;
        let show = |path: std::path::PathBuf| {
            std::path::absolute(&path)
                .unwrap_or(path)
                .display()
                .to_string()
        };
        let file = event_log_file
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let mut summary = Self {
            format_version: FORMAT_VERSION,
            job_id: job_id.to_owned(),
            project_name: String::new(),
            status: Status::Running,
            start_time: earlier.as_ref().map_or(started, |e| e.start_time),
            end_time: None,
            duration: None,
            error_message: None,
            resumption_command: String::new(),
            executor_type: String::new(),
            config_file: None,
            work_dir: show(paths.root().to_owned()),
            dataset_path: String::new(),
            export_path: String::new(),
            event_log_file: if file.is_empty() {
                file.clone()
            } else {
                show(event_log_file.to_owned())
            },
            checkpoint_dir: show(paths.checkpoints()),
            metadata_dir: show(paths.metadata()),
            totals: Totals::default(),
            ledger: Ledger::default(),
            ops: Vec::new(),
            components: Vec::new(),
            determinism: BTreeMap::new(),
            versions: BTreeMap::from([("djhost".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
            plugins: BTreeMap::new(),
            warnings: Vec::new(),
            attempts: Vec::new(),
            stop_reason: None,
        };
        if let Some(earlier) = earlier {
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
        let process = ProcessId::current();
        summary.attempts.push(Attempt {
            attempt,
            start_time: started,
            end_time: None,
            last_seen: None,
            status: Status::Running,
            process,
            event_log_file: file,
        });
        Ok(summary)
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
        self.save_with(paths, &Storage::new())
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
        let bytes = match std::fs::read(&path) {
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

/// Returns when an attempt that died last wrote to its events or its log.
fn last_seen(paths: &RunPaths, died: &Attempt) -> Option<f64> {
    // The name comes from a file: use only its last component.
    let events = std::path::Path::new(&died.event_log_file)
        .file_name()
        .map(|name| paths.root().join(name));
    let written = |path: std::path::PathBuf| {
        let modified = path.metadata().ok()?.modified().ok()?;
        Some(
            modified
                .duration_since(std::time::UNIX_EPOCH)
                .ok()?
                .as_secs_f64(),
        )
    };
    let times = [events, Some(paths.log(died.attempt))]
        .into_iter()
        .flatten()
        .filter_map(written);
    times.reduce(f64::max).map(|seen| seen.max(died.start_time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rundir::events::OpRef;

    fn done(index: usize, input_rows: u64, output_rows: u64) -> OpDone {
        OpDone {
            op: OpRef::new(index, "op"),
            input_rows,
            output_rows,
            ..OpDone::default()
        }
    }

    #[test]
    fn the_ledger_balances_only_if_every_row_is_accounted_for() {
        let mut ledger = Ledger {
            read: 100,
            quarantined: 2,
            ..Ledger::default()
        };
        ledger.add_op(&OpDone {
            quarantined_rows: 3,
            ..done(0, 98, 90)
        });
        ledger.add_op(&OpDone {
            merged_rows: 10,
            ..done(1, 90, 80)
        });
        ledger.add_op(&OpDone {
            created_rows: 40,
            ..done(2, 80, 120)
        });
        ledger.output = 120;
        ledger.check_balance().unwrap();
        assert_eq!(
            (
                ledger.dropped[&0],
                ledger.merged[&1],
                ledger.created[&2],
                ledger.quarantined
            ),
            (5, 10, 40, 5)
        );
        ledger.output = 119;
        assert!(
            ledger
                .check_balance()
                .unwrap_err()
                .to_string()
                .contains("140")
        );
    }

    #[test]
    fn a_later_attempt_keeps_the_start_and_the_attempts() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path().join("j"));
        paths.create().unwrap();
        let mut first =
            JobSummary::start(&paths, "j", 1, &paths.events("20260101_000000", 0)).unwrap();
        first.finish(Status::Stopped, None);
        first.save(&paths).unwrap();
        let second =
            JobSummary::start(&paths, "j", 2, &paths.events("20260101_000001", 0)).unwrap();
        assert_eq!(second.start_time, first.start_time);
        assert_eq!(
            second
                .attempts
                .iter()
                .map(|a| (a.attempt, a.status))
                .collect::<Vec<_>>(),
            [(1, Status::Stopped), (2, Status::Running)]
        );
    }

    #[test]
    fn a_summary_that_somebody_else_tore_does_not_keep_the_job_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        std::fs::write(paths.summary(), r#"{"job_id":"j","sta"#).unwrap();
        assert!(JobSummary::load(&paths).is_err());
        assert!(JobSummary::start(&paths, "j", 2, &paths.events("20260101_000000", 0)).is_ok());
        std::fs::write(
            paths.summary(),
            r#"{"format_version":99,"job_id":"j","status":"stopped","start_time":1}"#,
        )
        .unwrap();
        assert!(
            JobSummary::start(&paths, "j", 2, &paths.events("20260101_000000", 0)).is_err(),
            "a newer program's file is overwritten"
        );
    }

    #[test]
    fn fields_of_others_are_ignored_and_a_newer_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        std::fs::write(paths.summary(), r#"{"job_id":"j","status":"stopped","start_time":1,"stop_time":2.5,"stop_reason":"manual_stop"}"#)
            .unwrap();
        assert_eq!(
            JobSummary::load(&paths)
                .unwrap()
                .unwrap()
                .stop_reason
                .as_deref(),
            Some("manual_stop")
        );
        std::fs::write(
            paths.summary(),
            r#"{"format_version":99,"job_id":"j","status":"stopped","start_time":1}"#,
        )
        .unwrap();
        assert!(
            JobSummary::load(&paths)
                .unwrap_err()
                .to_string()
                .contains("99")
        );
    }
}
