//! Counting and timing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::time::{ClockId, clock_gettime};

/// CPU time of the calling thread.
pub fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

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

/// Rows and bytes of the whole job while it runs: for the progress bar and the circuit breaker.
#[derive(Default)]
pub struct Tally {
    /// Rows that entered a task in this attempt.
    pub rows: AtomicU64,
    /// Rows in quarantine, in this attempt.
    pub quarantined: AtomicU64,
    /// Input bytes read in this attempt, resumed work included.
    pub bytes: AtomicU64,
}

/// The breaker needs some rows to judge by: the first bad row of a job is 100 % of it.
const BREAKER_ROWS: u64 = 1000;

impl Tally {
    /// Enters rows; an error once more than `limit` of them are in quarantine.
    pub(super) fn enter(&self, rows: u64, quarantined: u64, bytes: u64, limit: f64) -> Result<()> {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let bad = self.quarantined.fetch_add(quarantined, Ordering::Relaxed) + quarantined;
        if quarantined > 0 && rows >= BREAKER_ROWS {
            self.judge(rows, bad, limit)?;
        }
        Ok(())
    }

    /// The breaker's last word, when all rows have been seen.
    pub fn check(&self, rows: u64, quarantined: u64, limit: f64) -> Result<()> {
        self.judge(rows, quarantined, limit)
    }

    fn judge(&self, rows: u64, bad: u64, limit: f64) -> Result<()> {
        if bad as f64 > limit * rows as f64 {
            bail!(
                "{bad} of {rows} rows are in quarantine, more than max_quarantine_ratio {limit} allows: this looks like a broken operator or a \
                 wrong field rather than bad data; see `quarantine/` in the run directory"
            );
        }
        Ok(())
    }
}
