//! The lock of an export path: while one job writes there, a second job with the same `export_path`
//! is refused. Otherwise each would replace the other's result, and whoever started the first job
//! would find the rows of the second.
//!
//! The lock is a hidden file beside the result. The job removes it at its end; after a kill, the
//! next job takes it over.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::own_files::open_regular;
use super::paths::RunPaths;
use super::process::{ProcessId, host_name};
use crate::error::UserError;

/// Version of the file's content.
const FORMAT_VERSION: u32 = 1;

/// How often, every 10 ms, a job looks again before it gives up: half a second is ample for another
/// process to write its name into the file.
const TRIES: u32 = 50;

/// The job that writes the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Owner {
    format_version: u32,
    job_id: String,
    run_dir: PathBuf,
    host: String,
    process: ProcessId,
}

/// The lock of an export path; dropping it releases the lock.
///
/// It holds nothing if the file system has no locks, or if another attempt at the same job has the
/// lock.
#[derive(Debug)]
pub(crate) struct ExportLock {
    held: Option<(File, PathBuf)>,
    /// Directories that were created for it, outermost first.
    made: Vec<PathBuf>,
}

impl ExportLock {
    /// Takes the lock `file` of the result at `export_path` for the job at `paths`, and creates its
    /// directory. Fails with a [`UserError`] that names the job that holds it.
    pub(crate) fn acquire(export_path: &Path, file: &Path, paths: &RunPaths) -> Result<Self> {
        let me = Owner {
            format_version: FORMAT_VERSION,
            job_id: paths.job_id(),
            run_dir: std::path::absolute(paths.root())?,
            host: host_name(),
            process: ProcessId::current(),
        };
        let directory = file
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut lock = Self {
            held: None,
            made: Vec::new(),
        };
        lock.make(directory)
            .with_context(|| format!("cannot create `{}`", directory.display()))?;
        let at = || format!("cannot lock `{}`", file.display());
        for attempt in 0.. {
            let mut open = open(file).with_context(at)?;
            let owner = match flock(&open, FlockOperation::NonBlockingLockExclusive) {
                // The previous holder may have removed the file after we opened it.
                Ok(()) if !is_at(&open, file) => continue,
                Ok(()) => {
                    let content = serde_json::to_vec(&me)?;
                    open.set_len(0)
                        .and_then(|()| open.rewind())
                        .and_then(|()| open.write_all(&content))
                        .with_context(at)?;
                    lock.held = Some((open, file.to_owned()));
                    return Ok(lock);
                }
                Err(Errno::WOULDBLOCK) => read(&mut open),
                Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS | Errno::INVAL) => {
                    tracing::debug!(
                        "no locks in `{}`: two jobs must not write there at the same time",
                        directory.display()
                    );
                    let _ = std::fs::remove_file(file);
                    return Ok(lock);
                }
                Err(error) => return Err(error).with_context(at),
            };
            match owner {
                Some(owner) if owner.run_dir == me.run_dir => return Ok(lock),
                // Another process that has only just taken the lock, or only looks at it.
                None if attempt < TRIES => std::thread::sleep(Duration::from_millis(10)),
                Some(owner)
                    if attempt < TRIES && owner.host == me.host && !owner.process.is_alive() =>
                {
                    std::thread::sleep(Duration::from_millis(10));
                }
                owner => return Err(refused(export_path, owner).into()),
            }
        }
        unreachable!("the loop ends by itself")
    }

    /// Returns the job that holds the lock `file` and its run directory, or None if no job does.
    /// Used to look at a job without taking part in it.
    pub(crate) fn holder(file: &Path) -> Option<(String, PathBuf)> {
        let mut open = open_regular(file).ok()?;
        match flock(&open, FlockOperation::NonBlockingLockShared) {
            Err(Errno::WOULDBLOCK) => read(&mut open).map(|owner| (owner.job_id, owner.run_dir)),
            _ => None,
        }
    }

    /// Returns whether this process holds the lock.
    pub(crate) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    fn make(&mut self, directory: &Path) -> std::io::Result<()> {
        let missing: Vec<&Path> = directory
            .ancestors()
            .take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists())
            .collect();
        std::fs::create_dir_all(directory)?;
        self.made = missing.into_iter().rev().map(Path::to_owned).collect();
        Ok(())
    }
}

