//! The files of an export until it is whole.

use super::target::ExportTarget;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Files beside the target that have not got their names yet.
pub(crate) struct Staged<'t> {
    target: &'t ExportTarget,
    directory: &'t Path,
    files: Vec<PathBuf>,
}

/// Removes what killed attempts have left beside the target. Only for the holder of its lock: it
/// could be the work of another job.
pub(crate) fn remove_unfinished(target: &ExportTarget) -> Result<()> {
    let directory = target
        .path
        .parent()
        .filter(|parent| *parent != Path::new(""))
        .unwrap_or(Path::new("."));
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
            fs::remove_file(entry.path())
                .with_context(|| format!("cannot remove `{}`", entry.path().display()))?;
        }
    }
    Ok(())
}

const UNFINISHED: &str = "partial-";

impl<'t> Staged<'t> {
    /// No files yet.
    pub(crate) fn new(target: &'t ExportTarget, directory: &'t Path) -> Self {
        Self {
            target,
            directory,
            files: Vec::new(),
        }
    }

    /// The next file to write; one per shard. No other process and no other export of this one has
    /// a file of the same name.
    pub(crate) fn next(&mut self) -> Result<File> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        // Processes in different containers may have the same number.
        let random = RandomState::new().hash_one(serial);
        let name = format!(
            "{}{UNFINISHED}{}-{random:016x}",
            self.target.hidden_start(),
            std::process::id()
        );
        let path = self.directory.join(name);
        let file =
            File::create(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
        self.files.push(path);
        Ok(file)
    }

    /// Makes the files durable and gives them their names. A single file replaces an older export
    /// in one step.
    pub(crate) fn commit(mut self) -> Result<(Vec<PathBuf>, u64)> {
        let mut bytes = 0;
        for path in &self.files {
            let file = File::open(path)?;
            file.sync_all()
                .with_context(|| format!("cannot write `{}`", path.display()))?;
            bytes += file.metadata()?.len();
        }
        let names: Vec<PathBuf> = match self.target.shard_size {
            None => vec![self.target.path.clone()],
            Some(_) => (0..self.files.len())
                .map(|i| self.directory.join(self.target.shard(i, self.files.len())))
                .collect(),
        };
        for (from, to) in self.files.iter().zip(&names) {
            fs::rename(from, to)
                .with_context(|| format!("cannot put the export to `{}`", to.display()))?;
        }
        self.files.clear();
        if self.target.shard_size.is_some() {
            self.remove_other_shards(&names)?;
        }
        File::open(self.directory)?
            .sync_all()
            .with_context(|| format!("cannot write `{}`", self.directory.display()))?;
        Ok((names, bytes))
    }
}

impl Staged<'_> {
    /// Removes the shards of an earlier export: as a file is replaced, so are these. Beside the new
    /// ones they would give every row twice.
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
                fs::remove_file(&path).with_context(context)?;
            }
        }
        Ok(())
    }
}

impl Drop for Staged<'_> {
    /// After an error nothing stays beside the target.
    fn drop(&mut self) {
        for path in &self.files {
            let _ = fs::remove_file(path);
        }
    }
}
