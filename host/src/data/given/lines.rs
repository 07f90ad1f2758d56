//! Rows as JSON.

use super::place::GivenFile;
use crate::rundir::RunPaths;
use anyhow::Result;
use std::io::Write;
use std::path::PathBuf;

/// Text is buffered up to this size, then written.
const WRITE_BYTES: usize = 256 << 10;

/// Writes JSON rows that a program has in memory into the run directory of its job.
pub struct GivenLines {
    file: GivenFile,
    buffer: Vec<u8>,
}

impl GivenLines {
    /// Starts the file, in a run directory that is made if it is not there. Fails with a
    /// [`UserError`](crate::error::UserError) if another process runs the job.
    pub fn new(paths: &RunPaths) -> Result<Self> {
        Ok(Self {
            file: GivenFile::start(paths, "jsonl")?,
            buffer: Vec::with_capacity(WRITE_BYTES),
        })
    }

    /// Adds a row: `write` appends a JSON object, without line feeds, to what it is given.
    pub fn row<E: From<anyhow::Error>>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        write(&mut self.buffer)?;
        self.buffer.push(b'\n');
        if self.buffer.len() >= WRITE_BYTES {
            self.drain()?;
        }
        Ok(())
    }

    /// Returns the path of the file, which is in its place now.
    pub fn finish(mut self) -> Result<PathBuf> {
        self.drain()?;
        self.file.finish()
    }

    fn drain(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::UserError;
    use crate::rundir::JobLock;

    fn give(paths: &RunPaths, rows: &[&str]) -> Result<PathBuf> {
        let mut lines = GivenLines::new(paths)?;
        for row in rows {
            lines.row(|out| -> Result<()> {
                out.extend(row.as_bytes());
                Ok(())
            })?;
        }
        lines.finish()
    }

    #[test]
    fn equal_rows_keep_their_file_and_others_take_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path().join("job"));
        let first = give(&paths, &["{}", "{\"a\":1}"]).unwrap();
        let time = std::fs::metadata(&first).unwrap().modified().unwrap();
        assert_eq!(give(&paths, &["{}", "{\"a\":1}"]).unwrap(), first);
        assert_eq!(std::fs::metadata(&first).unwrap().modified().unwrap(), time);
        let second = give(&paths, &["{}"]).unwrap();
        assert_eq!(std::fs::read_to_string(&second).unwrap(), "{}\n");
        assert_eq!(std::fs::read_dir(paths.data()).unwrap().count(), 1);
        let lock = JobLock::acquire(&paths).unwrap();
        assert!(give(&paths, &[]).unwrap_err().is::<UserError>());
        drop(lock);
        assert!(give(&paths, &[]).is_ok());
    }
}