impl Drop for ExportLock {
    fn drop(&mut self) {
        if let Some((file, path)) = self.held.take() {
            // Remove it before the lock is released: afterwards it may belong to another job.
            let _ = std::fs::remove_file(path);
            drop(file);
        }
        // A job without a result leaves no directories. `remove_dir` keeps those that are not
        // empty.
        for directory in self.made.iter().rev() {
            let _ = std::fs::remove_dir(directory);
        }
    }
}

/// Opens the lock file, and creates it if needed. Does not follow a symbolic link in its place.
fn open(path: &Path) -> std::io::Result<File> {
    let nofollow = OFlags::NOFOLLOW.bits() as i32;
    match OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(nofollow)
        .open(path)
    {
        // The file belongs to another user. If nobody holds its lock, its job is dead.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let open = OpenOptions::new()
                .read(true)
                .custom_flags(nofollow)
                .open(path)?;
            if flock(&open, FlockOperation::NonBlockingLockExclusive).is_err() {
                return Ok(open);
            }
            std::fs::remove_file(path)?;
            OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .custom_flags(nofollow)
                .open(path)
        }
        opened => opened,
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: std::io::Result<std::fs::Metadata>| {
        metadata.ok().map(|found| (found.dev(), found.ino()))
    };
    let opened = id(file.metadata());
    opened.is_some() && opened == id(std::fs::symlink_metadata(path))
}

fn read(file: &mut File) -> Option<Owner> {
    let mut content = String::new();
    file.rewind().ok()?;
    file.take(64 << 10).read_to_string(&mut content).ok()?;
    serde_json::from_str(&content).ok()
}

fn refused(export_path: &Path, owner: Option<Owner>) -> UserError {
    let place = format!("export_path `{}`", export_path.display());
    match owner {
        Some(Owner {
            job_id,
            run_dir,
            host,
            process,
            ..
        }) => {
            let at = run_dir.display();
            UserError::new(place, format!("job `{job_id}` is writing to it (process {} on `{host}`, run directory `{at}`)", process.pid))
                .hint(format!("wait for it (`djhost monitor {at}`), stop it (`djhost stop {at}`), or write to another file"))
        }
        None => UserError::new(place, "another process is writing to it")
            .hint("wait for it, or write to another file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_job_is_told_who_writes_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let export = dir.path().join("new/er/result.jsonl");
        let file = export.with_file_name(".result.lock");
        let [first, second] = ["first", "second"].map(|job| RunPaths::new(dir.path().join(job)));
        let lock = ExportLock::acquire(&export, &file, &first).unwrap();
        assert!(lock.is_held());
        let refused = ExportLock::acquire(&export, &file, &second).unwrap_err();
        assert!(
            refused.is::<UserError>()
                && refused.to_string().contains("job `first` is writing to it"),
            "{refused}"
        );
        // For another attempt at the same job, the lock of the run directory decides.
        assert!(
            !ExportLock::acquire(&export, &file, &first)
                .unwrap()
                .is_held()
        );
        assert_eq!(ExportLock::holder(&file).unwrap().0, "first");
        drop(lock);
        assert!(!dir.path().join("new").exists());
        // A killed job leaves the file behind, and the next one takes it over.
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "{\"job_id\": \"killed\"").unwrap();
        assert!(
            ExportLock::acquire(&export, &file, &second)
                .unwrap()
                .is_held()
        );
        assert!(!file.exists() && export.parent().unwrap().exists());
    }

    #[test]
    fn a_link_in_place_of_the_lock_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mine"), "mine").unwrap();
        let file = dir.path().join(".lock");
        std::os::unix::fs::symlink("mine", &file).unwrap();
        assert!(
            ExportLock::acquire(
                &dir.path().join("r"),
                &file,
                &RunPaths::new(dir.path().join("job"))
            )
            .is_err()
        );
        assert_eq!(std::fs::read(dir.path().join("mine")).unwrap(), b"mine");
    }
}
