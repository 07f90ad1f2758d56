//! Assembles the parts of all partitions into the export: one file, or shards.

use super::ahead::Copied;
use super::card::Card;
use super::columnar;
use super::part::{PartContent, PartInfo};
use super::publish::Published;
use super::staging::{CARD, Staged};
use super::stream::{ArrayReader, LineStream};
use super::target::{ExportFormat, ExportTarget};
use crate::data::input::Compression;
use crate::data::io::compression;
use crate::data::losses::Losses;
use crate::rundir::{AtomicFile, Storage};
use anyhow::{Context, Result};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exported {
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// Rows in all files.
    pub rows: u64,
    /// Bytes in all files.
    pub bytes: u64,
    /// Where the files are in a bucket, if they were put there.
    pub published: Vec<Published>,
    /// Notes for the user: columns whose types had to be widened, values that the format cannot
    /// hold.
    pub notes: Vec<String>,
}

/// Writes the export from `parts`, in their order. The files appear whole, by a rename, or not at
/// all; their bytes do not depend on how the rows are cut into parts. `copied` is what was copied
/// while the parts were made; `card` what a dataset of the hub says beside its rows. Runs on the
/// threads of rayon's current pool.
pub(crate) fn assemble(
    parts: &[(PathBuf, PartInfo)],
    target: &ExportTarget,
    storage: &Storage,
    copied: Option<Copied>,
    card: &Card,
) -> Result<Exported> {
    let directory = target.directory();
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create `{}`", directory.display()))?;
    let mut out = Staged::new(target, directory, storage);
    let notes = if target.format.is_columnar() {
        columnar::assemble(parts, target, &mut out)?
    } else {
        match copied.and_then(|copied| copied.holding(parts)) {
            Some(file) => out.add(file)?,
            None => lines(parts, target, &mut out)?,
        }
        let mut losses = Losses::default();
        parts
            .iter()
            .for_each(|(_, info)| losses.merge(&info.losses));
        losses.notes()
    };
    let (files, bytes) = match target.split {
        None => out.commit()?,
        Some(_) => out.commit_dataset(|files| {
            let earlier = fs::read_to_string(target.path.join(CARD)).ok();
            card.of_files(files, earlier.as_deref(), false)
        })?,
    };
    Ok(Exported {
        files,
        rows: parts.iter().map(|(_, info)| info.rows).sum(),
        bytes,
        published: Vec::new(),
        notes,
    })
}

fn lines(parts: &[(PathBuf, PartInfo)], target: &ExportTarget, out: &mut Staged) -> Result<()> {
    let rows = parts
        .iter()
        .filter(|(_, info)| matches!(info.content, PartContent::Rows { .. }));
    let stream = LineStream::open(rows.map(|(path, info)| (path.clone(), info.bytes)))?;
    let mut start = 0;
    loop {
        let end = match target.shard_size {
            Some(size) => stream.row_end(start, start.saturating_add(size))?,
            None => stream.len(),
        };
        let mut file = out.start()?;
        write_range(&stream, start, end, target, &mut file)
            .with_context(|| format!("cannot make the export `{}`", target.path.display()))?;
        out.add(file)?;
        start = end;
        if start == stream.len() {
            return Ok(());
        }
    }
}

fn write_range(
    stream: &LineStream,
    start: u64,
    end: u64,
    target: &ExportTarget,
    file: &mut AtomicFile,
) -> Result<()> {
    let lines = stream.range(start, end);
    match (target.format, target.compression) {
        (ExportFormat::Json, Compression::None) => {
            let mut out = BufWriter::with_capacity(256 << 10, file);
            io::copy(&mut ArrayReader::new(lines), &mut out)?;
            out.flush()?;
        }
        (ExportFormat::Json, packing) => {
            compression::export(ArrayReader::new(lines), file, packing)?
        }
        (_, Compression::None) => stream.copy(start, end, file)?,
        (_, packing) => compression::export(lines, file, packing)?,
    }
    Ok(())
}
