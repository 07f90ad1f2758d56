//! Folds events, summary, dataset mapping and lock into a [`JobProgress`]. A pure function: it
//! reads no file and no clock.

use std::collections::BTreeMap;

use super::progress::*;
use crate::rundir::events::{Event, EventLogs, OpDone, OpRef, Record};
use crate::rundir::lock::Liveness;
use crate::rundir::mapping::PartitionState;
use crate::rundir::summary::OpTotals;
use crate::rundir::{DatasetMapping, JobSummary, Status};

/// Number of slices of [`Rates::history`]: as many as a terminal shows on one line.
const HISTORY: usize = 60;

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

#[derive(Default)]
struct Partition {
    shown: PartitionProgress,
    /// Ops that are done, counted from the first. Their results are all in a checkpoint or a part.
    ops_done: usize,
    /// What the last attempt found done, in ops, parts of ops included.
    base: f64,
    /// Whether the last attempt has begun this partition, and whether it continued the work of an
    /// earlier one.
    begun: bool,
    resumed: bool,
    /// Whether the last attempt has reported it as done.
    confirmed: bool,
    /// The stage that runs.
    task: Option<Task>,
    ops: BTreeMap<usize, OpDone>,
    checkpoints: BTreeMap<usize, CheckpointInfo>,
    /// By op (None for the reader) and reason.
    quarantine: BTreeMap<(Option<usize>, String), u64>,
}

#[derive(Default)]
struct Task {
    first: usize,
    /// One past the last op; equal to `first` if the stage only writes rows.
    end: usize,
    stage: usize,
    rows: u64,
    bytes: u64,
    share: f64,
}

impl Partition {
    fn fraction(&self, ops: usize) -> f64 {
        if self.shown.state == PartitionState::Completed {
            return 1.0;
        }
        let running = self
            .task
            .as_ref()
            .map_or(0.0, |t| t.share * (t.end - t.first) as f64);
        ((self.ops_done as f64 + running) / ops.max(1) as f64).min(1.0)
    }

    /// Forgets what the running stage did: no process works on it any more.
    fn lose_what_is_not_committed(&mut self) {
        if let Some(task) = self.task.take() {
            self.redo_from(task.first);
            self.shown.state = PartitionState::Pending;
            if task.first == 0 {
                self.shown.rows_in = 0;
            }
        }
        self.shown.current_op = None;
    }

