//! Run directories of jobs that process nothing: for examples and tests of monitoring.

use std::path::Path;

use anyhow::Result;

use crate::rundir::events::{CheckpointDone, Event, EventLog, OpDone, OpRef, now};
use crate::rundir::{DatasetMapping, JobLock, JobSummary, RunPaths, Status};

/// The ops of the simulated recipe.
pub const OPS: [&str; 3] = [
    "whitespace_normalization_mapper",
    "text_length_filter",
    "document_deduplicator",
];
/// Input rows of each simulated partition; op 1 drops a tenth.
pub const ROWS: u64 = 1000;
/// Bytes of each simulated partition.
pub const BYTES: u64 = 250_000;

/// Writes what a running job would write, at moments of the caller's choice.
pub struct PretendedJob {
    /// Its run directory.
    pub paths: RunPaths,
    /// Its events.
    pub log: EventLog,
    /// Its summary, not yet saved as finished.
    pub summary: JobSummary,
    /// Its partitions.
    pub mapping: DatasetMapping,
    _lock: JobLock,
}

impl PretendedJob {
    /// Begins an attempt with `partitions` partitions.
    pub fn start(root: &Path, partitions: usize) -> Result<Self> {
        let paths = RunPaths::new(root);
        paths.create()?;
        let lock = JobLock::acquire(&paths)?;
        let job_id = paths.job_id();
        let log = EventLog::open(&paths, &job_id, lock.attempt())?;
        let mut summary = JobSummary::start(&paths, &job_id, lock.attempt(), log.path())?;
        summary.dataset_path = "data/in.jsonl".to_owned();
        summary.export_path = "out/out.jsonl".to_owned();
        summary.executor_type = "default".to_owned();
        summary.resumption_command = format!("djhost run --config recipe.yaml --resume {job_id}");
        summary.totals.partitions = partitions;
        summary.totals.input_bytes = BYTES * partitions as u64;
        summary.save(&paths)?;
        log.emit(Event::JobStarted {
            dataset_path: summary.dataset_path.clone(),
            export_path: summary.export_path.clone(),
            work_dir: summary.work_dir.clone(),
            config_file: None,
            executor_type: summary.executor_type.clone(),
            operations: OPS
                .iter()
                .enumerate()
                .map(|(i, name)| OpRef::new(i, *name))
                .collect(),
            is_resuming: lock.attempt() > 1,
        });
        let mut mapping = match DatasetMapping::load(&paths)? {
            Some(mapping) => mapping,
            None => DatasetMapping::new("data/in.jsonl", vec![(BYTES, None); partitions]),
        };
        mapping.save(&paths)?;
        log.emit(Event::PartitionsPlanned {
            total_partitions: partitions,
            input_bytes: BYTES * partitions as u64,
            input_rows: None,
        });
        Ok(Self {
            paths,
            log,
            summary,
            mapping,
            _lock: lock,
        })
    }

    /// A worker starts a partition, from op `first` on (after a checkpoint if not 0), and has read
    /// `share` of it.
    pub fn begin(&mut self, partition_id: usize, first: usize, share: f64) -> Result<()> {
        if first > 0 {
            self.repeat_ops(partition_id, first);
            let checkpoint_path = self
                .paths
                .checkpoint(first - 1, partition_id, "parquet")
                .display()
                .to_string();
            self.log.emit(Event::PartitionResumed {
                partition_id,
                op: op(first - 1),
                checkpoint_path,
                output_rows: rows_after(first - 1),
            });
        }
        let input_rows = (first > 0).then(|| rows_after(first - 1));
        let last = OPS.len() - 1;
        self.log.emit(Event::PartitionStarted {
            partition_id,
            stage: 0,
            operation_idx: first,
            last_operation_idx: last,
            input_bytes: BYTES,
            input_rows,
        });
        self.mapping.started(partition_id, now());
        self.mapping.save(&self.paths)?;
        for index in first..=last {
            self.log.emit(Event::OpStarted {
                partition_id,
                op: op(index),
            });
        }
        if share > 0.0 {
            let (input_rows, done_bytes) =
                ((ROWS as f64 * share) as u64, (BYTES as f64 * share) as u64);
            self.log.emit(Event::PartitionProgressed {
                partition_id,
                stage: 0,
                input_rows,
                done_bytes,
                input_bytes: BYTES,
            });
        }
        Ok(())
    }

