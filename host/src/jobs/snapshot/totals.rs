//! Adds the partitions up to the progress of the whole job.

use std::collections::BTreeMap;

use super::partition::Partition;
use super::summary::add_summary;
use super::{Facts, Fold};
use crate::jobs::progress::{JobProgress, JobState, OpProgress, PROGRESS_VERSION, Rates};
use crate::rundir::events::OpDone;
use crate::rundir::lock::Liveness;
use crate::rundir::mapping::PartitionState;
use crate::rundir::summary::OpTotals;

/// Number of slices of [`Rates::history`]: as many as a terminal shows on one line.
const HISTORY: usize = 60;

/// Work in bytes of input times the share of ops.
struct Work {
    all: f64,
    done: f64,
    /// Done by the last attempt.
    gained: f64,
}

impl Fold {
    /// Computes the progress of a job whose events have all been added.
    pub(super) fn progress(mut self, facts: &Facts<'_>, status: JobState) -> JobProgress {
        let running = status.is_running();
        self.add_unseen_partitions(facts);
        if !running {
            self.partitions
                .values_mut()
                .for_each(Partition::lose_what_is_not_committed);
        }
        let work = self.weigh_partitions();
        let end = if running {
            facts.now
        } else {
            self.spans.last().map_or(facts.now, |s| s.1)
        };
        let elapsed = self.work_since.map_or(0.0, |since| (end - since).max(0.0));
        let rates = self.rates(end, elapsed);
        if let (true, Some(span)) = (running, self.spans.last_mut()) {
            span.1 = span.1.max(facts.now);
        }
        let mut progress = JobProgress {
            format_version: PROGRESS_VERSION,
            job_id: std::mem::take(&mut self.job_id),
            status,
            attempt: self.attempt,
            process_id: match facts.liveness {
                Liveness::Held(Some(holder)) => Some(holder.process.pid),
                _ => None,
            },
            dataset_path: std::mem::take(&mut self.dataset_path),
            export_path: std::mem::take(&mut self.export_path),
            start_time: self.spans.first().map(|s| s.0),
            end_time: self.spans.last().map(|s| s.1).filter(|_| !running),
            duration: self
                .spans
                .iter()
                .map(|(start, end)| (end - start).max(0.0))
                .sum(),
            fraction: if status == JobState::Completed {
                1.0
            } else {
                work.done / f64::max(work.all, 1.0)
            },
            eta_seconds: (running && work.gained > 0.0 && elapsed > 0.0)
                .then(|| (work.all - work.done) * elapsed / work.gained),
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
        }
        if progress.status == JobState::Completed || running {
            progress.resumption_command = None;
        }
        progress
    }

    /// Adds partitions, and the bytes of their input, that no event has named.
    fn add_unseen_partitions(&mut self, facts: &Facts<'_>) {
        for (id, entry) in facts
            .mapping
            .iter()
            .flat_map(|m| m.partitions.iter().enumerate())
        {
            let shown = &mut self.partition(id).shown;
            if shown.input_bytes == 0 {
                shown.input_bytes = entry.input_bytes;
            }
        }
        for id in 0..self.planned.unwrap_or(0) {
            self.partition(id);
        }
    }

    /// Sets the share of each partition that is done, and returns the sums.
    fn weigh_partitions(&mut self) -> Work {
        let ops = self.operations.len();
        // A partition of unknown size weighs as much as the average of the others.
        let known: Vec<_> = self
            .partitions
            .values()
            .map(|p| p.shown.input_bytes)
            .filter(|bytes| *bytes > 0)
            .collect();
        let usual = (known.iter().sum::<u64>() as f64 / known.len().max(1) as f64).max(1.0);
        let mut work = Work {
            all: 0.0,
            done: 0.0,
            gained: 0.0,
        };
        for partition in self.partitions.values_mut() {
            let weight = if partition.shown.input_bytes > 0 {
                partition.shown.input_bytes as f64
            } else {
                usual
            };
            let fraction = partition.fraction(ops);
            partition.shown.fraction = fraction;
            work.all += weight;
            work.done += weight * fraction;
            work.gained += weight * (fraction - partition.base).max(0.0);
        }
        work
    }

    /// Adds the partitions and ops to `progress`, and their sums.
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
            for done in partition.ops.values() {
                add_op(ops.entry(done.op.index).or_default(), done);
            }
            for ((_, reason), rows) in &partition.quarantine {
                *progress.quarantine.entry(reason.clone()).or_default() += rows;
            }
            progress.checkpoints.resumed += usize::from(partition.resumed);
            let shown = partition.into_progress();
            progress.checkpoints.saved += shown.checkpoints.len();
            progress.checkpoints.bytes += shown.checkpoints.iter().map(|c| c.bytes).sum::<u64>();
            progress.checkpoints.seconds +=
                shown.checkpoints.iter().map(|c| c.seconds).sum::<f64>();
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

    /// Returns the speed of the last attempt, which has worked for `elapsed` seconds until `end`.
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

/// Adds what one op did to one partition.
pub(super) fn add_op(op: &mut OpProgress, done: &OpDone) {
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