    /// Forgets what ops from `op` on did: it will be done again.
    fn redo_from(&mut self, op: usize) {
        self.ops.retain(|index, _| *index < op);
        self.quarantine
            .retain(|(index, _), _| index.is_some_and(|i| i < op) || (index.is_none() && op > 0));
        self.ops_done = self.ops_done.min(op);
    }
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
        let time = record.timestamp;
        match &record.event {
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
            Event::CheckpointDiscarded {
                partition_id, op, ..
            } => {
                self.discarded += 1;
                self.partition(*partition_id).checkpoints.remove(&op.index);
            }
            event => {
                if let Some(id) = event.partition() {
                    self.add_to_partition(id, event, time);
                }
            }
        }
    }

    fn add_to_partition(&mut self, id: usize, event: &Event, time: f64) {
        let ops = self.operations.len();
        if matches!(event, Event::PartitionStarted { .. }) && self.work_since.is_none() {
            // Before its first task, an attempt reports all partitions that it takes over. It does
            // the others again.
            for partition in self
                .partitions
                .values_mut()
                .filter(|p| p.shown.state == PartitionState::Completed && !p.confirmed)
            {
                partition.shown.state = PartitionState::Pending;
                partition.shown.rows_out = None;
                partition.shown.end_time = None;
                partition.ops_done = 0;
                partition.base = 0.0;
            }
        }
        let mut step = None;
        let partition = self.partition(id);
        match event {
            Event::PartitionStarted {
                stage,
                operation_idx,
                last_operation_idx,
                input_bytes,
                ..
            } => {
                let first = *operation_idx;
                partition.redo_from(first);
                // Ops before this stage were done in this attempt or an earlier one.
                partition.ops_done = first;
                partition.shown.state = PartitionState::Processing;
                partition.shown.rows_out = None;
                partition.shown.end_time = None;
                partition.shown.current_op = None;
                if !std::mem::replace(&mut partition.begun, true) {
                    partition.base = partition.fraction(ops);
                    partition.resumed = first > 0;
                }
                if first == 0 {
                    partition.shown.input_bytes = *input_bytes;
                    partition.shown.rows_in = 0;
                    partition.shown.start_time = Some(time);
                }
                partition.shown.start_time.get_or_insert(time);
                partition.task = Some(Task {
                    first,
                    end: (*last_operation_idx + 1).max(first),
                    stage: *stage,
                    ..Task::default()
                });
                self.work_since.get_or_insert(time);
            }
            Event::PartitionProgressed {
                input_rows,
                done_bytes,
                input_bytes,
                ..
            } => {
                if let Some(task) = &mut partition.task {
                    step = Some((
                        input_rows.saturating_sub(task.rows),
                        done_bytes.saturating_sub(task.bytes),
                    ));
                    (task.rows, task.bytes) = (*input_rows, *done_bytes);
                    task.share = if *input_bytes == 0 {
                        0.0
                    } else {
                        (*done_bytes as f64 / *input_bytes as f64).min(1.0)
                    };
                    if task.first == 0 {
                        partition.shown.rows_in = *input_rows;
                    }
                }
            }
            // Within an attempt, too, a stage continues from the checkpoint of the previous stage.
            // That is not a resumption.
            Event::PartitionResumed { op, .. } if !partition.begun => {
                partition.ops_done = op.index + 1;
                partition.resumed = true;
                partition.base = partition.fraction(ops);
            }
            Event::StageCompleted {
                stage,
                input_rows,
                input_bytes,
                ..
            } => {
                if let Some(task) = partition.task.take_if(|t| t.stage == *stage) {
                    step = Some((
                        input_rows.saturating_sub(task.rows),
                        input_bytes.saturating_sub(task.bytes),
                    ));
                    partition.ops_done = task.end;
                    if task.first == 0 {
                        partition.shown.rows_in = *input_rows;
                    }
                }
                partition.shown.current_op = None;
                partition.shown.state = PartitionState::Pending;
            }
            Event::PartitionCompleted {
                input_rows,
                output_rows,
                taken_over,
                ..
            } => {
                if let Some(task) = partition.task.take() {
                    step = Some((
                        input_rows.saturating_sub(task.rows),
                        partition.shown.input_bytes.saturating_sub(task.bytes),
                    ));
                }
                partition.shown.state = PartitionState::Completed;
                partition.confirmed = true;
                partition.shown.current_op = None;
                partition.shown.rows_in = *input_rows;
                partition.shown.rows_out = Some(*output_rows);
                if *taken_over {
                    partition.base = 1.0;
                    partition.shown.end_time.get_or_insert(time);
                } else {
                    partition.shown.end_time = Some(time);
                }
            }
            Event::PartitionFailed { error_message, .. } => {
                partition.lose_what_is_not_committed();
                partition.shown.state = PartitionState::Failed;
                partition.shown.error_message = Some(error_message.clone());
                partition.shown.end_time = Some(time);
            }
            Event::TaskRetried { retry_count, .. } => {
                partition.shown.retries = *retry_count;
                partition.lose_what_is_not_committed();
                partition.shown.state = PartitionState::Pending;
            }
            Event::OpStarted { op, .. } => partition.shown.current_op = Some(op.clone()),
            Event::OpCompleted(done) => {
                partition
                    .shown
                    .current_op
                    .take_if(|op| op.index <= done.op.index);
                partition.ops.insert(done.op.index, done.clone());
            }
            Event::RowsQuarantined {
                op, rows, reason, ..
            } => {
                *partition
                    .quarantine
                    .entry((op.as_ref().map(|op| op.index), reason.clone()))
                    .or_default() += rows;
            }
            Event::CheckpointSaved(done) => {
                let info = CheckpointInfo {
                    op: done.op.clone(),
                    path: done.checkpoint_path.clone(),
                    rows: done.output_rows,
                    bytes: done.bytes,
                    seconds: done.duration,
                    time,
                };
                let known = partition
                    .checkpoints
                    .entry(done.op.index)
                    .or_insert_with(|| info.clone());
                // A checkpoint that is taken over keeps the time and the cost of its first save.
                if !done.taken_over {
                    *known = info;
                }
            }
            _ => {}
        }
        if let Some((rows, bytes)) = step {
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

    fn progress(mut self, facts: &Facts<'_>, status: JobState) -> JobProgress {
        let running = status.is_running();
        for (id, entry) in facts
            .mapping
            .iter()
            .flat_map(|m| m.partitions.iter().enumerate())
        {
            let shown = &mut self.partition(id).shown;
            shown.input_bytes = if shown.input_bytes == 0 {
                entry.input_bytes
            } else {
                shown.input_bytes
            };
        }
        for id in 0..self.planned.unwrap_or(0) {
            self.partition(id);
        }
        let ops = self.operations.len();
        if !running {
            self.partitions
                .values_mut()
                .for_each(Partition::lose_what_is_not_committed);
        }
        // A partition of unknown size weighs as much as the average of the others.
        let known: Vec<_> = self
            .partitions
            .values()
            .map(|p| p.shown.input_bytes)
            .filter(|bytes| *bytes > 0)
            .collect();
        let usual = (known.iter().sum::<u64>() as f64 / known.len().max(1) as f64).max(1.0);
        let (mut done, mut all, mut gained) = (0.0, 0.0, 0.0);
        for partition in self.partitions.values_mut() {
            let weight = if partition.shown.input_bytes > 0 {
                partition.shown.input_bytes as f64
            } else {
                usual
            };
            let fraction = partition.fraction(ops);
            partition.shown.fraction = fraction;
            done += weight * fraction;
            all += weight;
            gained += weight * (fraction - partition.base).max(0.0);
        }
        let end = if running {
            facts.now
        } else {
            self.spans.last().map_or(facts.now, |s| s.1)
        };
        let elapsed = self.work_since.map_or(0.0, |since| (end - since).max(0.0));
        let eta_seconds =
            (running && gained > 0.0 && elapsed > 0.0).then(|| (all - done) * elapsed / gained);
        let rates = self.rates(end, elapsed);
        if let (true, Some(span)) = (running, self.spans.last_mut()) {
            span.1 = span.1.max(facts.now);
        }

        let mut progress = JobProgress {
            format_version: PROGRESS_VERSION,
            job_id: self.job_id.clone(),
            status,
            attempt: self.attempt,
            process_id: match facts.liveness {
                Liveness::Held(Some(holder)) => Some(holder.process.pid),
                _ => None,
            },
            dataset_path: std::mem::take(&mut self.dataset_path),
            export_path: std::mem::take(&mut self.export_path),
            start_time: self.spans.first().map(|s| s.0),
            end_time: if running {
                None
            } else {
                self.spans.last().map(|s| s.1)
            },
            duration: self
                .spans
                .iter()
                .map(|(start, end)| (end - start).max(0.0))
                .sum(),
            fraction: if status == JobState::Completed {
                1.0
            } else {
                done / f64::max(all, 1.0)
            },
            eta_seconds,
            rates,
            error_message: self.error.take(),
            resumption_command: self.resumption.take(),
            torn_lines: facts.logs.torn_lines,
            ..JobProgress::default()
        };
        progress.checkpoints.discarded = self.discarded;
        self.show_partitions(&mut progress);
        progress.rows.total = self.known_rows.or(facts
            .mapping
            .filter(|m| m.size_is_exact)
            .map(|m| m.original_dataset_size));
        if let Some(summary) = facts.summary {
            add_summary(&mut progress, summary);
        }
        if progress.status == JobState::Completed {
            progress.rows.total = progress.rows.total.or(Some(progress.rows.read));
            progress.resumption_command = None;
        } else if running {
            progress.resumption_command = None;
        }
        progress
    }

    fn show_partitions(&mut self, progress: &mut JobProgress) {
        let mut ops: BTreeMap<usize, OpProgress> = self
            .operations
            .iter()
            .map(|op| {
                (
                    op.index,
                    OpProgress {
                        totals: OpTotals {
                            index: op.index,
                            name: op.name.clone(),
                            ..OpTotals::default()
                        },
                        ..OpProgress::default()
                    },
                )
            })
            .collect();
        for partition in std::mem::take(&mut self.partitions).into_values() {
            let mut shown = partition.shown;
            for done in partition.ops.values() {
                add_op(ops.entry(done.op.index).or_default(), done);
                let mut alone = OpProgress::default();
                add_op(&mut alone, done);
                shown.ops.push(alone);
            }
            shown.current_ops = partition
                .task
                .filter(|t| t.first < t.end)
                .map(|t| (t.first, t.end - 1));
            shown.quarantined = partition.quarantine.values().sum();
            for ((_, reason), rows) in partition.quarantine {
                *progress.quarantine.entry(reason).or_default() += rows;
            }
            shown.checkpoints = partition.checkpoints.into_values().collect();
            progress.checkpoints.saved += shown.checkpoints.len();
            progress.checkpoints.bytes += shown.checkpoints.iter().map(|c| c.bytes).sum::<u64>();
            progress.checkpoints.seconds +=
                shown.checkpoints.iter().map(|c| c.seconds).sum::<f64>();
            progress.checkpoints.resumed += usize::from(partition.resumed);
            progress.rows.read += shown.rows_in;
            progress.rows.output += shown.rows_out.unwrap_or(0);
            progress.rows.quarantined += shown.quarantined;
            let counts = &mut progress.partitions;
            counts.total += 1;
            match shown.state {
                PartitionState::Completed => counts.done += 1,
                PartitionState::Processing => counts.running += 1,
                PartitionState::Failed => counts.failed += 1,
                PartitionState::Pending => counts.waiting += 1,
            }
            progress.partition.push(shown);
        }
        progress.ops = ops.into_values().collect();
    }

    fn rates(&self, end: f64, elapsed: f64) -> Rates {
        let Some(since) = self.work_since.filter(|_| elapsed > 0.0) else {
            return Rates::default();
        };
        let slice = elapsed / HISTORY as f64;
        let mut history = vec![0.0; HISTORY];
        let (mut rows, mut bytes) = (0, 0);
        for (time, step_rows, step_bytes) in &self.steps {
            // After a global op, stages meet rows again that were already read: these add no bytes
            // and must not count twice.
            let step_rows = if *step_bytes > 0 { step_rows } else { &0 };
            rows += step_rows;
            bytes += step_bytes;
            let at = ((time.min(end) - since).max(0.0) / slice) as usize;
            history[at.min(HISTORY - 1)] += *step_rows as f64 / slice;
        }
        Rates {
            rows_per_second: rows as f64 / elapsed,
            bytes_per_second: bytes as f64 / elapsed,
            history,
        }
    }
}

fn add_op(op: &mut OpProgress, done: &OpDone) {
    op.totals.add(done);
    op.partitions_done += 1;
    let totals = &op.totals;
    op.throughput = if totals.wall_seconds > 0.0 {
        totals.rows_in as f64 / totals.wall_seconds
    } else {
        0.0
    };
    op.reduction_ratio = if totals.rows_in > 0 {
        1.0 - totals.rows_out as f64 / totals.rows_in as f64
    } else {
        0.0
    };
}

/// Adds what the events lack: logging may be off, and a job may die before its first event.
fn add_summary(progress: &mut JobProgress, summary: &JobSummary) {
    let or = |text: &mut String, other: &str| {
        if text.is_empty() {
            other.clone_into(text);
        }
    };
    or(&mut progress.job_id, &summary.job_id);
    or(&mut progress.dataset_path, &summary.dataset_path);
    or(&mut progress.export_path, &summary.export_path);
    or(&mut progress.work_dir, &summary.work_dir);
    progress.attempt = progress
        .attempt
        .max(summary.attempts.last().map_or(0, |a| a.attempt));
    progress.start_time = progress.start_time.or(Some(summary.start_time));
    if !progress.status.is_running() {
        progress.end_time = progress
            .end_time
            .into_iter()
            .chain(summary.end_time)
            .reduce(f64::max);
        if progress.duration == 0.0 {
            progress.duration = summary.duration.unwrap_or(0.0);
        }
        progress.error_message = progress
            .error_message
            .take()
            .or(summary.error_message.clone());
        let command = Some(summary.resumption_command.clone()).filter(|c| !c.is_empty());
        progress.resumption_command = progress
            .resumption_command
            .take()
            .filter(|c| !c.is_empty())
            .or(command);
    }
    if progress.status == JobState::Completed && summary.status == Status::Completed {
        progress.rows.read = summary.ledger.read;
        progress.rows.output = summary.ledger.output;
        progress.rows.quarantined = summary.ledger.quarantined;
    }
    if progress.partition.is_empty() {
        progress.partitions.total = summary.totals.partitions;
        if summary.status == Status::Completed {
            progress.partitions.done = progress.partitions.total;
        }
        progress.partitions.waiting = progress.partitions.total - progress.partitions.done;
    }
}
