//! The file of a grouper's keys with their rows. The rows of a group lie anywhere in the dataset,
//! so the file finds each by its number.
//!
//! ```text
//! concatenated rows │ per row: its end, its id │ the keys, as in any key file │ number of rows, size of the keys
//! ```
//! All numbers have 64 bits, lowest byte first.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::data::json::rows;
use crate::data::{Batch, ExportOptions};
use crate::rundir::AtomicFile;
use crate::rundir::checksum::ChecksumWriter;

/// Bytes per row of the table, and of the two numbers at the end.
const ENTRY: u64 = 16;
const TAIL: u64 = 16;

/// Writes a row file.
pub(crate) struct RowFileWriter {
    out: BufWriter<ChecksumWriter<AtomicFile>>,
    export: ExportOptions,
    lines: Vec<u8>,
    table: Vec<u8>,
    rows: u64,
    end: u64,
}

impl RowFileWriter {
    /// Starts a file. `export` decides how rows are written.
    pub(crate) fn new(file: AtomicFile, export: &ExportOptions) -> Self {
        let out = BufWriter::with_capacity(256 << 10, ChecksumWriter::new(file));
        Self {
            out,
            export: export.clone(),
            lines: Vec::new(),
            table: Vec::new(),
            rows: 0,
            end: 0,
        }
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<()> {
        self.lines.clear();
        self.export.write_lines(batch, &mut self.lines)?;
        let before = self.rows;
        for (row, id) in rows(&self.lines).zip(batch.ids.values()) {
            self.end += row.len() as u64 + 1;
            self.table.extend(self.end.to_le_bytes());
            self.table.extend(id.to_le_bytes());
            self.rows += 1;
        }
        ensure!(
            self.rows - before == batch.rows() as u64,
            "internal error: {} lines of {} rows",
            self.rows - before,
            batch.rows()
        );
        Ok(self.out.write_all(&self.lines)?)
    }

    /// Adds the keys. Returns the file, not yet committed, with its bytes and checksum.
    pub(crate) fn finish(mut self, keys: &[u8]) -> Result<(AtomicFile, u64, String)> {
        let tail = [self.rows.to_le_bytes(), (keys.len() as u64).to_le_bytes()].concat();
        for part in [&self.table[..], keys, &tail] {
            self.out.write_all(part)?;
        }
        let summing = self.out.into_inner().map_err(|e| e.into_error())?;
        let (file, checksum, bytes) = summing.into_parts();
        Ok((file, bytes, checksum))
    }
}

/// Reads rows by their number.
pub(crate) struct RowFile {
    file: File,
    path: PathBuf,
    rows: u64,
    keys_bytes: u64,
    /// Where the table begins.
    table: u64,
    /// A part of the table, and its first row.
    known: (u64, Vec<u8>),
}

/// Table entries read at a time: rows of a group follow each other, at a distance.
const AT_ONCE: u64 = 256;

impl RowFile {
    /// Opens a file of [`RowFileWriter`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let context = || format!("cannot read `{}`", path.display());
        let file = File::open(path).with_context(context)?;
        let bytes = file.metadata().with_context(context)?.len();
        let mut tail = [0; TAIL as usize];
        file.read_exact_at(&mut tail, bytes.saturating_sub(TAIL))
            .with_context(context)?;
        let (rows, keys_bytes) = (number(&tail, 0), number(&tail, 1));
        let table = rows
            .checked_mul(ENTRY)
            .and_then(|n| n.checked_add(keys_bytes)?.checked_add(TAIL))
            .and_then(|n| bytes.checked_sub(n));
        let table = table.with_context(|| format!("`{}` is damaged", path.display()))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            rows,
            keys_bytes,
            table,
            known: (0, Vec::new()),
        })
    }

    /// The bytes of the keys.
    pub(crate) fn keys(&self) -> Result<Vec<u8>> {
        let mut keys = vec![0; usize::try_from(self.keys_bytes)?];
        self.read(&mut keys, self.table + self.rows * ENTRY)?;
        Ok(keys)
    }

    /// Replaces the content of `out` with row number `row`, without its line end, and returns its
    /// id.
    pub(crate) fn row(&mut self, row: u64, out: &mut Vec<u8>) -> Result<u64> {
        ensure!(
            row < self.rows,
            "`{}` has no row {row}",
            self.path.display()
        );
        let start = if row == 0 { 0 } else { self.entry(row - 1)?.0 };
        let (end, id) = self.entry(row)?;
        ensure!(
            start < end && end <= self.table,
            "`{}` is damaged at row {row}",
            self.path.display()
        );
        out.resize((end - start) as usize, 0);
        self.read(out, start)?;
        out.pop();
        Ok(id)
    }

    fn entry(&mut self, row: u64) -> Result<(u64, u64)> {
        let has = |(first, known): &(u64, Vec<u8>)| {
            row >= *first && (row - first) < known.len() as u64 / ENTRY
        };
        if !has(&self.known) {
            let mut piece = vec![0; (AT_ONCE.min(self.rows - row) * ENTRY) as usize];
            self.read(&mut piece, self.table + row * ENTRY)?;
            self.known = (row, piece);
        }
        let at = 2 * (row - self.known.0) as usize;
        Ok((number(&self.known.1, at), number(&self.known.1, at + 1)))
    }

    fn read(&self, out: &mut [u8], at: u64) -> Result<()> {
        self.file
            .read_exact_at(out, at)
            .with_context(|| format!("cannot read `{}`", self.path.display()))
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[8 * at..8 * at + 8]);
    u64::from_le_bytes(number)
}
