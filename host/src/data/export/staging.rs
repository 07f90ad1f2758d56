//! Files of an export, under hidden names until all of them are whole.

use super::target::ExportTarget;
use crate::rundir::{AtomicFile, Storage};
use anyhow::{Context, Result};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Files beside the target that do not have their names yet. Dropping it without
/// [`commit`](Self::commit) removes them.
pub(crate) struct Staged<'t> {
    target: &'t ExportTarget,
    directory: &'t Path,
    storage: &'t Storage,
    files: Vec<AtomicFile>,
}

/// Removes the files that killed attempts left beside the target. Only the holder of the target's
/// lock may call this: without it, they could belong to a job that is running.
pub(crate) fn remove_unfinished(target: &ExportTarget, storage: &Storage) -> Result<()> {
    let directory = target.directory();
    let start = target.hidden_start();
    for entry in
        fs::read_dir(directory).with_context(|| format!("cannot read `{}`", directory.display()))?
    {
        let entry = entry?;
        if entry
            .file_name()
            .to_string_lossy()
            .strip_prefix(&start)
            .is_some_and(|end| end.starts_with(UNFINISHED))
        {
            storage.remove_unsynced(&entry.path())?;
        }
    }
    Ok(())
}

const UNFINISHED: &str = "partial-";

impl<'t> Staged<'t> {
    /// No files yet.
    pub(crate) fn new(target: &'t ExportTarget, directory: &'t Path, storage: &'t Storage) -> Self {
        Self {
            target,
            directory,
            storage,
            files: Vec::new(),
        }
    }

    /// Creates a file to write and then to [`add`](Self::add), one per shard. Its name is unique
    /// among all processes, and among all exports of this one.
    pub(crate) fn start(&self) -> Result<AtomicFile> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        // Processes in different containers can have the same id.
        let random = RandomState::new().hash_one(serial);
        let name = format!(
            "{}{UNFINISHED}{}-{random:016x}",
            self.target.hidden_start(),
            std::process::id()
        );
        self.storage
            .create_as(self.directory.join(name), &self.target.path)
    }

    /// Adds the next file, which is completely written. Closes it: there may be thousands.
    pub(crate) fn add(&mut self, mut file: AtomicFile) -> Result<()> {
        file.close()?;
        self.files.push(file);
        Ok(())
    }

    /// Gives the files their names; returns these, and the size of all files. A single file replaces
    /// an older export in one step.
    pub(crate) fn commit(mut self) -> Result<(Vec<PathBuf>, u64)> {
        let files = std::mem::take(&mut self.files);
        let names: Vec<PathBuf> = match self.target.shard_size {
            None => vec![self.target.path.clone()],
            Some(_) => (0..files.len())
                .map(|i| self.directory.join(self.target.shard(i, files.len())))
                .collect(),
        };
        let mut bytes = 0;
        for (file, name) in files.into_iter().zip(&names) {
            let context = || format!("cannot put the export to `{}`", name.display());
            file.place_at(name).with_context(context)?;
            bytes += fs::metadata(name).with_context(context)?.len();
        }
        if self.target.shard_size.is_some() {
            self.remove_other_shards(&names)?;
        }
        self.storage.sync_dir(self.directory)?;
        Ok((names, bytes))
    }

    /// Removes the shards of an earlier export. A reader of the directory would take their rows for
    /// rows of this one.
    fn remove_other_shards(&self, names: &[PathBuf]) -> Result<()> {
        let context = || {
            format!(
                "cannot remove the earlier shards in `{}`",
                self.directory.display()
            )
        };
        for entry in fs::read_dir(self.directory).with_context(context)? {
            let path = self
                .directory
                .join(entry.with_context(context)?.file_name());
            if path.is_file() && self.target.is_shard(&path) && !names.contains(&path) {
                tracing::warn!("`{}` of an earlier export is replaced", path.display());
                self.storage.remove_unsynced(&path).with_context(context)?;
            }
        }
        Ok(())
    }
}
