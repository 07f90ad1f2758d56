//! The fold of the events of one partition.

use std::collections::BTreeMap;

use super::totals::add_op;
use crate::jobs::progress::{CheckpointInfo, OpProgress, PartitionProgress};
use crate::rundir::events::{CheckpointDone, Event, OpDone};
use crate::rundir::mapping::PartitionState;

#[derive(Default)]
pub(super) struct Partition {
    pub(super) shown: PartitionProgress,
    /// Ops that are done, counted from the first. Their results are all in a checkpoint or a part.
    pub(super) ops_done: usize,
    /// What the last attempt found done, in ops, parts of ops included.
    pub(super) base: f64,
    /// Whether the last attempt has begun this partition, and whether it continued the work of an
    /// earlier one.
    pub(super) begun: bool,
    pub(super) resumed: bool,
    /// Whether the last attempt has reported it as done.
    pub(super) confirmed: bool,
    /// The stage that runs.
    task: Option<Task>,
    pub(super) ops: BTreeMap<usize, OpDone>,
    checkpoints: BTreeMap<usize, CheckpointInfo>,
    /// By op (None for the reader) and reason.
    pub(super) quarantine: BTreeMap<(Option<usize>, String), u64>,
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

impl Task {
    /// Sets what the task has read so far. Returns the rows and bytes since the last time.
    fn advance(&mut self, rows: u64, bytes: u64) -> (u64, u64) {
        let step = (
            rows.saturating_sub(self.rows),
            bytes.saturating_sub(self.bytes),
        );
        (self.rows, self.bytes) = (rows, bytes);
        step
    }
}

impl Partition {
    /// Returns the share of the work that is done, if the recipe has `ops` ops.
    pub(super) fn fraction(&self, ops: usize) -> f64 {
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
    pub(super) fn lose_what_is_not_committed(&mut self) {
        if let Some(task) = self.task.take() {
            self.redo_from(task.first);
            self.shown.state = PartitionState::Pending;
            if task.first == 0 {
                self.shown.rows_in = 0;
            }
        }
        self.shown.current_op = None;
    }

    /// Forgets that the partition was done: its export part is not used.
    pub(super) fn redo_all(&mut self) {
        self.shown.state = PartitionState::Pending;
        self.shown.rows_out = None;
        self.shown.end_time = None;
        self.ops_done = 0;
        self.base = 0.0;
    }

    /// Forgets what ops from `op` on did: it will be done again.
    fn redo_from(&mut self, op: usize) {
        self.ops.retain(|index, _| *index < op);
        self.quarantine
            .retain(|(index, _), _| index.is_some_and(|i| i < op) || (index.is_none() && op > 0));
        self.ops_done = self.ops_done.min(op);
    }

    /// Adds an event of this partition. Returns the rows and bytes that were read since the last
    /// event about reading.
    pub(super) fn add(&mut self, event: &Event, time: f64, ops: usize) -> Option<(u64, u64)> {
        match event {
            Event::PartitionStarted {
                stage,
                operation_idx: first,
                last_operation_idx: last,
                input_bytes,
                ..
            } => self.start_stage(*stage, (*first, *last), *input_bytes, time, ops),
            Event::PartitionProgressed {
                input_rows,
                done_bytes,
                input_bytes,
                ..
            } => return self.advance(*input_rows, *done_bytes, *input_bytes),
            // Within an attempt, too, a stage continues from the checkpoint of the previous stage.
            // That is not a resumption.
            Event::PartitionResumed { op, .. } if !self.begun => {
                self.ops_done = op.index + 1;
                self.resumed = true;
                self.base = self.fraction(ops);
            }
            Event::StageCompleted {
                stage,
                input_rows,
                input_bytes,
                ..
            } => return self.complete_stage(*stage, *input_rows, *input_bytes),
            Event::PartitionCompleted {
                input_rows,
                output_rows,
                taken_over,
                ..
            } => return self.complete(*input_rows, *output_rows, *taken_over, time),
            Event::PartitionFailed { error_message, .. } => {
                self.lose_what_is_not_committed();
                self.shown.state = PartitionState::Failed;
                self.shown.error_message = Some(error_message.clone());
                self.shown.end_time = Some(time);
            }
            Event::TaskRetried { retry_count, .. } => {
                self.shown.retries = *retry_count;
                self.lose_what_is_not_committed();
                self.shown.state = PartitionState::Pending;
            }
            Event::OpStarted { op, .. } => self.shown.current_op = Some(op.clone()),
            Event::OpCompleted(done) => {
                self.shown
                    .current_op
                    .take_if(|op| op.index <= done.op.index);
                self.ops.insert(done.op.index, done.clone());
            }
            Event::RowsQuarantined {
                op, rows, reason, ..
            } => {
                let key = (op.as_ref().map(|op| op.index), reason.clone());
                *self.quarantine.entry(key).or_default() += rows;
            }
            Event::CheckpointSaved(done) => self.save_checkpoint(done, time),
            Event::CheckpointDiscarded { op, .. } => drop(self.checkpoints.remove(&op.index)),
            _ => {}
        }
        None
    }

    fn start_stage(
        &mut self,
        stage: usize,
        (first, last): (usize, usize),
        input_bytes: u64,
        time: f64,
        ops: usize,
    ) {
        self.redo_from(first);
        // Ops before this stage were done in this attempt or an earlier one.
        self.ops_done = first;
        self.shown.state = PartitionState::Processing;
        self.shown.rows_out = None;
        self.shown.end_time = None;
        self.shown.current_op = None;
        if !std::mem::replace(&mut self.begun, true) {
            self.base = self.fraction(ops);
            self.resumed = first > 0;
        }
        if first == 0 {
            self.shown.input_bytes = input_bytes;
            self.shown.rows_in = 0;
            self.shown.start_time = Some(time);
        }
        self.shown.start_time.get_or_insert(time);
        self.task = Some(Task {
            first,
            end: (last + 1).max(first),
            stage,
            ..Task::default()
        });
    }

    fn advance(&mut self, rows: u64, bytes: u64, all_bytes: u64) -> Option<(u64, u64)> {
        let task = self.task.as_mut()?;
        let step = task.advance(rows, bytes);
        task.share = if all_bytes == 0 {
            0.0
        } else {
            (bytes as f64 / all_bytes as f64).min(1.0)
        };
        if task.first == 0 {
            self.shown.rows_in = rows;
        }
        Some(step)
    }

    fn complete_stage(&mut self, stage: usize, rows: u64, bytes: u64) -> Option<(u64, u64)> {
        self.shown.current_op = None;
        self.shown.state = PartitionState::Pending;
        let mut task = self.task.take_if(|t| t.stage == stage)?;
        self.ops_done = task.end;
        if task.first == 0 {
            self.shown.rows_in = rows;
        }
        Some(task.advance(rows, bytes))
    }

    fn complete(
        &mut self,
        rows_in: u64,
        rows_out: u64,
        taken_over: bool,
        time: f64,
    ) -> Option<(u64, u64)> {
        self.shown.state = PartitionState::Completed;
        self.confirmed = true;
        self.shown.current_op = None;
        self.shown.rows_in = rows_in;
        self.shown.rows_out = Some(rows_out);
        if taken_over {
            self.base = 1.0;
            self.shown.end_time.get_or_insert(time);
        } else {
            self.shown.end_time = Some(time);
        }
        let mut task = self.task.take()?;
        Some(task.advance(rows_in, self.shown.input_bytes))
    }

    fn save_checkpoint(&mut self, done: &CheckpointDone, time: f64) {
        let info = CheckpointInfo {
            op: done.op.clone(),
            path: done.checkpoint_path.clone(),
            rows: done.output_rows,
            bytes: done.bytes,
            seconds: done.duration,
            time,
        };
        // A checkpoint that is taken over keeps the time and the cost of its first save.
        if done.taken_over {
            self.checkpoints.entry(done.op.index).or_insert(info);
        } else {
            self.checkpoints.insert(done.op.index, info);
        }
    }

    /// Returns what is shown of the partition.
    pub(super) fn into_progress(self) -> PartitionProgress {
        let mut shown = self.shown;
        for done in self.ops.values() {
            let mut alone = OpProgress::default();
            add_op(&mut alone, done);
            shown.ops.push(alone);
        }
        shown.current_ops = self
            .task
            .filter(|t| t.first < t.end)
            .map(|t| (t.first, t.end - 1));
        shown.quarantined = self.quarantine.values().sum();
        shown.checkpoints = self.checkpoints.into_values().collect();
        shown
    }
}
