//! Assembles the parts of all partitions into the export: one file, or shards.

use super::file::Compression;
use super::part::{PartContent, PartInfo};
use super::stream::{ArrayReader, LineStream};
use super::{compress, table};
use crate::error::{UserError, did_you_mean};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How the export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// One JSON object per line.
    Jsonl,
    /// One JSON array.
    Json,
    /// Apache Parquet.
    Parquet,
    /// An Arrow IPC stream, the format of Hugging Face's `.arrow` files.
    Arrow,
}

impl ExportFormat {
    const NAMES: [(&'static str, Self); 4] =
        [("jsonl", Self::Jsonl), ("json", Self::Json), ("parquet", Self::Parquet), ("arrow", Self::Arrow)];

    /// Whether it is written from columns.
    pub fn is_columnar(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }
}

/// Where the export goes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportTarget {
    /// The file; with shards, what their names are made of.
    pub path: PathBuf,
    /// How rows are written.
    pub format: ExportFormat,
    /// Gzip or zstd around JSON.
    pub compression: Compression,
    /// Largest size of a shard in bytes, before packing; None = one file. A longer row is a shard by itself.
    pub shard_size: Option<u64>,
}

impl ExportTarget {
    /// By the suffix of `path` (`.jsonl`, `.json`, `.parquet`, `.arrow`, the first two also with `.gz` or `.zst`), or by `export_type`, which
    /// goes first. `shard_size` 0 is one file.
    pub fn new(path: &Path, export_type: Option<&str>, shard_size: u64) -> Result<Self, UserError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let (inner, compression) = match name.rsplit_once('.') {
            Some((inner, "gz")) => (inner, Compression::Gzip),
            Some((inner, "zst" | "zstd")) => (inner, Compression::Zstd),
            _ => (&name[..], Compression::None),
        };
        let suffix = export_type.or(inner.rsplit_once('.').map(|(_, s)| s));
        let valid = "valid are `jsonl`, `json`, `parquet` and `arrow`, the first two also packed as `.gz` or `.zst`";
        let place = path.display().to_string();
        let Some(suffix) = suffix else {
            return Err(UserError::new(place, "the export path has no suffix that names a format").hint(valid));
        };
        let Some(&(_, format)) = ExportFormat::NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(suffix)) else {
            let near = did_you_mean(suffix, ExportFormat::NAMES.iter().map(|(n, _)| *n));
            let hint = near.map_or_else(|| valid.to_owned(), |n| format!("did you mean `{n}`? {valid}"));
            return Err(UserError::new(place, format!("`{suffix}` is not an export format")).hint(hint));
        };
        if format.is_columnar() && compression != Compression::None {
            return Err(UserError::new(place, "Parquet and Arrow files compress by themselves").hint("leave out `.gz` or `.zst`"));
        }
        Ok(Self { path: path.to_owned(), format, compression, shard_size: (shard_size > 0).then_some(shard_size) })
    }
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// Rows in all files.
    pub rows: u64,
    /// Bytes in all files.
    pub bytes: u64,
    /// What the user should know: columns whose types had to be widened.
    pub notes: Vec<String>,
}

/// Writes the export from `parts`, in their order. The files appear whole, by a rename, or not at all; their bytes do not depend on how the
/// rows are cut into parts. Runs on the threads of rayon's current pool.
pub fn assemble(parts: &[(PathBuf, PartInfo)], target: &ExportTarget) -> Result<Exported> {
    let directory = match target.path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory).with_context(|| format!("cannot create `{}`", directory.display()))?;
    let mut out = Staged::new(target, directory)?;
    let notes = if target.format.is_columnar() {
        table::assemble(parts, target, &mut out)?
    } else {
        lines(parts, target, &mut out)?;
        Vec::new()
    };
    let (files, bytes) = out.commit()?;
    Ok(Exported { files, rows: parts.iter().map(|(_, info)| info.rows).sum(), bytes, notes })
}

