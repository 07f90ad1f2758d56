//! How far a running job is, for the program that runs it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::progress::View;

/// Shows how far a job is. Cheap to clone; all clones show the same job.
///
/// It knows what the threads of this process do, and asks no file. What earlier attempts did, and
/// how the job ends, [`jobs::Job`](crate::jobs::Job) tells.
#[derive(Debug, Clone, Default)]
pub struct Live {
    view: Arc<Mutex<Weak<View>>>,
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Bytes of the input that were read.
    pub bytes_read: u64,
    /// Bytes of the input that this attempt has to read.
    pub bytes: u64,
    /// Rows that were read.
    pub rows: u64,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// Number and name of the op that began last.
    pub op: Option<(usize, String)>,
    /// Partitions that are done.
    pub partitions_done: usize,
    /// All partitions.
    pub partitions: usize,
    /// Seconds since the tasks began.
    pub seconds: f64,
    /// Whether ops follow after all input is read, such as deduplicators.
    pub goes_on: bool,
}

impl Live {
    /// Shows nothing until a job is run with it ([`RunOptions::live`](super::RunOptions::live)).
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how far the job is; None while its tasks have not begun, and after they have ended.
    pub fn now(&self) -> Option<Progress> {
        let view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        let view = view.upgrade()?;
        let (tally, work) = (&view.tally, &view.work);
        Some(Progress {
            bytes_read: tally.bytes.load(Ordering::Relaxed).min(work.bytes),
            bytes: work.bytes,
            rows: tally.rows(),
            quarantined: tally.quarantined(),
            op: tally
                .op()
                .and_then(|op| Some((op, work.ops.get(op)?.clone()))),
            partitions_done: view.done.load(Ordering::Relaxed),
            partitions: work.partitions,
            seconds: view.started.elapsed().as_secs_f64(),
            goes_on: work.goes_on,
        })
    }

    pub(super) fn show(&self, view: &Arc<View>) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(view);
    }
}
