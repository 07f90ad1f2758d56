//! Counting and timing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::breaker::{self, Ratios, Seen};
use super::determinism::Determinism;
use super::reasons::Reasons;
use crate::data::Dataset;
use crate::error::Final;
use crate::plan::PlannedOp;
use crate::rundir::events::OpDone;
use crate::wasm::thread_cpu;

/// A stretch of work on this thread.
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

/// Rows and bytes of the whole job while it runs: for whoever waits for it, and for the circuit
/// breaker.
#[derive(Default)]
pub(crate) struct Tally {
    /// Rows that entered a task in this attempt.
    rows: AtomicU64,
    /// Rows of this attempt that the reader refused.
    unreadable: AtomicU64,
    /// Rows of this attempt that operators could not process.
    failed: AtomicU64,
    /// Input bytes read in this attempt, resumed work included.
    pub bytes: AtomicU64,
    /// The op that a worker began last, from 1; 0 before the first.
    at: AtomicUsize,
    /// The check of operators that the job was asked for.
    pub determinism: Determinism,
    /// Why rows of this attempt could not be used.
    pub(crate) reasons: Mutex<Reasons>,
    /// By op: bytes of its answers beyond `output_ratio` times the rows, those of earlier attempts
    /// included.
    beyond: Mutex<BTreeMap<usize, u64>>,
}

impl Tally {
    /// Nothing has come yet.
    pub(crate) fn new(determinism: Determinism) -> Self {
        Self {
            determinism,
            ..Self::default()
        }
    }

    /// Notes that a worker is at op `op` now.
    pub(crate) fn at(&self, op: usize) {
        self.at.store(op + 1, Ordering::Relaxed);
    }

    /// Returns the op that a worker began last.
    pub(crate) fn op(&self) -> Option<usize> {
        self.at.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Enters rows that have come in.
    pub(crate) fn enter(&self, rows: u64, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows that have come in.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Rows that could not be used.
    pub(crate) fn quarantined(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed) + self.failed.load(Ordering::Relaxed)
    }

    /// Enters a row that could not be used; gives how many of its kind there are now.
    pub(crate) fn set_aside(&self, by_reader: bool) -> u64 {
        let count = if by_reader {
            &self.unreadable
        } else {
            &self.failed
        };
        count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Enters what earlier attempts have made.
    pub(crate) fn take_over<'a>(&self, done: impl Iterator<Item = &'a OpDone>) {
        let mut beyond = self.beyond.lock().expect("no panic while held");
        done.for_each(|done| *beyond.entry(done.op.index).or_default() += done.output_beyond);
    }

    /// Enters bytes that `op` has made of rows of `dataset` beyond `output_ratio` times each; an
    /// error when all of them are too many.
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

    /// Ends the job if too many of its rows cannot be used. `files` are those of its quarantine,
    /// which have the reasons of earlier attempts, too.
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
