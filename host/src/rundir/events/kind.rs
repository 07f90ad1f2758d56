//! The events and their fields. Names and shapes are those that Data-Juicer's readers expect; an
//! event without a counterpart there is ours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracing::Level;

/// Version of the event lines. Readers accept any line whose fields they know.
pub const FORMAT_VERSION: u32 = 1;

/// One op of the recipe.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OpRef {
    /// 0-based over the whole recipe.
    #[serde(rename = "operation_idx")]
    pub index: usize,
    /// As written in the recipe.
    #[serde(rename = "operation_name")]
    pub name: String,
}

impl OpRef {
    /// Op number `index` (0-based) of the recipe.
    pub fn new(index: usize, name: impl Into<String>) -> Self {
        Self {
            index,
            name: name.into(),
        }
    }
}

fn zero(n: &u64) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !b
}

fn zero_f(n: &f64) -> bool {
    *n == 0.0
}

/// The least and the greatest value of a stat.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Range {
    /// The range of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// What one op did to one partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpDone {
    /// The partition.
    pub partition_id: usize,
    /// The op.
    #[serde(flatten)]
    pub op: OpRef,
    /// Wall seconds that the op's calls took for this partition.
    pub duration: f64,
    /// CPU seconds (user and system) of the same calls.
    pub cpu_seconds: f64,
    /// Rows given to the op.
    pub input_rows: u64,
    /// Rows that left it.
    pub output_rows: u64,
    /// Bytes given to the op.
    pub input_bytes: u64,
    /// Rows in quarantine because the op rejected them or trapped on them.
    #[serde(skip_serializing_if = "zero")]
    pub quarantined_rows: u64,
    /// Rows dropped because an equal or similar row was kept (deduplicators).
    #[serde(skip_serializing_if = "zero")]
    pub merged_rows: u64,
    /// Rows made beyond one per input row (mappers that split, groupers).
    #[serde(skip_serializing_if = "zero")]
    pub created_rows: u64,
    /// Calls without a usable answer: the guest trapped, ran out of time or memory, or broke the
    /// contract.
    #[serde(skip_serializing_if = "zero")]
    pub traps: u64,
    /// Largest linear memory of one of its instances, in bytes.
    #[serde(skip_serializing_if = "zero")]
    pub peak_memory: u64,
    /// Bytes by which its rows exceed `output_ratio` times the row each was made from.
    #[serde(skip_serializing_if = "zero")]
    pub output_beyond: u64,
    /// Rows in which a mapper changed a value; None: nobody counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_rows: Option<u64>,
    /// The ranges of the stats that it computed of all rows, by key: not of those that it left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stats: BTreeMap<String, Range>,
    /// True in the copy that a later attempt writes to its own event file when it takes over the
    /// work of an earlier one.
    #[serde(skip_serializing_if = "is_false")]
    pub taken_over: bool,
}

/// One partition's checkpoint, written or read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckpointDone {
    /// The partition.
    pub partition_id: usize,
    /// The last op whose work it holds.
    #[serde(flatten)]
    pub op: OpRef,
    /// The data file.
    pub checkpoint_path: String,
    /// Wall seconds that writing or reading took.
    pub duration: f64,
    /// CPU seconds that writing or reading took.
    #[serde(skip_serializing_if = "zero_f")]
    pub cpu_seconds: f64,
    /// Seconds of `duration` during which the ops had to wait.
    #[serde(skip_serializing_if = "zero_f")]
    pub stall_seconds: f64,
    /// Rows in it.
    pub output_rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// See [`OpDone::taken_over`].
    #[serde(skip_serializing_if = "is_false")]
    pub taken_over: bool,
}

