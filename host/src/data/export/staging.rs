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
            match entry.file_type()?.is_dir() {
                true => storage.remove_tree(&entry.path())?,
                false => drop(storage.remove_unsynced(&entry.path())?),
            }
        }
    }
    Ok(())
}

const UNFINISHED: &str = "partial-";

/// The card of a dataset.
pub(crate) const CARD: &str = "README.md";

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

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
        self.storage
            .create_as(self.directory.join(self.hidden_name()), &self.target.path)
    }

    fn hidden_name(&self) -> String {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        // Processes in different containers can have the same id.
        let random = RandomState::new().hash_one(serial);
        format!(
            "{}{UNFINISHED}{}-{random:016x}",
            self.target.hidden_start(),
            std::process::id()
        )
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

    /// Puts the files into a directory of their own, with the card that `card` makes of them, and that
    /// in the place of an earlier export, in one step. Returns the names of the files, and the size of
    /// all of them.
    pub(crate) fn commit_dataset(
        mut self,
        card: impl FnOnce(&[PathBuf]) -> Result<String>,
    ) -> Result<(Vec<PathBuf>, u64)> {
        let files = std::mem::take(&mut self.files);
        let hidden = self.directory.join(self.hidden_name());
        let done = self.fill(files, &hidden, card);
        if done.is_err() && hidden.exists() {
            // The error that is reported is the first one.
            let _ = self.storage.remove_tree(&hidden);
        }
        let (names, bytes) = done?;
        // What was there before, if anything, has this name now.
        for old in [hidden.clone(), with_end(&hidden, "-old")] {
            if old.exists() {
                self.storage.remove_tree(&old)?;
            }
        }
        Ok((names, bytes))
    }

    fn fill(
        &self,
        files: Vec<AtomicFile>,
        hidden: &Path,
        card: impl FnOnce(&[PathBuf]) -> Result<String>,
    ) -> Result<(Vec<PathBuf>, u64)> {
        let target = self.target;
        let data = hidden.join("data");
        fs::create_dir_all(&data).with_context(|| format!("cannot create `{}`", data.display()))?;
        let shards: Vec<String> = (0..files.len())
            .map(|i| target.shard(i, files.len()))
            .collect();
        let (mut placed, mut bytes) = (Vec::new(), 0);
        for (file, shard) in files.into_iter().zip(&shards) {
            let path = hidden.join(shard);
            file.place_at(&path)?;
            bytes += fs::metadata(&path)
                .with_context(|| format!("cannot read `{}`", path.display()))?
                .len();
            placed.push(path);
        }
        self.storage.sync_dir(&data)?;
        let text = card(&placed)?;
        self.storage
            .write_atomic(&hidden.join(CARD), text.as_bytes())?;
        self.storage
            .replace_dir(hidden, &target.path)
            .with_context(|| format!("cannot put the export to `{}`", target.path.display()))?;
        let names = shards.iter().map(|shard| target.path.join(shard));
        Ok((names.collect(), bytes))
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
