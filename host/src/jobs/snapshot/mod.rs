//! Folds events, summary, dataset mapping and lock into a [`JobProgress`]. A pure function: it
//! reads no file and no clock.

mod partition;
mod summary;
mod totals;

use std::collections::BTreeMap;

use super::progress::{JobProgress, JobState};
use crate::rundir::events::{Event, EventLogs, OpRef, Record};
use crate::rundir::lock::Liveness;
use crate::rundir::mapping::PartitionState;
use crate::rundir::{DatasetMapping, JobSummary, Status};
use partition::Partition;

/// Everything that is known about a job from the outside.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The events, sorted.
    pub logs: &'a EventLogs,
    /// `job_summary.json`.
    pub summary: Option<&'a JobSummary>,
    /// `metadata/dataset_mapping.json`.
    pub mapping: Option<&'a DatasetMapping>,
    /// The lock.
    pub liveness: &'a Liveness,
    /// Whether the run directory holds a request to stop.
    pub stop_requested: bool,
    /// The current time, seconds since 1970.
    pub now: f64,
}

/// Computes the progress of a job.
pub fn snapshot(facts: &Facts<'_>) -> JobProgress {
    let mut fold = Fold::default();
    for record in &facts.logs.records {
        fold.add(record);
    }
    let status = fold.status(facts);
    fold.progress(facts, status)
}

/// What the events say so far.
#[derive(Default)]
struct Fold {
    attempt: u32,
    job_id: String,
    dataset_path: String,
    export_path: String,
    operations: Vec<OpRef>,
    planned: Option<usize>,
    known_rows: Option<u64>,
    partitions: BTreeMap<usize, Partition>,
    discarded: usize,
    /// The fields from here to `steps` are about the last attempt.
    ended: Option<JobState>,
    stopping: bool,
    error: Option<String>,
    resumption: Option<String>,
    work_since: Option<f64>,
    /// Reads since work began: the time, and the rows and bytes since the read before.
    steps: Vec<(f64, u64, u64)>,
    /// Start and last sign of life of each attempt.
    spans: Vec<(f64, f64)>,
}

impl Fold {
    fn partition(&mut self, id: usize) -> &mut Partition {
        let partition = self.partitions.entry(id).or_default();
        partition.shown.partition_id = id;
        partition
    }

    fn new_attempt(&mut self, record: &Record) {
        self.attempt = record.attempt;
        (
            self.ended,
            self.stopping,
            self.error,
            self.resumption,
            self.work_since,
        ) = (None, false, None, None, None);
        self.steps.clear();
        self.spans.push((record.timestamp, record.timestamp));
        let ops = self.operations.len();
        for partition in self.partitions.values_mut() {
            partition.lose_what_is_not_committed();
            (partition.begun, partition.resumed, partition.confirmed) = (false, false, false);
            partition.shown.retries = 0;
            if partition.shown.state != PartitionState::Completed {
                partition.shown.state = PartitionState::Pending;
                partition.shown.error_message = None;
                partition.shown.end_time = None;
            }
            partition.base = partition.fraction(ops);
        }
    }

    fn add(&mut self, record: &Record) {
        if record.attempt != self.attempt || self.spans.is_empty() {
            self.new_attempt(record);
        }
        if let Some(span) = self.spans.last_mut() {
            span.1 = span.1.max(record.timestamp);
        }
        self.job_id.clone_from(&record.job_id);
        match record.event.partition() {
            Some(id) => self.add_to_partition(id, record),
            None => self.add_to_job(&record.event),
        }
    }

    fn add_to_job(&mut self, event: &Event) {
        match event {
            Event::JobStarted {
                dataset_path,
                export_path,
                operations,
                is_resuming,
                ..
            } => {
                if !is_resuming {
                    self.partitions.clear();
                    (self.planned, self.discarded) = (None, 0);
                }
                self.dataset_path.clone_from(dataset_path);
                self.export_path.clone_from(export_path);
                self.operations.clone_from(operations);
            }
            Event::PartitionsPlanned {
                total_partitions,
                input_rows,
                ..
            } => {
                self.planned = Some(*total_partitions);
                self.known_rows = *input_rows;
                self.partitions.retain(|id, _| id < total_partitions);
            }
            Event::JobCompleted { .. } => {
                self.ended = Some(JobState::Completed);
                // An attempt that finds the job complete reports no partitions.
                self.partitions
                    .values_mut()
                    .for_each(|p| p.shown.state = PartitionState::Completed);
            }
            Event::JobFailed {
                error_message,
                resumption_command,
                ..
            } => {
                self.ended = Some(JobState::Failed);
                self.error = Some(error_message.clone());
                self.resumption = Some(resumption_command.clone());
            }
            Event::JobStopped {
                reason,
                resumption_command,
                ..
            } => {
                self.ended = Some(JobState::Stopped);
                self.error = Some(format!("stopped by {reason}"));
                self.resumption = Some(resumption_command.clone());
            }
            Event::StopRequested { .. } => self.stopping = true,
            _ => {}
        }
    }

    fn add_to_partition(&mut self, id: usize, record: &Record) {
        let (event, time) = (&record.event, record.timestamp);
        match event {
            Event::PartitionStarted { .. } if self.work_since.is_none() => {
                // Before its first task, an attempt reports all partitions that it takes over. It
                // does the others again.
                self.partitions
                    .values_mut()
                    .filter(|p| p.shown.state == PartitionState::Completed && !p.confirmed)
                    .for_each(Partition::redo_all);
                self.work_since = Some(time);
            }
            Event::CheckpointDiscarded { .. } => self.discarded += 1,
            _ => {}
        }
        let ops = self.operations.len();
        let partition = self.partition(id);
        if let Event::PartitionStarted { .. } = event {
            partition.shown.node.clone_from(&record.node);
            partition.shown.worker = record.worker;
        }
        if let Some((rows, bytes)) = partition.add(event, time, ops) {
            self.steps.push((time, rows, bytes));
        }
    }

    fn status(&self, facts: &Facts<'_>) -> JobState {
        let summary = facts
            .summary
            .map(|s| (s.attempts.last().map_or(0, |a| a.attempt), s.status));
        // If event logging is switched off, the summary knows attempts that the events do not.
        let logged = self
            .ended
            .filter(|_| summary.is_none_or(|(attempt, _)| attempt <= self.attempt));
        let told = logged.or(match summary {
            Some((_, Status::Completed)) => Some(JobState::Completed),
            Some((_, Status::Failed)) => Some(JobState::Failed),
            Some((_, Status::Stopped)) => Some(JobState::Stopped),
            _ => None,
        });
        match facts.liveness {
            // The lock is taken before anything is written and released at the end, so `told` may
            // be about the previous attempt.
            Liveness::Held(holder) => match (told, holder) {
                (Some(told), Some(holder))
                    if holder.attempt
                        <= self.attempt.max(summary.map_or(0, |(attempt, _)| attempt)) =>
                {
                    told
                }
                _ if self.stopping || facts.stop_requested => JobState::Stopping,
                _ => JobState::Running,
            },
            Liveness::Free(_) => told.unwrap_or(JobState::Died),
        }
    }
}
