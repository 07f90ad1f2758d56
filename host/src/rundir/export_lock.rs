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
pub(crate) struct Owner {
    format_version: u32,
    /// The job's name.
    pub(crate) job_id: String,
    /// Its run directory, absolute.
    pub(crate) run_dir: PathBuf,
    host: String,
    process: ProcessId,
    /// What it writes, absolute; empty in locks of older versions.
    #[serde(default)]
    pub(crate) export_path: PathBuf,
    /// Whether it writes shards, whose names are made of that path.
    #[serde(default)]
    pub(crate) has_shards: bool,
}

impl Owner {
    /// That the job is in the way of another one: `what` says how.
    pub(crate) fn refusal(&self, place: String, what: &str) -> UserError {
        let (job, at) = (&self.job_id, self.run_dir.display());
        let (pid, host) = (self.process.pid, &self.host);
        UserError::new(
            place,
            format!("job `{job}` {what} (process {pid} on `{host}`, run directory `{at}`)"),
        )
        .hint(format!(
            "wait for it (`djhost monitor {at}`), stop it (`djhost stop {at}`), or write to another file"
        ))
    }
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
    pub(crate) fn acquire(
        export_path: &Path,
        has_shards: bool,
        file: &Path,
        paths: &RunPaths,
    ) -> Result<Self> {
        let me = Owner {
            format_version: FORMAT_VERSION,
            job_id: paths.job_id(),
            run_dir: std::path::absolute(paths.root())?,
            host: host_name(),
            process: ProcessId::current(),
            export_path: std::path::absolute(export_path)?,
            has_shards,
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

    /// Returns the job that holds the lock `file`, or None if no job does. Used to look at a job
    /// without taking part in it.
    pub(crate) fn holder(file: &Path) -> Option<Owner> {
        let mut open = open_regular(file).ok()?;
        match flock(&open, FlockOperation::NonBlockingLockShared) {
            Err(Errno::WOULDBLOCK) => read(&mut open),
            _ => None,
        }
    }

    /// The jobs that hold such locks in `directory`: those that write results there.
    pub(crate) fn holders(directory: &Path) -> impl Iterator<Item = Owner> {
        // `.{name}.{16 hex digits}.lock`; other programs have hidden locks, too.
        let is_ours = |name: &str| {
            name.strip_prefix('.')
                .and_then(|name| name.strip_suffix(".lock")?.rsplit_once('.'))
                .is_some_and(|(_, hash)| {
                    hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit())
                })
        };
        std::fs::read_dir(directory)
            .into_iter()
            .flatten()
            .flatten()
            .filter(move |entry| {
                is_ours(&entry.file_name().to_string_lossy())
                    && entry.file_type().is_ok_and(|kind| kind.is_file())
            })
            .filter_map(|entry| Self::holder(&entry.path()))
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
        Some(owner) => owner.refusal(place, "is writing to it"),
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
        let lock = ExportLock::acquire(&export, false, &file, &first).unwrap();
        assert!(lock.is_held());
        let refused = ExportLock::acquire(&export, false, &file, &second).unwrap_err();
        assert!(
            refused.is::<UserError>()
                && refused.to_string().contains("job `first` is writing to it"),
            "{refused}"
        );
        // For another attempt at the same job, the lock of the run directory decides.
        assert!(
            !ExportLock::acquire(&export, false, &file, &first)
                .unwrap()
                .is_held()
        );
        assert_eq!(ExportLock::holder(&file).unwrap().job_id, "first");
        drop(lock);
        assert!(!dir.path().join("new").exists());
        // A killed job leaves the file behind, and the next one takes it over.
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "{\"job_id\": \"killed\"").unwrap();
        assert!(
            ExportLock::acquire(&export, false, &file, &second)
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
                false,
                &file,
                &RunPaths::new(dir.path().join("job"))
            )
            .is_err()
        );
        assert_eq!(std::fs::read(dir.path().join("mine")).unwrap(), b"mine");
    }
}
