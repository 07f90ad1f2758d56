//! Asking a running job to stop: the file that carries the request, and the flag that the runner
//! checks.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::events::now;
use super::paths::RunPaths;
use super::process::ProcessId;
use crate::rundir::own_files::read_document;

/// Version of the content of the request file.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Exit code of a run that a second Ctrl-C ended at once: 128 + SIGINT, as shells report it.
pub const FORCED: i32 = 130;

/// How often the running process looks for a request: soon enough for people, and the cost cannot
/// be measured.
const POLL: Duration = Duration::from_millis(200);

/// `stop_request.json`. An empty file (`touch stop_request.json`) is a request too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StopRequest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The process that is asked to stop. Requests to an earlier attempt are ignored.
    pub process: ProcessId,
    /// When it was asked, seconds since 1970.
    pub requested_at: f64,
}

impl StopRequest {
    /// Writes a request to `process` into the run directory.
    pub(crate) fn write(paths: &RunPaths, process: ProcessId) -> Result<()> {
        paths.storage().replace_json(
            &paths.stop_request(),
            &Self {
                format_version: FORMAT_VERSION,
                process,
                requested_at: now(),
            },
        )
    }

    /// Returns whether there is a request to `process`.
    pub(crate) fn is_for(paths: &RunPaths, process: &ProcessId) -> bool {
        match read_document(&paths.stop_request()) {
            Ok(bytes) if bytes.trim_ascii().is_empty() => true,
            Ok(bytes) => serde_json::from_slice::<Self>(&bytes)
                .is_ok_and(|request| request.process == *process),
            Err(_) => false,
        }
    }

    /// Removes the request. Called when a run starts and when it has ended.
    pub(crate) fn clear(paths: &RunPaths) -> Result<()> {
        paths.storage().remove_unsynced(&paths.stop_request())?;
        Ok(())
    }
}

/// Whether the job is to stop. Cheap to clone and to ask; the runner asks between batches.
///
/// ```
/// use djhost::jobs::StopFlag;
/// let flag = StopFlag::new();
/// assert!(!flag.requested());
/// flag.request("the disk is nearly full");
/// assert_eq!(flag.reason().as_deref(), Some("the disk is nearly full"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct StopFlag {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    signals: AtomicU32,
    reason: OnceLock<String>,
}

impl StopFlag {
    /// Creates a flag that only [`request`](Self::request) sets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether the job was asked to stop.
    pub fn requested(&self) -> bool {
        self.inner.reason.get().is_some()
    }

    /// Returns why. If it was asked several times, the first reason counts.
    pub fn reason(&self) -> Option<String> {
        self.inner.reason.get().cloned()
    }

    /// Asks the job to stop.
    pub fn request(&self, reason: impl Into<String>) {
        let _ = self.inner.reason.set(reason.into());
    }

    /// Sets the flag on SIGINT (Ctrl-C), SIGTERM and SIGHUP; a second signal ends the process at
    /// once with code [`FORCED`]. The handler is installed once per process; the flag that called
    /// this last gets the signals.
    pub fn watch_signals(&self) -> Result<()> {
        static CURRENT: Mutex<Weak<Inner>> = Mutex::new(Weak::new());
        static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
        *CURRENT
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::downgrade(&self.inner);
        let installed = INSTALLED.get_or_init(|| {
            ctrlc::set_handler(|| {
                let current = CURRENT
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .upgrade();
                let Some(inner) = current else { force() };
                if inner.signals.fetch_add(1, Ordering::Relaxed) > 0 {
                    force();
                }
                let _ = inner.reason.set("signal".to_owned());
            })
            .map_err(|error| error.to_string())
        });
        installed
            .clone()
            .map_err(anyhow::Error::msg)
            .context("cannot handle signals")
    }

    /// Sets the flag when a request for this process appears in the run directory. The thread that
    /// looks for it ends with the last clone of the flag. Removes a request that was meant for an
    /// earlier attempt; the caller holds the job's lock.
    pub fn watch_requests(&self, paths: &RunPaths) -> Result<()> {
        StopRequest::clear(paths)?;
        let (inner, paths, me) = (
            Arc::downgrade(&self.inner),
            paths.clone(),
            ProcessId::current(),
        );
        std::thread::Builder::new()
            .name("stop-requests".to_owned())
            .spawn(move || watch(&inner, &paths, &me))
            .context("cannot start a thread")?;
        Ok(())
    }
}

fn watch(inner: &Weak<Inner>, paths: &RunPaths, me: &ProcessId) {
    let file: PathBuf = paths.stop_request();
    loop {
        std::thread::sleep(POLL);
        let Some(inner) = inner.upgrade() else { return };
        if file.exists() && StopRequest::is_for(paths, me) {
            let _ = inner.reason.set("request".to_owned());
            return;
        }
    }
}

#[expect(
    clippy::exit,
    reason = "the user asked a second time not to wait for the threads that work"
)]
fn force() -> ! {
    std::process::exit(FORCED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn wait_for(condition: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            if condition() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    #[test]
    fn a_request_sets_the_flag_of_the_process_it_asks_and_of_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        let me = ProcessId::current();
        let earlier = ProcessId {
            start_ticks: me.start_ticks - 1,
            ..me.clone()
        };
        StopRequest::write(&paths, earlier.clone()).unwrap();
        assert!(!StopRequest::is_for(&paths, &me));
        let flag = StopFlag::new();
        flag.watch_requests(&paths).unwrap();
        assert!(
            !paths.stop_request().exists(),
            "the stale request is still there"
        );
        StopRequest::write(&paths, me).unwrap();
        assert!(wait_for(|| flag.requested()));
        assert_eq!(flag.reason().as_deref(), Some("request"));
    }

    #[test]
    fn an_empty_request_file_is_a_request() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        std::fs::write(paths.stop_request(), "\n").unwrap();
        assert!(StopRequest::is_for(&paths, &ProcessId::current()));
    }
}
