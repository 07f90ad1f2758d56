//! The progress of a job, which `djhost monitor` shows and prints with `--json`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rundir::events::OpRef;
use crate::rundir::mapping::PartitionState;
use crate::rundir::summary::OpTotals;

/// Version of the `--json` output. New fields may appear within a version.
pub const PROGRESS_VERSION: u32 = 1;

/// State of a job as seen from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// A process runs it.
    #[default]
    Running,
    /// A process runs it and has been asked to stop.
    Stopping,
    /// It is complete.
    Completed,
    /// It ended with an error.
    Failed,
    /// It was stopped on request.
    Stopped,
    /// No process runs it and it never wrote how it ended: the process was killed or the machine
    /// went down.
    Died,
}

impl JobState {
    /// Returns whether a process works on the job.
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
    /// Rows of the input; None until all are counted.
    pub total: Option<u64>,
    /// Rows of the input that were read so far.
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

/// Speed of the last attempt since its first partition began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Rows read per second, by all workers. A row counts once, even if later stages meet it again
    /// without reading bytes.
    pub rows_per_second: f64,
    /// Bytes read per second from the inputs of all stages.
    pub bytes_per_second: f64,
    /// Rows per second in equal slices of the time, oldest first.
    pub history: Vec<f64>,
}

/// Checkpoints of all partitions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckpointTotals {
    /// Number of checkpoints that exist.
    pub saved: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Seconds that writing them took.
    pub seconds: f64,
    /// Partitions that the last attempt continued from a checkpoint.
    pub resumed: usize,
    /// Checkpoints that were found to be unusable.
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
    /// Size of the data file in bytes.
    pub bytes: u64,
    /// Seconds that writing it took.
    pub seconds: f64,
    /// When it was committed, seconds since 1970.
    pub time: f64,
}

/// One op, over all partitions or in one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OpProgress {
    /// Its sums over the partitions.
    #[serde(flatten)]
    pub totals: OpTotals,
    /// Partitions that it has completed.
    pub partitions_done: usize,
    /// Input rows per second of wall time in the op.
    pub throughput: f64,
    /// Share of its input rows that it removed.
    pub reduction_ratio: f64,
}

/// One partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionProgress {
    /// Number of the partition, from 0.
    pub partition_id: usize,
    /// State of the partition.
    pub state: PartitionState,
    /// Share of its work that is done, 0..1, counted in ops of the recipe.
    pub fraction: f64,
    /// The op that began last and has not ended.
    pub current_op: Option<OpRef>,
    /// First and last op of the running stage.
    pub current_ops: Option<(usize, usize)>,
    /// Input rows read so far.
    pub rows_in: u64,
    /// Rows that left the last op; None until the partition is done.
    pub rows_out: Option<u64>,
    /// Bytes of its input.
    pub input_bytes: u64,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// When its first stage began, seconds since 1970.
    pub start_time: Option<f64>,
    /// When it was completed or failed, seconds since 1970.
    pub end_time: Option<f64>,
    /// The node of the cluster where its last stage ran, or runs.
    pub node: Option<String>,
    /// Which of the workers there, from 1.
    pub worker: Option<usize>,
    /// Retries during the last attempt.
    pub retries: u32,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Ops that are completed, in order.
    pub ops: Vec<OpProgress>,
    /// Checkpoints that exist, in the order of the ops.
    pub checkpoints: Vec<CheckpointInfo>,
}

/// The progress of a job, computed from its run directory. `djhost monitor --json` prints this.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobProgress {
    /// [`PROGRESS_VERSION`].
    pub format_version: u32,
    /// The job id.
    pub job_id: String,
    /// State of the job.
    pub status: JobState,
    /// Number of the last attempt.
    pub attempt: u32,
    /// Pid of the process that runs it.
    pub process_id: Option<u32>,
    /// The run directory.
    pub work_dir: String,
    /// Path of the dataset.
    pub dataset_path: String,
    /// Path of the export.
    pub export_path: String,
    /// Start of the first attempt, seconds since 1970.
    pub start_time: Option<f64>,
    /// End of the last attempt, seconds since 1970. If the job died, its last sign of life.
    pub end_time: Option<f64>,
    /// Seconds during which attempts ran, without the pauses between them.
    pub duration: f64,
    /// Share of the work that is done, 0..1, where the work is ops times bytes.
    pub fraction: f64,
    /// Seconds left at the present speed; only while it runs and its speed is known.
    pub eta_seconds: Option<f64>,
    /// Rows of the whole job.
    pub rows: Rows,
    /// Number of partitions in each state.
    pub partitions: PartitionCounts,
    /// Speed of the last attempt.
    pub rates: Rates,
    /// Checkpoints of all partitions.
    pub checkpoints: CheckpointTotals,
    /// Rows in quarantine by reason.
    pub quarantine: BTreeMap<String, u64>,
    /// Totals of each op, in the order of the recipe.
    pub ops: Vec<OpProgress>,
    /// All partitions, sorted by id.
    pub partition: Vec<PartitionProgress>,
    /// Why it failed or stopped.
    pub error_message: Option<String>,
    /// The command that continues the job; None if it runs or is complete.
    pub resumption_command: Option<String>,
    /// Torn lines in the event files.
    pub torn_lines: usize,
}
