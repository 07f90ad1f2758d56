//! Files that are there completely or not at all, also after a power cut.
//!
//! [`Storage`] knows the order of calls; a [`Disk`] makes them. Tests put a
//! [`FaultyDisk`](crate::testing::faulty_disk::FaultyDisk) below, which fails or cuts the power at
//! any call.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use serde::Serialize;

/// The calls that decide what survives a power cut.
pub trait Disk: Send + Sync {
    /// Makes an empty file in place of what is there; a link is not followed.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes `to` name what `from` names, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file being written.
pub trait DiskFile: Write + Send {
    /// Makes the bytes written so far durable.
    fn sync(&mut self) -> io::Result<()>;
}

struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        super::fault::disk()?;
        Ok(Box::new(super::own_files::new_file(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        super::fault::disk()?;
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        super::fault::disk()?;
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        super::fault::disk()?;
        File::open(dir)?.sync_all()
    }
}

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        super::fault::disk()?;
        self.sync_all()
    }
}

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
        Self::on(Arc::new(RealDisk))
    }

    /// Writes to `disk`.
    pub fn on(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }

    /// Replaces `path` by `bytes`: after a crash at any moment it holds either what it held before
    /// or all of `bytes`. When the call has returned, `bytes` survive a power cut.
    pub fn write_atomic(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.create(path)?;
        file.write_all(bytes)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        file.commit()
    }

    /// As [`write_atomic`](Self::write_atomic) but without waiting for the disk: for files that
    /// only tell how far things are. A kill leaves the old or the new file; a power cut may lose
    /// it.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.create(path)?;
        file.write_all(bytes)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        file.rename_unsynced()
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
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let name = path
            .file_name()
            .with_context(|| format!("`{}` has no file name", path.display()))?
            .to_string_lossy();
        let temp = path.with_file_name(format!(
            ".{name}.{}.{}.tmp",
            std::process::id(),
            SERIAL.fetch_add(1, Ordering::Relaxed)
        ));
        let file = self
            .disk
            .create(&temp)
            .with_context(|| format!("cannot create `{}`", temp.display()))?;
        Ok(AtomicFile {
            disk: self.disk.clone(),
            file: Some(file),
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
        match self.disk.remove(path) {
            Ok(()) => self.sync_parent(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error).with_context(|| format!("cannot remove `{}`", path.display())),
        }
    }

    /// Removes the unfinished files that a killed process left in `dir`. Only for the holder of the
    /// job's lock.
    pub fn clean_temporary(&self, dir: &Path) -> Result<usize> {
        let mut removed = 0;
        for entry in
            fs::read_dir(dir).with_context(|| format!("cannot list `{}`", dir.display()))?
        {
            let path = entry
                .with_context(|| format!("cannot list `{}`", dir.display()))?
                .path();
            if path
                .file_name()
                .and_then(|n| n.to_str())
                .is_some_and(|n| n.starts_with('.') && n.ends_with(".tmp"))
            {
                self.disk
                    .remove(&path)
                    .with_context(|| format!("cannot remove `{}`", path.display()))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn sync_parent(&self, path: &Path) -> Result<()> {
        sync_parent(&*self.disk, path)
    }
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
    disk.sync_dir(dir)
        .with_context(|| format!("cannot sync `{}`", dir.display()))
}

/// A file that is not at its place yet. Dropped without [`commit`](Self::commit), it is removed.
pub struct AtomicFile {
    disk: Arc<dyn Disk>,
    file: Option<Box<dyn DiskFile>>,
    temp: PathBuf,
    path: PathBuf,
}

impl AtomicFile {
    /// Puts the file at its place: sync, rename, sync of the directory, in this order.
    pub fn commit(mut self) -> Result<()> {
        let mut file = self
            .file
            .take()
            .expect("a file that is not committed is open");
        let done = file
            .sync()
            .with_context(|| format!("cannot sync `{}`", self.temp.display()))
            .and_then(|()| {
                drop(file);
                self.disk
                    .rename(&self.temp, &self.path)
                    .with_context(|| format!("cannot rename to `{}`", self.path.display()))
            });
        match done {
            Ok(()) => sync_parent(&*self.disk, &self.path),
            Err(error) => {
                // The error that is reported is the first one.
                let _ = self.disk.remove(&self.temp);
                Err(error)
            }
        }
    }

    fn rename_unsynced(mut self) -> Result<()> {
        drop(self.file.take());
        self.disk
            .rename(&self.temp, &self.path)
            .with_context(|| format!("cannot rename to `{}`", self.path.display()))
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file
            .as_mut()
            .expect("a file that is not committed is open")
            .write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file
            .as_mut()
            .expect("a file that is not committed is open")
            .flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            drop(file);
            let _ = self.disk.remove(&self.temp);
        }
    }
}
