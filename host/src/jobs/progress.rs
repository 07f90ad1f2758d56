//! What the events of a job add up to: the types behind `djhost monitor`, and its `--json` output.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rundir::events::OpRef;
use crate::rundir::mapping::PartitionState;
use crate::rundir::summary::OpTotals;

/// Version of the `--json` output. Fields may be added within a version.
pub const PROGRESS_VERSION: u32 = 1;

/// State of a job as seen from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// A process runs it.
    #[default]
    Running,
    /// A process runs it and was asked to stop.
    Stopping,
    /// Done.
    Completed,
    /// An error ended it.
    Failed,
    /// It was stopped on request.
    Stopped,
    /// Nobody runs it and nobody said how it ended: the process was killed or the machine went
    /// down.
    Died,
}

impl JobState {
    /// Whether a process works on the job.
    pub fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Died => "died",
        })
    }
}

/// Rows of the whole job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Input rows, once they are all counted.
    pub total: Option<u64>,
    /// Input rows read so far.
    pub read: u64,
    /// Rows that left the last op.
    pub output: u64,
    /// Rows in quarantine.
    pub quarantined: u64,
}

/// How many partitions are in which state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PartitionCounts {
    pub total: usize,
    pub done: usize,
    pub running: usize,
    pub failed: usize,
    pub waiting: usize,
}

/// Speed of the last attempt, over the time since its first partition began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Rows read per second, by all workers; one that a later stage meets again, without reading
    /// bytes for it, counts once.
    pub rows_per_second: f64,
    /// The same in bytes of the stages' inputs.
    pub bytes_per_second: f64,
    /// Rows per second in equal slices of that time, oldest first.
    pub history: Vec<f64>,
}

/// Checkpoints of all partitions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckpointTotals {
    /// That are there.
    pub saved: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Seconds that writing them took.
    pub seconds: f64,
    /// Partitions that the last attempt continued from one.
    pub resumed: usize,
    /// That were found unusable.
    pub discarded: usize,
}

/// One checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckpointInfo {
    /// The last op whose work it holds.
    #[serde(flatten)]
    pub op: OpRef,
    /// The data file.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// Seconds that writing it took.
    pub seconds: f64,
    /// When it was committed, seconds since 1970.
    pub time: f64,
}

/// One op, over all partitions or in one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OpProgress {
    /// Sums.
    #[serde(flatten)]
    pub totals: OpTotals,
    /// Partitions that it is done with.
    pub partitions_done: usize,
    /// Input rows per second of wall time in the op.
    pub throughput: f64,
    /// Share of its input rows that did not leave.
    pub reduction_ratio: f64,
}

/// One partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionProgress {
    /// 0-based.
    pub partition_id: usize,
    /// State.
    pub state: PartitionState,
    /// Work done, 0..1, over the ops of the recipe.
    pub fraction: f64,
    /// The op that last began and has not ended.
    pub current_op: Option<OpRef>,
    /// The ops of the stage that runs: first and last index.
    pub current_ops: Option<(usize, usize)>,
    /// Input rows read.
    pub rows_in: u64,
    /// Rows that left the last op, once it is done.
    pub rows_out: Option<u64>,
    /// Bytes of its input.
    pub input_bytes: u64,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// When its first stage began, seconds since 1970.
    pub start_time: Option<f64>,
    /// When it was done or failed.
    pub end_time: Option<f64>,
    /// Retries in the last attempt.
    pub retries: u32,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Ops that are done, in order.
    pub ops: Vec<OpProgress>,
    /// Checkpoints that are there, in the order of the ops.
    pub checkpoints: Vec<CheckpointInfo>,
}

/// A job as its run directory tells it. This is what `djhost monitor --json` prints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobProgress {
    /// [`PROGRESS_VERSION`].
    pub format_version: u32,
    /// The job.
    pub job_id: String,
    /// State.
    pub status: JobState,
    /// Number of the last attempt.
    pub attempt: u32,
    /// Pid of the process that runs it.
    pub process_id: Option<u32>,
    /// The run directory.
    pub work_dir: String,
    /// The dataset.
    pub dataset_path: String,
    /// The export.
    pub export_path: String,
    /// Start of the first attempt, seconds since 1970.
    pub start_time: Option<f64>,
    /// End of the last one; for a job that died, its last sign of life.
    pub end_time: Option<f64>,
    /// Seconds that attempts ran, pauses left out.
    pub duration: f64,
    /// Work done, 0..1: ops times bytes.
    pub fraction: f64,
    /// Seconds to go at the speed so far; while running and once there is a speed.
    pub eta_seconds: Option<f64>,
    /// Rows.
    pub rows: Rows,
    /// Partitions by state.
    pub partitions: PartitionCounts,
    /// Speed.
    pub rates: Rates,
    /// Checkpoints.
    pub checkpoints: CheckpointTotals,
    /// Rows in quarantine by reason.
    pub quarantine: BTreeMap<String, u64>,
    /// Ops over all partitions, in the order of the recipe.
    pub ops: Vec<OpProgress>,
    /// Partitions by id.
    pub partition: Vec<PartitionProgress>,
    /// Why it failed or stopped.
    pub error_message: Option<String>,
    /// The command that continues the job, unless it is done or runs.
    pub resumption_command: Option<String>,
    /// Lines of the event files that were torn.
    pub torn_lines: usize,
}