    /// Repeats the events of ops `..end` of a partition, and of the checkpoint after the last of
    /// them, from an earlier attempt.
    fn repeat_ops(&mut self, partition_id: usize, end: usize) {
        for index in 0..end {
            let done = OpDone {
                taken_over: true,
                ..op_done(partition_id, index)
            };
            self.summary.add_op(&done);
            self.log.emit(Event::OpCompleted(done));
        }
        self.save_checkpoint(partition_id, end - 1, true);
    }

    /// An earlier attempt has done the partition.
    pub fn take_over(&mut self, partition_id: usize) -> Result<()> {
        self.repeat_ops(partition_id, OPS.len());
        self.end_partition(partition_id, true)
    }

    /// Commits the checkpoint after op `index` of a partition, with the ops before it.
    pub fn checkpoint(&mut self, partition_id: usize, index: usize) {
        self.save_checkpoint(partition_id, index, false);
    }

    fn save_checkpoint(&mut self, partition_id: usize, index: usize, taken_over: bool) {
        let checkpoint_path = self
            .paths
            .checkpoint(index, partition_id, "parquet")
            .display()
            .to_string();
        self.log.emit(Event::CheckpointSaved(CheckpointDone {
            partition_id,
            op: op(index),
            checkpoint_path,
            duration: 0.125,
            cpu_seconds: 0.1,
            output_rows: rows_after(index),
            bytes: 90_000,
            stall_seconds: 0.0,
            taken_over,
        }));
    }

    /// Completes the ops `first..` of a partition, and so the partition.
    pub fn complete(&mut self, partition_id: usize, first: usize) -> Result<()> {
        for index in first..OPS.len() {
            let done = op_done(partition_id, index);
            self.summary.add_op(&done);
            self.log.emit(Event::OpCompleted(done));
        }
        self.end_partition(partition_id, false)
    }

    fn end_partition(&mut self, partition_id: usize, taken_over: bool) -> Result<()> {
        let (input_rows, output_rows) = (ROWS, rows_after(OPS.len() - 1));
        self.summary.ledger.read += input_rows;
        self.summary.ledger.output += output_rows;
        if !taken_over {
            self.mapping
                .completed(partition_id, now(), input_rows, output_rows);
            self.mapping.save(&self.paths)?;
        }
        self.log.emit(Event::PartitionCompleted {
            partition_id,
            duration: 3.0,
            input_rows,
            output_rows,
            output_bytes: BYTES,
            output_path: self.paths.part(partition_id, "jsonl").display().to_string(),
            taken_over,
        });
        Ok(())
    }

    /// Ends the attempt.
    pub fn finish(mut self, status: Status, why: &str) -> Result<()> {
        self.summary
            .finish(status, (status == Status::Failed).then(|| why.to_owned()));
        let duration = self.summary.duration.unwrap_or(0.0);
        let resumption_command = self.summary.resumption_command.clone();
        match status {
            Status::Running => {}
            Status::Completed => {
                let ledger = &self.summary.ledger;
                ledger.check_balance()?;
                self.log.emit(Event::JobCompleted {
                    duration,
                    input_rows: ledger.read,
                    output_rows: ledger.output,
                    quarantined_rows: ledger.quarantined,
                    output_path: self.summary.export_path.clone(),
                });
            }
            Status::Failed => {
                self.log.emit(Event::JobFailed {
                    duration,
                    error_message: why.to_owned(),
                    error_type: "error".to_owned(),
                    resumption_command,
                });
            }
            Status::Stopped => self.log.emit(Event::JobStopped {
                duration,
                reason: why.to_owned(),
                resumption_command,
            }),
        }
        self.log.flush()?;
        self.summary.save(&self.paths)
    }
}

fn op(index: usize) -> OpRef {
    OpRef::new(index, OPS[index])
}

fn rows_after(index: usize) -> u64 {
    if index == 0 { ROWS } else { ROWS - ROWS / 10 }
}

fn op_done(partition_id: usize, index: usize) -> OpDone {
    OpDone {
        partition_id,
        op: op(index),
        duration: 0.5,
        cpu_seconds: 0.25,
        input_rows: if index == 0 {
            ROWS
        } else {
            rows_after(index - 1)
        },
        output_rows: rows_after(index),
        input_bytes: BYTES,
        ..OpDone::default()
    }
}

/// Makes the run directory of a completed job with two partitions and a checkpoint in each.
pub fn finished_job(root: &Path) -> Result<()> {
    let mut job = PretendedJob::start(root, 2)?;
    for partition in 0..2 {
        job.begin(partition, 0, 0.5)?;
        job.checkpoint(partition, 1);
        job.complete(partition, 0)?;
    }
    job.finish(Status::Completed, "")
}
