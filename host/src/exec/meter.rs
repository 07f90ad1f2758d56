//! Counts rows and bytes, and measures time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use serde::{Deserialize, Serialize};

use super::breaker::{self, Ratios, Seen};
use super::determinism::Determinism;
use super::reasons::{Reason, Reasons};
use crate::data::Dataset;
use crate::error::Final;
use crate::plan::PlannedOp;
use crate::rundir::events::OpDone;
use crate::rundir::summary::Checked;
use crate::wasm::thread_cpu;

/// Measures a stretch of work on this thread.
pub(crate) struct Timer {
    wall: Instant,
    cpu: Duration,
}

impl Timer {
    pub(crate) fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: thread_cpu(),
        }
    }

    /// Wall and CPU seconds since the start.
    pub(crate) fn seconds(&self) -> (f64, f64) {
        (
            self.wall.elapsed().as_secs_f64(),
            thread_cpu().saturating_sub(self.cpu).as_secs_f64(),
        )
    }
}

/// Rows and bytes of the whole job while it runs: for progress displays and the breaker.
#[derive(Default)]
pub(crate) struct Tally {
    /// Rows that entered a task in this attempt.
    rows: AtomicU64,
    /// Rows of this attempt that the reader refused.
    unreadable: AtomicU64,
    /// Rows of this attempt that operators could not process.
    failed: AtomicU64,
    /// Input bytes read in this attempt, including resumed work.
    pub bytes: AtomicU64,
    /// The op that a worker last began, from 1; 0 before the first.
    at: AtomicUsize,
    /// The determinism check of this job.
    pub determinism: Determinism,
    /// Why rows of this attempt could not be used.
    pub(crate) reasons: Mutex<Reasons>,
    /// By op: bytes of its answers beyond `output_ratio` times the rows, over all attempts.
    beyond: Mutex<BTreeMap<usize, u64>>,
    /// Whether these are only the counts of this process, and the job is judged in another.
    is_share: bool,
    /// The most memory of other processes that run tasks, in bytes.
    pub(crate) processes_memory: AtomicU64,
}

/// What a process that runs tasks has counted since it was asked last.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Share {
    rows: u64,
    bytes: u64,
    unreadable: u64,
    failed: u64,
    /// The op that a thread last began.
    at: Option<usize>,
    /// The most memory that the process has had at a time, in bytes.
    pub(crate) peak_memory: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) beyond: BTreeMap<usize, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    determinism: BTreeMap<String, Checked>,
}

impl Tally {
    /// Starts with all counts at zero.
    pub(crate) fn new(determinism: Determinism) -> Self {
        Self {
            determinism,
            ..Self::default()
        }
    }

    /// The same for one of several processes that work on a job: it judges nothing.
    pub(crate) fn of_share(determinism: Determinism) -> Self {
        Self {
            is_share: true,
            ..Self::new(determinism)
        }
    }

    /// Whether the job is judged in another process.
    pub(crate) fn is_share(&self) -> bool {
        self.is_share
    }

    /// Returns what was counted since the last call, without the memory.
    pub(crate) fn take(&self) -> Share {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        let reasons = std::mem::take(&mut *self.reasons.lock().expect("no panic while held"));
        let beyond = std::mem::take(&mut *self.beyond.lock().expect("no panic while held"));
        Share {
            rows: take(&self.rows),
            bytes: take(&self.bytes),
            unreadable: take(&self.unreadable),
            failed: take(&self.failed),
            at: self.op(),
            peak_memory: 0,
            reasons: reasons.into_list(),
            beyond,
            determinism: self.determinism.take(),
        }
    }

    /// Adds what another process has counted, but for the bytes beyond: see [`made`](Self::made).
    pub(crate) fn add(&self, share: Share) {
        self.enter(share.rows, share.bytes);
        self.unreadable
            .fetch_add(share.unreadable, Ordering::Relaxed);
        self.failed.fetch_add(share.failed, Ordering::Relaxed);
        if let Some(op) = share.at {
            self.at(op);
        }
        let mut reasons = self.reasons.lock().expect("no panic while held");
        share
            .reasons
            .into_iter()
            .for_each(|reason| reasons.add(reason));
        self.determinism.add(share.determinism);
    }

    /// Number of rows so far that the reader refused, and that operators could not process.
    pub(crate) fn unusable(&self) -> (u64, u64) {
        (
            self.unreadable.load(Ordering::Relaxed),
            self.failed.load(Ordering::Relaxed),
        )
    }

    /// Records that a worker begins op `op`.
    pub(crate) fn at(&self, op: usize) {
        self.at.store(op + 1, Ordering::Relaxed);
    }

    /// Returns the op that a worker last began.
    pub(crate) fn op(&self) -> Option<usize> {
        self.at.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Counts rows that enter a task.
    pub(crate) fn enter(&self, rows: u64, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Number of rows that entered a task.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Number of unusable rows.
    pub(crate) fn quarantined(&self) -> u64 {
        let (unreadable, failed) = self.unusable();
        unreadable + failed
    }

    /// Counts an unusable row; returns the number of its kind so far.
    pub(crate) fn set_aside(&self, by_reader: bool) -> u64 {
        let count = if by_reader {
            &self.unreadable
        } else {
            &self.failed
        };
        count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Adds what earlier attempts made.
    pub(crate) fn take_over<'a>(&self, done: impl Iterator<Item = &'a OpDone>) {
        let mut beyond = self.beyond.lock().expect("no panic while held");
        done.for_each(|done| *beyond.entry(done.op.index).or_default() += done.output_beyond);
    }

    /// Counts bytes that `op` made of rows of `dataset` beyond `output_ratio` times each; fails if
    /// there are too many in all.
    pub(crate) fn made(&self, op: &PlannedOp, bytes: u64, dataset: &Dataset) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        let mut beyond = self.beyond.lock().expect("no panic while held");
        let all = beyond.entry(op.index).or_default();
        *all += bytes;
        let ratio = op.pool.limits().ratio;
        if *all as f64 > ratio * dataset.bytes() as f64 + op.job_output as f64 {
            let message = format!(
                "op {} `{}` makes too much of its rows: {} bytes beyond output_ratio {ratio} times each, more than as many times the dataset \
                 and job_output_mb {}; if that is as it should be, raise `job_output_mb` or `output_ratio` in `op_limits`, or in `limits` of this op",
                op.index,
                op.name,
                crate::term::count(*all),
                op.job_output >> 20
            );
            return Err(Final(message).into());
        }
        Ok(())
    }

    /// Fails if too many of the job's rows are unusable. `files` are those of its quarantine, which
    /// have the reasons of earlier attempts, too.
    pub(crate) fn check<'a>(
        &self,
        seen: Seen,
        ratios: Ratios,
        dataset: &Dataset,
        files: impl Iterator<Item = &'a Path>,
    ) -> Result<()> {
        let reasons = self.reasons.lock().expect("no panic while held");
        let known = reasons.rows(true) >= seen.unreadable && reasons.rows(false) >= seen.failed;
        match breaker::check(seen, ratios, &reasons, dataset) {
            Err(_) if !known => breaker::check(seen, ratios, &Reasons::of_files(files)?, dataset),
            judged => judged,
        }
    }
}