/// Something that happened. `event_type` holds the serialised name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event_type")]
#[allow(
    missing_docs,
    reason = "the fields are described in README.md of this folder, which a test keeps complete"
)]
pub enum Event {
    #[serde(rename = "job_start")]
    JobStarted {
        dataset_path: String,
        export_path: String,
        work_dir: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config_file: Option<String>,
        executor_type: String,
        operations: Vec<OpRef>,
        #[serde(default)]
        is_resuming: bool,
    },
    #[serde(rename = "partitions_planned")]
    PartitionsPlanned {
        total_partitions: usize,
        input_bytes: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_rows: Option<u64>,
    },
    #[serde(rename = "dag_build_start")]
    DagBuildStarted { ast_node_count: usize },
    #[serde(rename = "dag_build_complete")]
    DagBuildCompleted {
        dag_node_count: usize,
        build_duration: f64,
    },
    #[serde(rename = "dag_execution_plan_saved")]
    DagExecutionPlanSaved {
        plan_path: String,
        node_count: usize,
    },
    #[serde(rename = "partition_start")]
    PartitionStarted {
        partition_id: usize,
        stage: usize,
        /// First op of the stage.
        #[serde(default)]
        operation_idx: usize,
        /// Last op of the stage.
        #[serde(default)]
        last_operation_idx: usize,
        input_bytes: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_rows: Option<u64>,
    },
    #[serde(rename = "partition_progress")]
    PartitionProgressed {
        partition_id: usize,
        stage: usize,
        input_rows: u64,
        done_bytes: u64,
        input_bytes: u64,
    },
    #[serde(rename = "partition_resume")]
    PartitionResumed {
        partition_id: usize,
        #[serde(flatten)]
        op: OpRef,
        checkpoint_path: String,
        #[serde(default)]
        output_rows: u64,
    },
    #[serde(rename = "stage_complete")]
    StageCompleted {
        partition_id: usize,
        stage: usize,
        duration: f64,
        input_rows: u64,
        output_rows: u64,
        input_bytes: u64,
    },
    #[serde(rename = "partition_complete")]
    PartitionCompleted {
        partition_id: usize,
        duration: f64,
        input_rows: u64,
        output_rows: u64,
        output_bytes: u64,
        output_path: String,
        #[serde(default, skip_serializing_if = "is_false")]
        taken_over: bool,
    },
    #[serde(rename = "partition_failed")]
    PartitionFailed {
        partition_id: usize,
        stage: usize,
        duration: f64,
        error_message: String,
        retry_count: u32,
    },
    #[serde(rename = "task_retry")]
    TaskRetried {
        /// None: it is a piece of what concerns all partitions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition_id: Option<usize>,
        stage: usize,
        retry_count: u32,
        error_message: String,
    },
    #[serde(rename = "task_copied")]
    TaskCopied {
        /// As of `task_retry`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition_id: Option<usize>,
        stage: usize,
        /// The worker on which it is slow.
        slow: String,
        /// The worker that has it, too.
        other: String,
    },
    #[serde(rename = "op_start")]
    OpStarted {
        partition_id: usize,
        #[serde(flatten)]
        op: OpRef,
    },
    #[serde(rename = "op_complete")]
    OpCompleted(OpDone),
    #[serde(rename = "op_failed")]
    OpFailed {
        partition_id: usize,
        #[serde(flatten)]
        op: OpRef,
        duration: f64,
        error_message: String,
        error_type: String,
    },
    #[serde(rename = "op_trapped")]
    OpTrapped {
        partition_id: usize,
        #[serde(flatten)]
        op: OpRef,
        rows: u64,
        error_message: String,
    },
    #[serde(rename = "rows_quarantined")]
    RowsQuarantined {
        partition_id: usize,
        /// None if the reader rejected them.
        #[serde(flatten)]
        op: Option<OpRef>,
        rows: u64,
        reason: String,
        quarantine_path: String,
    },
    #[serde(rename = "determinism_check")]
    DeterminismChecked {
        operation_name: String,
        batches: u64,
        different: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    #[serde(rename = "resolve_start")]
    ResolveStarted {
        #[serde(flatten)]
        op: OpRef,
    },
    #[serde(rename = "resolve_complete")]
    ResolveCompleted {
        #[serde(flatten)]
        op: OpRef,
        duration: f64,
        cpu_seconds: f64,
        input_rows: u64,
        output_rows: u64,
        peak_memory: u64,
        spilled_bytes: u64,
    },
    #[serde(rename = "checkpoint_save")]
    CheckpointSaved(CheckpointDone),
    #[serde(rename = "checkpoint_load")]
    CheckpointLoaded(CheckpointDone),
    #[serde(rename = "checkpoint_discarded")]
    CheckpointDiscarded {
        partition_id: usize,
        #[serde(flatten)]
        op: OpRef,
        checkpoint_path: String,
        reason: String,
    },
    #[serde(rename = "export_start")]
    ExportStarted { output_path: String, parts: usize },
    #[serde(rename = "export_complete")]
    ExportCompleted {
        output_path: String,
        duration: f64,
        output_rows: u64,
        output_bytes: u64,
    },
    #[serde(rename = "stop_requested")]
    StopRequested { reason: String },
    #[serde(rename = "job_complete")]
    JobCompleted {
        duration: f64,
        input_rows: u64,
        output_rows: u64,
        quarantined_rows: u64,
        output_path: String,
    },
    #[serde(rename = "job_failed")]
    JobFailed {
        duration: f64,
        error_message: String,
        error_type: String,
        resumption_command: String,
    },
    #[serde(rename = "job_stopped")]
    JobStopped {
        duration: f64,
        reason: String,
        resumption_command: String,
    },
}

impl Event {
    /// Returns the partition that the event is about, if it is about one.
    pub fn partition(&self) -> Option<usize> {
        match self {
            Self::OpCompleted(e) => Some(e.partition_id),
            Self::CheckpointSaved(e) | Self::CheckpointLoaded(e) => Some(e.partition_id),
            Self::PartitionStarted { partition_id, .. }
            | Self::PartitionProgressed { partition_id, .. }
            | Self::PartitionResumed { partition_id, .. }
            | Self::StageCompleted { partition_id, .. }
            | Self::PartitionCompleted { partition_id, .. }
            | Self::PartitionFailed { partition_id, .. }
            | Self::OpStarted { partition_id, .. }
            | Self::OpFailed { partition_id, .. }
            | Self::OpTrapped { partition_id, .. }
            | Self::RowsQuarantined { partition_id, .. }
            | Self::CheckpointDiscarded { partition_id, .. } => Some(*partition_id),
            Self::TaskRetried { partition_id, .. } | Self::TaskCopied { partition_id, .. } => {
                *partition_id
            }
            _ => None,
        }
    }

