//! The file that holds the rows.

use crate::rundir::checksum::ChecksumWriter;
use crate::rundir::{AtomicFile, FreeLock, RunPaths};
use anyhow::{Context, Result};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// The file while it is written. Its name says what is in it, so another attempt with the same rows
/// finds the same file, and one with other rows never changes a file that somebody reads.
pub(super) struct GivenFile {
    out: ChecksumWriter<AtomicFile>,
    paths: RunPaths,
    ext: &'static str,
    /// Nobody else runs the job, or gives it other rows, while these are written.
    _lock: FreeLock,
}

impl GivenFile {
    /// Starts the file, in a run directory that is made if it is not there. Fails with a
    /// [`UserError`](crate::error::UserError) if another process runs the job.
    pub(super) fn start(paths: &RunPaths, ext: &'static str) -> Result<Self> {
        let dir = paths.data();
        fs::create_dir_all(&dir).with_context(|| format!("cannot create `{}`", dir.display()))?;
        let lock = FreeLock::take(paths)?;
        let storage = paths.storage();
        storage.clean_temporary(&dir)?;
        Ok(Self {
            out: ChecksumWriter::new(storage.create(&paths.given_rows("new", ext))?),
            paths: paths.clone(),
            ext,
            _lock: lock,
        })
    }

    /// Puts the file at its place and removes those of other rows. Returns its path.
    pub(super) fn finish(self) -> Result<PathBuf> {
        let (mut file, digest, bytes) = self.out.into_parts();
        let path = self.paths.given_rows(&digest, self.ext);
        let storage = self.paths.storage();
        if fs::metadata(&path).is_ok_and(|there| there.is_file() && there.len() == bytes) {
            // An earlier attempt had the same rows: the file keeps its time, so nothing has changed.
            drop(file);
        } else {
            file.close()?;
            file.place_at(&path)?;
            storage.sync_dir(&self.paths.data())?;
        }
        let dir = self.paths.data();
        let entries =
            fs::read_dir(&dir).with_context(|| format!("cannot list `{}`", dir.display()))?;
        for entry in entries {
            let other = entry?.path();
            let name = other.file_name().unwrap_or_default().to_string_lossy();
            if RunPaths::is_given_rows(&name) && other != path {
                storage.remove_unsynced(&other)?;
            }
        }
        Ok(path)
    }
}

impl Write for GivenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
