//! The lock of a run directory. A process holds it while it runs the job; the system releases it
//! however that process ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::events::now;
use super::own_files::open_own;
use super::paths::RunPaths;
use super::process::{ProcessId, host_name};
use super::summary::JobSummary;
use crate::error::UserError;

/// Version of the content of the lock file.
pub const FORMAT_VERSION: u32 = 1;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The process that holds it.
    pub process: ProcessId,
    /// Name of the machine it runs on.
    pub host: String,
    /// Attempt of the job (1, 2, …).
    pub attempt: u32,
    /// When it took the lock, seconds since 1970.
    pub since: f64,
    /// Whether the process does more than this job: then a signal to it is no way to stop the job.
    #[serde(default)]
    pub does_more: bool,
}

impl Holder {
    /// Returns whether the holder runs on this machine and is still the process that took the lock.
    pub fn is_alive_here(&self) -> bool {
        self.host == host_name() && self.process.is_alive()
    }
}

/// The held lock of one attempt. Dropping it releases the lock.
#[derive(Debug)]
pub struct JobLock {
    file: File,
    holder: Holder,
}

impl Drop for JobLock {
    fn drop(&mut self) {
        // Closing the file does it, too, unless this process was forked meanwhile.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// A lock taken before it is clear whether an attempt will begin: its holder first looks whether
/// anything is left to do. The file still names the previous holder.
#[derive(Debug)]
pub struct FreeLock {
    file: File,
    paths: RunPaths,
}

impl FreeLock {
    /// Takes the lock of the run directory, which must exist. Fails with a [`UserError`] that says
    /// who already runs the job.
    pub fn take(paths: &RunPaths) -> Result<Self> {
        let path = paths.lock();
        let at = || format!("cannot lock `{}`", path.display());
        let mut file = open_own(
            &path,
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false),
        )
        .with_context(at)?;
        // A process that only looks (`who_holds`) holds the lock for a moment; a job keeps it.
        const LOOKS: u32 = 50;
        for look in 0.. {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) => {}
                Err(error) => return Err(error).with_context(at),
            }
            let holder = read(&mut file);
            if look == LOOKS || holder.as_ref().is_some_and(Holder::is_alive_here) {
                let who = holder.map_or_else(
                    || "another process".to_owned(),
                    |h| format!("process {} on `{}`", h.process.pid, h.host),
                );
                return Err(UserError::new(
                    paths.root().display().to_string(),
                    format!("job `{}` is already run by {who}", paths.job_id()),
                )
                .hint(format!(
                    "watch it with `djhost monitor {0}`, stop it with `djhost stop {0}`",
                    paths.job_id()
                ))
                .into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self {
            file,
            paths: paths.clone(),
        })
    }

    /// Begins an attempt, numbered one higher than the last one, and writes this process into the
    /// lock file. `does_more` says that the process does more than this job.
    pub fn begin(self, does_more: bool) -> Result<JobLock> {
        self.begin_after(0, does_more)
    }

    /// The same where attempt `earlier`, of which this machine may not know, was the last one.
    pub(crate) fn begin_after(self, earlier: u32, does_more: bool) -> Result<JobLock> {
        let Self { mut file, paths } = self;
        let at = || format!("cannot write to the lock `{}`", paths.lock().display());
        // A kill between truncating and writing leaves the lock file empty. The summary still knows
        // how many attempts there were.
        let known = JobSummary::load(&paths)
            .ok()
            .flatten()
            .map_or(0, |summary| summary.attempts.len() as u32);
        let attempt = read(&mut file).map_or(0, |h| h.attempt);
        let attempt = attempt.max(known).max(earlier) + 1;
        let holder = Holder {
            format_version: FORMAT_VERSION,
            process: ProcessId::current(),
            host: host_name(),
            attempt,
            since: now(),
            does_more,
        };
        let content = serde_json::to_vec(&holder)?;
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(&content))
            .and_then(|()| match paths.lasts() {
                true => file.sync_all(),
                false => Ok(()),
            })
            .with_context(at)?;
        Ok(JobLock { file, holder })
    }
}

impl JobLock {
    /// Takes the lock of the run directory, which must exist, and begins an attempt. Fails as
    /// [`FreeLock::take`] does.
    pub fn acquire(paths: &RunPaths) -> Result<Self> {
        FreeLock::take(paths)?.begin(false)
    }

    /// Returns what the lock file says.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Returns the attempt that holds this lock (1, 2, …).
    pub fn attempt(&self) -> u32 {
        self.holder.attempt
    }
}

/// What the lock of a job says about it, for commands that only look.
#[derive(Debug, Clone, PartialEq)]
pub enum Liveness {
    /// A process holds it. None if the file does not say which: it is just being written.
    Held(Option<Holder>),
    /// No process holds it. The last holder, if there was one.
    Free(Option<Holder>),
}

/// Returns who holds the lock of a run directory. Used to look at a job without taking part in it.
pub fn who_holds(paths: &RunPaths) -> Result<Liveness> {
    if let Some(view) = paths.view() {
        return view.liveness();
    }
    let path = paths.lock();
    let is_missing = |error: &anyhow::Error| {
        error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound)
    };
    let mut file = match open_own(&path, OpenOptions::new().read(true)) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(Liveness::Free(None)),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot open `{}`", path.display()));
        }
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(Liveness::Free(read(&mut file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(Liveness::Held(read(&mut file))),
        Err(error) => {
            Err(error).with_context(|| format!("cannot look at the lock `{}`", path.display()))
        }
    }
}

/// Runs `act` while holding the lock; does nothing if another process holds it. The file keeps the
/// name of its last holder.
pub(crate) fn if_free(paths: &RunPaths, act: impl FnOnce() -> Result<()>) -> Result<()> {
    let path = paths.lock();
    let file = open_own(&path, OpenOptions::new().read(true))
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => act(),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot lock `{}`", path.display())),
    }
}

fn read(file: &mut File) -> Option<Holder> {
    let mut content = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut content).ok()?;
    serde_json::from_str(&content).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_run_is_told_who_holds_the_lock_and_attempts_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        assert_eq!(who_holds(&paths).unwrap(), Liveness::Free(None));
        let lock = JobLock::acquire(&paths).unwrap();
        assert_eq!(lock.attempt(), 1);
        assert_eq!(
            who_holds(&paths).unwrap(),
            Liveness::Held(Some(lock.holder().clone()))
        );
        let refused = JobLock::acquire(&paths).unwrap_err();
        assert!(refused.is::<UserError>());
        assert!(
            refused
                .to_string()
                .contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(lock);
        assert!(matches!(
            who_holds(&paths).unwrap(),
            Liveness::Free(Some(_))
        ));
        assert_eq!(JobLock::acquire(&paths).unwrap().attempt(), 2);
    }

    #[test]
    fn a_look_does_not_keep_a_run_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        let looking = File::create(paths.lock()).unwrap();
        flock(&looking, FlockOperation::NonBlockingLockShared).unwrap();
        let starting =
            std::thread::spawn(move || JobLock::acquire(&paths).map(|lock| lock.attempt()));
        std::thread::sleep(Duration::from_millis(30));
        drop(looking);
        assert_eq!(starting.join().unwrap().unwrap(), 1);
    }
}
