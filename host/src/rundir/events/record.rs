//! A line of an event file: the event, and what is said about every event.

use serde::{Deserialize, Serialize};

use super::kind::Event;

/// One line of an event file: an event, when it happened, and who wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The event; its fields appear at the top level of the line.
    #[serde(flatten)]
    pub event: Event,
    /// Seconds since 1970.
    pub timestamp: f64,
    /// For people.
    pub message: String,
    /// Unique over all events of all jobs.
    pub event_id: String,
    /// The job.
    pub job_id: String,
    /// Attempt of the job (1, 2, …).
    pub attempt: u32,
    /// Number of the event within its attempt, from 0 without gaps. It orders the events even if
    /// the clock was changed.
    pub seq: u64,
    /// The process that wrote it.
    pub process_id: u32,
    /// The thread, as a small number (1 = first thread of the process).
    pub thread_id: u64,
    /// The node of the cluster that the process is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Which of the workers on the cluster it is, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<usize>,
    /// Job events: `running`, `completed`, `failed`, `stopped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Rates of events with rows and duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance_metrics: Option<Metrics>,
}

/// Rates of an event that has rows and a duration, in the place where Data-Juicer's readers look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Input rows per second.
    pub throughput: f64,
    /// Share of the input rows that were removed, at most 1; negative if the op made more rows than
    /// it removed.
    pub reduction_ratio: f64,
    /// Input bytes per second, if the event knows its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<f64>,
}

impl Metrics {
    fn of(input_rows: u64, output_rows: u64, input_bytes: u64, duration: f64) -> Self {
        let per_second = |n: u64| {
            if duration > 0.0 {
                n as f64 / duration
            } else {
                0.0
            }
        };
        let reduction_ratio = if input_rows == 0 {
            0.0
        } else {
            1.0 - output_rows as f64 / input_rows as f64
        };
        Self {
            throughput: per_second(input_rows),
            reduction_ratio,
            bytes_per_second: (input_bytes > 0).then(|| per_second(input_bytes)),
        }
    }
}

impl Event {
    /// Returns the rates of an event that has rows and a duration.
    pub fn metrics(&self) -> Option<Metrics> {
        match self {
            Self::OpCompleted(e) => Some(Metrics::of(
                e.input_rows,
                e.output_rows,
                e.input_bytes,
                e.duration,
            )),
            Self::StageCompleted {
                input_rows,
                output_rows,
                input_bytes,
                duration,
                ..
            } => Some(Metrics::of(
                *input_rows,
                *output_rows,
                *input_bytes,
                *duration,
            )),
            Self::PartitionCompleted {
                input_rows,
                output_rows,
                duration,
                ..
            }
            | Self::ResolveCompleted {
                input_rows,
                output_rows,
                duration,
                ..
            } => Some(Metrics::of(*input_rows, *output_rows, 0, *duration)),
            _ => None,
        }
    }
}
