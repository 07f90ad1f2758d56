//! Which processes run tasks of a job, besides the one that has its [lock](super::lock). Each holds
//! this lock together with the others; so an attempt can wait until those of an earlier one have
//! gone, which may still be at work for a moment after their job was killed.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

use super::own_files::open_own;
use super::paths::RunPaths;
use crate::error::UserError;

/// For how long an attempt waits: such a process ends at once when its job has gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const TICK: Duration = Duration::from_millis(5);

/// Says that a process runs tasks of a job, until it is dropped or the process ends, however it does.
#[derive(Debug)]
pub(crate) struct TaskLock(#[expect(dead_code, reason = "it is held")] File);

/// The right to run one task, until it is dropped. Processes on several machines may be told the
/// same one.
#[derive(Debug)]
pub(crate) struct Alone {
    path: PathBuf,
    _file: File,
}

impl Drop for Alone {
    fn drop(&mut self) {
        // Removed while it is held: who has opened it before is refused, others make a new one.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl TaskLock {
    /// Takes the lock. The process has touched nothing of the job before.
    pub(crate) fn share(paths: &RunPaths) -> Result<Self> {
        let path = paths.task_lock();
        let at = || format!("cannot lock `{}`", path.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = open_own(&path, &mut options).with_context(at)?;
        flock(&file, FlockOperation::LockShared).with_context(at)?;
        Ok(Self(file))
    }

    /// Takes the lock of task `id`. Fails with a [`UserError`] if another process runs it.
    pub(crate) fn alone(paths: &RunPaths, id: &str) -> Result<Alone> {
        let path = paths.lock_of_task(id);
        let at = || format!("cannot lock `{}`", path.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = open_own(&path, &mut options).with_context(at)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Alone { path, _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(UserError::new(
                "--id",
                format!("`{id}` is being run by another process"),
            )
            .hint("wait until that has ended, or end it")
            .into()),
            Err(error) => Err(error).with_context(at),
        }
    }

    /// Waits until no process runs tasks of the job. The caller has the job's lock. Fails with a
    /// [`UserError`] if one does not end.
    pub(crate) fn wait(paths: &RunPaths) -> Result<()> {
        let path = paths.task_lock();
        if !path.exists() {
            return Ok(());
        }
        let at = || format!("cannot lock `{}`", path.display());
        let file = open_own(&path, OpenOptions::new().read(true).write(true)).with_context(at)?;
        let started = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    // Nobody holds one of these, and nobody can take one now.
                    for left in paths.locks_of_tasks()? {
                        let _ = std::fs::remove_file(left);
                    }
                    return Ok(());
                }
                Err(rustix::io::Errno::WOULDBLOCK) if started.elapsed() < PATIENCE => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(UserError::new(
                        paths.root().display().to_string(),
                        format!("processes still run tasks of job `{}`", paths.job_id()),
                    )
                    .hint("wait until every `djhost task` of this job has ended, or end them")
                    .into());
                }
                Err(error) => return Err(error).with_context(at),
            }
            std::thread::sleep(TICK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_waits_for_the_processes_of_an_earlier_one() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        TaskLock::wait(&paths).unwrap();
        let two = [(); 2].map(|()| TaskLock::share(&paths).unwrap());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| TaskLock::wait(&paths));
            assert!(!waiting.is_finished());
            drop(two);
            waiting.join().unwrap().unwrap();
        });
    }
}