    /// Returns true for the first and the last event of an attempt. The log syncs these to the
    /// disk.
    pub fn changes_job_state(&self) -> bool {
        matches!(
            self,
            Self::JobStarted { .. }
                | Self::JobCompleted { .. }
                | Self::JobFailed { .. }
                | Self::JobStopped { .. }
        )
    }

    /// Returns the level at which the event appears in the log for people.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::JobFailed { .. } | Self::PartitionFailed { .. } | Self::OpFailed { .. } => {
                Level::ERROR
            }
            // The code that retries or discards logs a warning of its own, with more details.
            Self::TaskRetried { .. }
            | Self::TaskCopied { .. }
            | Self::CheckpointDiscarded { .. } => Level::DEBUG,
            Self::PartitionProgressed { .. }
            | Self::OpStarted { .. }
            | Self::OpCompleted(_)
            | Self::DagBuildStarted { .. } => Level::DEBUG,
            Self::StageCompleted { .. } | Self::CheckpointSaved(_) | Self::CheckpointLoaded(_) => {
                Level::DEBUG
            }
            _ => Level::INFO,
        }
    }

    /// Returns the status that Data-Juicer writes at the top level of job events.
    pub(crate) fn status(&self) -> Option<&'static str> {
        match self {
            Self::JobStarted { .. } => Some("running"),
            Self::JobCompleted { .. } => Some("completed"),
            Self::JobFailed { .. } => Some("failed"),
            Self::JobStopped { .. } => Some("stopped"),
            _ => None,
        }
    }
}
