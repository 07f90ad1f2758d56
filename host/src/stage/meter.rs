//! Counting and timing.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::determinism::Determinism;
use crate::error::Final;
use crate::op::thread_cpu;

/// A stretch of work on this thread.
pub(super) struct Timer {
    wall: Instant,
    cpu: Duration,
}

impl Timer {
    pub(super) fn start() -> Self {
        Self { wall: Instant::now(), cpu: thread_cpu() }
    }

    /// Wall and CPU seconds since the start.
    pub(super) fn seconds(&self) -> (f64, f64) {
        (self.wall.elapsed().as_secs_f64(), thread_cpu().saturating_sub(self.cpu).as_secs_f64())
    }
}

/// Rows and bytes of the whole job while it runs: for whoever waits for it, and for the circuit breaker.
#[derive(Default)]
pub struct Tally {
    /// Rows that entered a task in this attempt.
    pub rows: AtomicU64,
    /// Rows in quarantine, in this attempt.
    pub quarantined: AtomicU64,
    /// Input bytes read in this attempt, resumed work included.
    pub bytes: AtomicU64,
    /// The op that a worker began last, from 1; 0 before the first.
    at: AtomicUsize,
    /// The check of operators that the job was asked for.
    pub determinism: Determinism,
}

/// The breaker needs some rows to judge by: the first bad row of a job is 100 % of it. Before so many rows have come it judges as if they
/// had, so that a job which is bad from its first row on does not have to reach them.
const BREAKER_ROWS: u64 = 1000;

impl Tally {
    /// Nothing has come yet.
    pub fn new(determinism: Determinism) -> Self {
        Self { determinism, ..Self::default() }
    }

    /// Notes that a worker is at op `op` now.
    pub fn at(&self, op: usize) {
        self.at.store(op + 1, Ordering::Relaxed);
    }

    /// Returns the op that a worker began last.
    pub fn op(&self) -> Option<usize> {
        self.at.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Enters rows that have come in.
    pub(super) fn enter(&self, rows: u64, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Enters a row that was set aside or dropped because `who` failed on it for `reason`; an error once these are more than the share
    /// `limit` of the rows.
    pub(super) fn set_aside(&self, limit: f64, who: &str, reason: &str) -> Result<()> {
        let bad = self.quarantined.fetch_add(1, Ordering::Relaxed) + 1;
        judge(self.rows.load(Ordering::Relaxed).max(BREAKER_ROWS), bad, limit, &format!("the last reason, from {who}: {reason}"))
    }

    /// The breaker's last word, when all rows have been seen.
    pub fn check(&self, rows: u64, quarantined: u64, limit: f64) -> Result<()> {
        judge(rows, quarantined, limit, "`quarantine/` in the run directory has the reasons")
    }
}

fn judge(rows: u64, bad: u64, limit: f64, reasons: &str) -> Result<()> {
    if bad as f64 > limit * rows as f64 {
        let message = format!(
            "{bad} of {rows} rows could not be processed, more than max_quarantine_ratio {limit} allows: this looks like a broken operator or \
             a wrong field rather than bad data; {reasons}"
        );
        return Err(Final(message).into());
    }
    Ok(())
}
