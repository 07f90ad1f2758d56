//! Writing events: one [`EventLog`] per attempt, one write call per event.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tracing::Level;

use super::kind::Event;
use super::now;
use super::record::Record;
use crate::rundir::paths::RunPaths;

/// Shortest time between two progress events of one partition …
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// … and, in long jobs, the share of the time since the log was opened that must pass between them.
/// A worker writes some 800 such lines on its first day instead of 86,400, so a long job stays
/// quick to read.
const PROGRESS_SHARE: f64 = 0.01;

/// The event file of this attempt.
///
/// Each line goes to the system as it is emitted, so a kill loses no event. Only events that change
/// the state of the job wait for the disk. An emit costs a few microseconds and one system call.
pub struct EventLog {
    path: PathBuf,
    job_id: String,
    attempt: u32,
    opened: Instant,
    nonce: String,
    /// Whether it has to survive a power cut.
    syncs: bool,
    inner: Mutex<Inner>,
}

/// Who did what an event tells.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Doer<'a> {
    /// The process.
    pub(crate) process_id: u32,
    /// The thread, from 1.
    pub(crate) thread_id: u64,
    /// The node of the cluster, if it is on one.
    pub(crate) node: Option<&'a str>,
    /// Which of the workers there, from 1.
    pub(crate) worker: Option<usize>,
}

/// Where events go.
enum Target {
    /// Event logging is switched off: events are only counted.
    Nowhere,
    File(File),
    /// To the process that writes the file, with the number of the thread.
    Writer(Box<dyn Fn(Event, u64) + Send>),
}

struct Inner {
    to: Target,
    seq: u64,
    line: Vec<u8>,
    failed: Option<std::io::Error>,
    /// Whether the last write failed and may have left half a line.
    torn: bool,
    /// When progress of each partition was last written.
    progress: HashMap<usize, Instant>,
}

impl EventLog {
    /// Creates the event file of `attempt`. The caller holds the lock of the run directory.
    pub fn open(paths: &RunPaths, job_id: &str, attempt: u32) -> Result<Self> {
        let stamp = jiff::Timestamp::now().strftime("%Y%m%d_%H%M%S").to_string();
        for serial in 0.. {
            let path = paths.events(&stamp, serial);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    return Ok(Self {
                        syncs: paths.lasts(),
                        ..Self::with(path, Target::File(file), job_id, attempt)
                    });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("cannot create `{}`", path.display()));
                }
            }
        }
        unreachable!("a directory holds less than 2^32 files")
    }

    /// Returns a log that writes nothing (`event_logging.enabled: false`).
    pub fn disabled(job_id: &str, attempt: u32) -> Self {
        Self::with(PathBuf::new(), Target::Nowhere, job_id, attempt)
    }

    /// Returns a log that gives its events to `send`, with the number of the thread: another process
    /// writes them, by [`emit_of`](Self::emit_of).
    pub(crate) fn sent(attempt: u32, send: impl Fn(Event, u64) + Send + 'static) -> Self {
        Self::with(PathBuf::new(), Target::Writer(Box::new(send)), "", attempt)
    }

    fn with(path: PathBuf, to: Target, job_id: &str, attempt: u32) -> Self {
        // Pid and time: unique over machines for all practical purposes, and readable.
        let nonce = format!("{:x}{:x}", std::process::id(), (now() * 1e6) as u64);
        let inner = Inner {
            to,
            seq: 0,
            line: Vec::with_capacity(1024),
            failed: None,
            torn: false,
            progress: HashMap::new(),
        };
        Self {
            path,
            job_id: job_id.to_owned(),
            attempt,
            opened: Instant::now(),
            nonce,
            syncs: true,
            inner: Mutex::new(inner),
        }
    }

    /// Returns the path of the file; empty if the log is disabled.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the attempt of the job (1, 2, …).
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Writes one event; any thread may call it.
    ///
    /// A failed write does not stop the job: the first error is logged and returned by
    /// [`flush`](Self::flush). [`Event::PartitionProgressed`] may be emitted after every batch;
    /// most of these events are left out.
    pub fn emit(&self, event: Event) {
        let doer = Doer {
            process_id: std::process::id(),
            thread_id: thread_id(),
            ..Doer::default()
        };
        self.emit_of(event, doer);
    }

    /// The same for what happened in a thread of another process.
    pub(crate) fn emit_of(&self, event: Event, doer: Doer<'_>) {
        let sync = self.syncs && event.changes_job_state();
        let mut inner = self
            .inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let inner = &mut *inner;
        if let Event::PartitionProgressed { partition_id, .. } = &event {
            let now = Instant::now();
            let pause = PROGRESS_EVERY.max(now.duration_since(self.opened).mul_f64(PROGRESS_SHARE));
            if inner
                .progress
                .get(partition_id)
                .is_some_and(|last| now.duration_since(*last) < pause)
            {
                return;
            }
            inner.progress.insert(*partition_id, now);
        }
        if let Target::Writer(send) = &inner.to {
            return send(event, doer.thread_id);
        }
        tell(&event);
        let seq = inner.seq;
        inner.seq += 1;
        let Target::File(file) = &mut inner.to else {
            return;
        };
        let record = Record {
            timestamp: now(),
            message: event.to_string(),
            event_id: format!("{}_{}_{seq}", self.nonce, self.attempt),
            job_id: self.job_id.clone(),
            attempt: self.attempt,
            seq,
            process_id: doer.process_id,
            thread_id: doer.thread_id,
            node: doer.node.map(str::to_owned),
            worker: doer.worker,
            status: event.status().map(str::to_owned),
            performance_metrics: event.metrics(),
            event,
        };
        inner.line.clear();
        if inner.torn {
            inner.line.push(b'\n');
        }
        let written = serde_json::to_writer(&mut inner.line, &record)
            .map_err(std::io::Error::from)
            .and_then(|()| {
                inner.line.push(b'\n');
                file.write_all(&inner.line)?;
                match sync {
                    true => file.sync_data(),
                    false => Ok(()),
                }
            });
        inner.torn = written.is_err();
        if let Err(error) = written
            && inner.failed.is_none()
        {
            tracing::warn!("cannot write `{}`: {error}", self.path.display());
            inner.failed = Some(error);
        }
        crate::rundir::fault::event(&inner.line);
    }

    /// Waits until all events are on the disk. Fails if any event was lost.
    pub fn flush(&self) -> Result<()> {
        let mut inner = self
            .inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = || format!("cannot write `{}`", self.path.display());
        if let Some(error) = &inner.failed {
            return Err(anyhow!("{error}")).with_context(at);
        }
        match &mut inner.to {
            Target::File(file) if self.syncs => file.sync_data().with_context(at),
            _ => Ok(()),
        }
    }
}

/// Also writes the event to the log for people. The tracing macros need their level as a constant.
fn tell(event: &Event) {
    match event.level() {
        Level::ERROR => tracing::error!("{event}"),
        Level::INFO => tracing::info!("{event}"),
        _ => tracing::debug!("{event}"),
    }
}

fn thread_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static ID: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    ID.with(|id| *id)
}