fn lines(parts: &[(PathBuf, PartInfo)], target: &ExportTarget, out: &mut Staged) -> Result<()> {
    let rows = parts.iter().filter(|(_, info)| matches!(info.content, PartContent::Rows { .. }));
    let stream = LineStream::open(rows.map(|(path, info)| (path.clone(), info.bytes)))?;
    let mut start = 0;
    loop {
        let end = match target.shard_size {
            Some(size) => stream.row_end(start, start.saturating_add(size))?,
            None => stream.len(),
        };
        let mut file = out.next()?;
        write_range(&stream, start, end, target, &mut file).with_context(|| format!("cannot write beside `{}`", target.path.display()))?;
        start = end;
        if start == stream.len() {
            return Ok(());
        }
    }
}

fn write_range(stream: &LineStream, start: u64, end: u64, target: &ExportTarget, file: &mut File) -> Result<()> {
    let lines = stream.range(start, end);
    match (target.format, target.compression) {
        (ExportFormat::Json, Compression::None) => {
            let mut out = BufWriter::with_capacity(256 << 10, file);
            io::copy(&mut ArrayReader::new(lines), &mut out)?;
            out.flush()?;
        }
        (ExportFormat::Json, packing) => compress::pack(ArrayReader::new(lines), file, packing)?,
        (_, Compression::None) => stream.copy(start, end, file)?,
        (_, packing) => compress::pack(lines, file, packing)?,
    }
    Ok(())
}

/// Files beside the target that have not got their names yet.
pub(super) struct Staged<'t> {
    target: &'t ExportTarget,
    directory: &'t Path,
    files: Vec<PathBuf>,
}

impl<'t> Staged<'t> {
    /// Removes what a killed attempt left.
    fn new(target: &'t ExportTarget, directory: &'t Path) -> Result<Self> {
        let prefix = partial_prefix(&target.path);
        for entry in fs::read_dir(directory).with_context(|| format!("cannot read `{}`", directory.display()))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_file(entry.path()).with_context(|| format!("cannot remove `{}`", entry.path().display()))?;
            }
        }
        Ok(Self { target, directory, files: Vec::new() })
    }

    /// The next file to write; one per shard.
    pub(super) fn next(&mut self) -> Result<File> {
        let path = self.directory.join(format!("{}{:05}", partial_prefix(&self.target.path), self.files.len()));
        let file = File::create(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
        self.files.push(path);
        Ok(file)
    }

    /// Makes the files durable and gives them their names. A single file replaces an older export in one step.
    fn commit(mut self) -> Result<(Vec<PathBuf>, u64)> {
        let mut bytes = 0;
        for path in &self.files {
            let file = File::open(path)?;
            file.sync_all().with_context(|| format!("cannot write `{}`", path.display()))?;
            bytes += file.metadata()?.len();
        }
        let names: Vec<PathBuf> = match self.target.shard_size {
            None => vec![self.target.path.clone()],
            Some(_) => (0..self.files.len()).map(|i| self.directory.join(shard_name(&self.target.path, i, self.files.len()))).collect(),
        };
        for (from, to) in self.files.iter().zip(&names) {
            fs::rename(from, to).with_context(|| format!("cannot put the export to `{}`", to.display()))?;
        }
        self.files.clear();
        File::open(self.directory)?.sync_all().with_context(|| format!("cannot write `{}`", self.directory.display()))?;
        Ok((names, bytes))
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

fn partial_prefix(path: &Path) -> String {
    format!(".{}.partial-", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Data-Juicer's names: `name-00-of-03.jsonl`, counted from 0, with one digit more than the count has.
fn shard_name(path: &Path, index: usize, count: usize) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let dots = if name.ends_with(".gz") || name.ends_with(".zst") || name.ends_with(".zstd") { 2 } else { 1 };
    let stem_end = name.rmatch_indices('.').nth(dots - 1).map(|(i, _)| i).or(name.rfind('.')).unwrap_or(name.len());
    let (stem, suffix) = name.split_at(stem_end);
    let width = count.to_string().len() + 1;
    format!("{stem}-{index:0width$}-of-{count:0width$}{suffix}")
}
