//! The sentence about each event, for `message` in its line and for the log.

use std::fmt;

use super::kind::{Event, OpRef};
use crate::term::{count, counted};

impl fmt::Display for OpRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "op {} `{}`", self.index, self.name)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partition() {
            Some(partition) => self.write_of_partition(partition, f),
            None => self.write_of_job(f),
        }
    }
}

fn in_and_out(input_rows: u64, output_rows: u64) -> String {
    format!(
        "{} in, {} out",
        counted(input_rows, "row"),
        count(output_rows)
    )
}

impl Event {
    /// Writes the sentence about an event of the whole job.
    fn write_of_job(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JobStarted {
                is_resuming,
                dataset_path,
                ..
            } => {
                let word = if *is_resuming { "resumed" } else { "started" };
                write!(f, "job {word} on `{dataset_path}`")
            }
            Self::PartitionsPlanned {
                total_partitions, ..
            } => f.write_str(&counted(*total_partitions as u64, "partition")),
            Self::DagBuildStarted { ast_node_count } => {
                write!(f, "planning {}", counted(*ast_node_count as u64, "op"))
            }
            Self::DagBuildCompleted { dag_node_count, .. } => {
                let nodes = counted(*dag_node_count as u64, "node");
                write!(f, "plan of {nodes} built")
            }
            Self::DagExecutionPlanSaved { plan_path, .. } => {
                write!(f, "plan saved to `{plan_path}`")
            }
            Self::DeterminismChecked {
                operation_name,
                batches,
                different,
                ..
            } => {
                let of = if *batches == 1 {
                    "1 batch was".to_owned()
                } else {
                    format!("{} batches were", count(*batches))
                };
                write!(
                    f,
                    "operator `{operation_name}`: {} of {of} answered otherwise by fresh instances",
                    count(*different)
                )
            }
            Self::ResolveStarted { op } => {
                write!(f, "{op}: comparing the keys of all partitions")
            }
            Self::ResolveCompleted {
                op,
                input_rows,
                output_rows,
                ..
            } => {
                let (kept, rows) = (count(*output_rows), counted(*input_rows, "row"));
                write!(f, "{op}: {kept} of {rows} kept")
            }
            Self::ExportStarted { output_path, .. } => write!(f, "writing `{output_path}`"),
            Self::ExportCompleted {
                output_path,
                output_rows,
                ..
            } => {
                let rows = counted(*output_rows, "row");
                write!(f, "{rows} written to `{output_path}`")
            }
            Self::StopRequested { reason } => write!(f, "stop requested: {reason}"),
            Self::JobCompleted {
                input_rows,
                output_rows,
                ..
            } => write!(f, "job done, {}", in_and_out(*input_rows, *output_rows)),
            Self::JobFailed { error_message, .. } => write!(f, "job failed: {error_message}"),
            Self::JobStopped { reason, .. } => write!(f, "job stopped: {reason}"),
            _ => Ok(()),
        }
    }

    /// Writes the sentence about an event of partition `p`.
    fn write_of_partition(&self, p: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::PartitionFailed { error_message, .. } = self {
            return write!(f, "partition {p} failed: {error_message}");
        }
        write!(f, "partition {p}: ")?;
        match self {
            Self::PartitionStarted { stage, .. } => write!(f, "stage {stage} started"),
            Self::PartitionProgressed { input_rows, .. } => {
                f.write_str(&counted(*input_rows, "row"))
            }
            Self::PartitionResumed { op, .. } => write!(f, "goes on after {op}"),
            Self::StageCompleted {
                stage,
                input_rows,
                output_rows,
                ..
            } => {
                let rows = in_and_out(*input_rows, *output_rows);
                write!(f, "stage {stage} done, {rows}")
            }
            Self::PartitionCompleted {
                input_rows,
                output_rows,
                ..
            } => write!(f, "done, {}", in_and_out(*input_rows, *output_rows)),
            Self::TaskRetried {
                retry_count,
                error_message,
                ..
            } => write!(f, "retry {retry_count} after: {error_message}"),
            Self::TaskCopied { slow, other, .. } => {
                write!(f, "slow on {slow}: {other} has it, too")
            }
            Self::OpStarted { op, .. } => write!(f, "{op} started"),
            Self::OpCompleted(e) => {
                let rows = in_and_out(e.input_rows, e.output_rows);
                write!(f, "{} done, {rows}", e.op)
            }
            Self::OpFailed {
                op, error_message, ..
            } => write!(f, "{op} failed: {error_message}"),
            Self::OpTrapped {
                op,
                rows,
                error_message,
                ..
            } => {
                let rows = counted(*rows, "row");
                write!(f, "{op} trapped on {rows}: {error_message}")
            }
            Self::RowsQuarantined { rows, reason, .. } => {
                let rows = counted(*rows, "row");
                write!(f, "{rows} into quarantine: {reason}")
            }
            Self::CheckpointSaved(e) => write!(f, "checkpoint after {} saved", e.op),
            Self::CheckpointLoaded(e) => write!(f, "checkpoint after {} loaded", e.op),
            Self::CheckpointDiscarded { op, reason, .. } => {
                write!(f, "checkpoint after {op} not used: {reason}")
            }
            _ => Ok(()),
        }
    }
}
