//! Files that are there completely or not at all, also after a power cut.
//!
//! Everything that djhost writes and reads again goes through here, as an [`AtomicFile`]:
//! checkpoints and what belongs to them, unpacked inputs, parts and the export, compiled components,
//! and documents (summary, plan, table of partitions, …). Files that only grow (events, logs, the
//! text that `quarantine export` gives) and locks are written by those who own them.
//!
//! [`Storage`] knows the order of calls; a [`Disk`] makes them. Tests put a
//! [`FaultyDisk`](crate::testing::faulty_disk::FaultyDisk) below, which fails or cuts the power at
//! any call; in the built program [`fault`](super::fault) does.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::fault::{self, Operation};
use super::paths::RunPaths;
use super::process::host_name;

/// Who may read and write a new file: as the user's mask has it.
const USUAL_MODE: u32 = 0o666;

/// The calls that decide what survives a power cut.
pub trait Disk: Send + Sync {
    /// Makes an empty file in place of what is there; a link is not followed. The user's mask takes
    /// rights from `mode`.
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>>;
    /// Makes `to` name what `from` names, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes each of two names of one file system name what the other does, in one step. An error
    /// where the file system cannot: then nothing has changed.
    fn exchange(&self, _one: &Path, _other: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A file being written.
pub trait DiskFile: Write + Send {
    /// Makes the bytes written so far durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Makes the file, which is empty, share the blocks of `other`. An error where the file system
    /// cannot: then it is still empty.
    fn share(&mut self, _other: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The disk. Without `syncs` nobody waits for it.
pub(super) fn real_disk(syncs: bool) -> Arc<dyn Disk> {
    Arc::new(RealDisk { syncs })
}

struct RealDisk {
    /// Whether what has to be durable is.
    syncs: bool,
}

impl Disk for RealDisk {
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
        fault::disk(Operation::Create, path, || ())?;
        Ok(Box::new(RealFile {
            file: super::own_files::new_file(path, mode)?,
            path: path.to_owned(),
            syncs: self.syncs,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fault::disk(Operation::Rename, to, || ())?;
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fault::disk(Operation::Remove, path, || ())?;
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if !self.syncs {
            return Ok(());
        }
        fault::disk(Operation::SyncDir, dir, || ())?;
        File::open(dir)?.sync_all()
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        fault::disk(Operation::Rename, other, || ())?;
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }
}

struct RealFile {
    file: File,
    path: PathBuf,
    syncs: bool,
}

impl Write for RealFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        fault::disk(Operation::Write, &self.path, || {
            let _ = self.file.write_all(&buf[..buf.len() / 2]);
        })?;
        self.file.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for RealFile {
    fn sync(&mut self) -> io::Result<()> {
        if !self.syncs {
            return Ok(());
        }
        fault::disk(Operation::Sync, &self.path, || ())?;
        self.file.sync_all()
    }

    fn share(&mut self, other: &File) -> io::Result<()> {
        Ok(rustix::fs::ioctl_ficlone(&self.file, other)?)
    }
}

/// What the names of unfinished files end with.
const TEMPORARY: &str = ".tmp";

/// Durable writes. Cheap to clone. Every error names the path.
#[derive(Clone)]
pub struct Storage {
    disk: Arc<dyn Disk>,
}

impl Default for Storage {
    fn default() -> Self {
        Self::new()
    }
}

impl Storage {
    /// Writes to the file system.
    pub fn new() -> Self {
        Self::on(real_disk(true))
    }

    /// Writes to the file system, and does not wait for the disk: for what goes away with this
    /// process. A kill leaves each file whole or absent; a power cut may lose it.
    pub fn temporary() -> Self {
        Self::on(real_disk(false))
    }

    /// Writes to `disk`.
    pub fn on(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }

    /// Replaces `path` by `bytes`: after a crash at any moment it holds either what it held before
    /// or all of `bytes`. When the call has returned, `bytes` survive a power cut.
    pub fn write_atomic(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.create(path)?;
        file.write_all(bytes)?;
        file.commit()
    }

    /// As [`write_atomic`](Self::write_atomic) but without waiting for the disk: for files that
    /// only tell how far things are. A kill leaves the old or the new file; a power cut may lose
    /// it.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.create(path)?;
        file.write_all(bytes)?;
        file.commit_unsynced()
    }

    /// [`write_atomic`](Self::write_atomic) of `value` as indented JSON.
    pub fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<()> {
        self.write_atomic(path, &to_json(value)?)
    }

    /// [`replace`](Self::replace) by `value` as indented JSON.
    pub fn replace_json(&self, path: &Path, value: &impl Serialize) -> Result<()> {
        self.replace(path, &to_json(value)?)
    }

    /// Starts a file that will be at `path` once [`AtomicFile::commit`] is called. It is written
    /// beside it; without a commit it goes away.
    pub fn create(&self, path: &Path) -> Result<AtomicFile> {
        self.create_with_mode(path, USUAL_MODE)
    }

    /// The same with other rights than usual.
    pub fn create_with_mode(&self, path: &Path, mode: u32) -> Result<AtomicFile> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        // Processes of several machines may write to one directory.
        static HOST: LazyLock<String> =
            LazyLock::new(|| format!("{:08x}", xxh3_64(host_name().as_bytes()) as u32));
        let name = path
            .file_name()
            .with_context(|| format!("`{}` has no file name", path.display()))?
            .to_string_lossy();
        let temp = path.with_file_name(format!(
            ".{name}.{}-{}.{}{TEMPORARY}",
            std::process::id(),
            *HOST,
            SERIAL.fetch_add(1, Ordering::Relaxed)
        ));
        self.start(temp, path, mode)
    }

    /// The same where the directory is not djhost's own: the file is called `temp` until then, and
    /// what a kill leaves of it the caller has to find by this name.
    pub fn create_as(&self, temp: PathBuf, path: &Path) -> Result<AtomicFile> {
        self.start(temp, path, USUAL_MODE)
    }

    fn start(&self, temp: PathBuf, path: &Path, mode: u32) -> Result<AtomicFile> {
        let file = self
            .disk
            .create(&temp, mode)
            .with_context(|| format!("cannot create `{}`", temp.display()))?;
        Ok(AtomicFile {
            disk: self.disk.clone(),
            file: Some(file),
            is_placed: false,
            temp,
            path: path.to_owned(),
        })
    }

    /// Moves a file within one file system, durably.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.disk
            .rename(from, to)
            .with_context(|| format!("cannot rename `{}` to `{}`", from.display(), to.display()))?;
        self.sync_parent(to)?;
        if from.parent() == to.parent() {
            Ok(())
        } else {
            self.sync_parent(from)
        }
    }

    /// Removes a file durably; one that is not there is fine.
    pub fn remove(&self, path: &Path) -> Result<()> {
        if self.remove_unsynced(path)? {
            self.sync_parent(path)?;
        }
        Ok(())
    }

    /// Removes a file; a power cut may bring it back. False: there was none.
    pub fn remove_unsynced(&self, path: &Path) -> Result<bool> {
        match self.disk.remove(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot remove `{}`", path.display())),
        }
    }

    /// Puts the directory `from`, which is whole, in the place of the directory `to`, if there is one:
    /// who looks finds either the one or the other, all of it. What was at `to` is then at `from`, or
    /// nothing is. On a file system that cannot exchange names, there is nothing at `to` for a moment.
    pub fn replace_dir(&self, from: &Path, to: &Path) -> Result<()> {
        self.sync_dir(from)?;
        let context = || format!("cannot rename `{}` to `{}`", from.display(), to.display());
        let mut done = match fs::symlink_metadata(to) {
            Ok(_) => self.disk.exchange(from, to),
            Err(_) => self.disk.rename(from, to),
        };
        let cannot = [io::ErrorKind::Unsupported, io::ErrorKind::InvalidInput];
        if done.as_ref().is_err_and(|e| cannot.contains(&e.kind())) {
            let mut aside = from.as_os_str().to_owned();
            aside.push("-old");
            let aside = PathBuf::from(aside);
            done = self
                .disk
                .rename(to, &aside)
                .and_then(|()| self.disk.rename(from, to));
        }
        done.with_context(context)?;
        self.sync_parent(to)
    }

    /// Removes a directory with all that is in it; a power cut may bring it back.
    pub fn remove_tree(&self, dir: &Path) -> Result<()> {
        let context = || format!("cannot remove `{}`", dir.display());
        for entry in fs::read_dir(dir).with_context(context)? {
            let entry = entry.with_context(context)?;
            match entry.file_type().with_context(context)?.is_dir() {
                true => self.remove_tree(&entry.path())?,
                false => drop(self.remove_unsynced(&entry.path())?),
            }
        }
        fs::remove_dir(dir).with_context(context)
    }

    /// Makes the names in a directory durable.
    pub fn sync_dir(&self, dir: &Path) -> Result<()> {
        sync_dir(&*self.disk, dir)
    }

    /// Removes the unfinished files that a killed process left in `dir`, if that is there. Only for
    /// the holder of the job's lock.
    pub fn clean_temporary(&self, dir: &Path) -> Result<usize> {
        let mut removed = 0;
        let context = || format!("cannot list `{}`", dir.display());
        let entries = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries.with_context(context)?,
        };
        for entry in entries {
            let path = entry.with_context(context)?.path();
            if path
                .file_name()
                .and_then(|n| n.to_str())
                .is_some_and(|n| n.starts_with('.') && n.ends_with(TEMPORARY))
            {
                removed += usize::from(self.remove_unsynced(&path)?);
            }
        }
        Ok(removed)
    }

    fn sync_parent(&self, path: &Path) -> Result<()> {
        sync_parent(&*self.disk, path)
    }
}

/// Removes what killed attempts have left unfinished of a job.
pub(crate) fn clean_temporary(paths: &RunPaths, storage: &Storage) -> Result<()> {
    let others = [paths.root().to_owned(), paths.fallback_components()];
    for dir in paths.directories().into_iter().chain(others) {
        storage.clean_temporary(&dir)?;
    }
    Ok(())
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn sync_parent(disk: &dyn Disk, path: &Path) -> Result<()> {
    let dir = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    sync_dir(disk, dir)
}

fn sync_dir(disk: &dyn Disk, dir: &Path) -> Result<()> {
    disk.sync_dir(dir)
        .with_context(|| format!("cannot sync `{}`", dir.display()))
}

/// A file that is not at its place yet. Dropped without a commit, it is removed. Errors of writes
/// name the place, too. Each write is a call of the system: buffer small ones.
pub struct AtomicFile {
    disk: Arc<dyn Disk>,
    /// None once it is closed.
    file: Option<Box<dyn DiskFile>>,
    is_placed: bool,
    temp: PathBuf,
    path: PathBuf,
}

impl AtomicFile {
    /// Puts the file at its place: sync, rename, sync of the directory, in this order.
    pub fn commit(mut self) -> Result<()> {
        self.close()?;
        self.place()?;
        sync_parent(&*self.disk, &self.path)
    }

    /// The same without waiting for the disk; see [`Storage::replace`].
    pub fn commit_unsynced(mut self) -> Result<()> {
        drop(self.file.take());
        self.place()
    }

    /// Puts the file, which is closed, at `path`. That becomes durable with
    /// [`Storage::sync_dir`]: for files that get their names together.
    pub fn place_at(mut self, path: &Path) -> Result<()> {
        debug_assert!(self.file.is_none(), "it is closed");
        path.clone_into(&mut self.path);
        self.place()
    }

    /// Makes the bytes durable. No more can be written; the file still has no name.
    pub fn close(&mut self) -> Result<()> {
        match self.file.take() {
            Some(mut file) => file
                .sync()
                .with_context(|| format!("cannot sync `{}`", self.path.display())),
            None => Ok(()),
        }
    }

    fn place(&mut self) -> Result<()> {
        self.disk
            .rename(&self.temp, &self.path)
            .with_context(|| format!("cannot rename to `{}`", self.path.display()))?;
        self.is_placed = true;
        Ok(())
    }

    /// Makes the file, which is empty, share the blocks of `other`: false where the file system
    /// cannot.
    pub fn share(&mut self, other: &File) -> bool {
        self.file
            .as_mut()
            .is_some_and(|file| file.share(other).is_ok())
    }

    fn open(&mut self) -> io::Result<&mut dyn DiskFile> {
        match &mut self.file {
            Some(file) => Ok(&mut **file),
            None => Err(io::Error::other("the file is closed")),
        }
    }

    /// The error with the place: who writes knows what he writes, not where.
    fn named(&self, error: io::Error) -> io::Error {
        let path = self.path.display();
        io::Error::new(error.kind(), format!("cannot write `{path}`: {error}"))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.open()
            .and_then(|file| file.write(buf))
            .map_err(|error| self.named(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open()
            .and_then(|file| file.flush())
            .map_err(|error| self.named(error))
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        drop(self.file.take());
        if !self.is_placed {
            // The error that is reported is the first one.
            let _ = self.disk.remove(&self.temp);
        }
    }
}
