//! Unpacks what cannot be read from the middle (archives, JSON arrays, CSV, plain text) into plain
//! JSON lines, once per job.

use super::csv_types::ColumnTypes;
use super::file::{Compression, Dataset, Format, InputFile, Origin};
use super::packing::open_unpacked;
use super::pages;
use super::read_error::{Located, plain_error};
use super::source_lines::{LineWriter, lines_path};
use super::{csv_rows, json_rows};
use crate::data::losses::Losses;
use crate::rundir::{AtomicFile, RunPaths, Storage};
use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Version of the manifests; another one is not reused.
const VERSION: u32 = 3;

/// Says that an unpacked file is complete and what it was made of. Written after the file itself is
/// on the disk.
#[derive(Serialize, Deserialize)]
struct Manifest {
    version: u32,
    source: Origin,
    /// Size of the unpacked file.
    bytes: u64,
    /// A table: what its columns have, by itself and together with all others.
    table: Option<Table>,
    /// What its rows do not keep.
    losses: Losses,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Table {
    own: ColumnTypes,
    /// By which its rows are written.
    all: ColumnTypes,
}

/// The dataset with every file splittable: those that are not are unpacked into the directory
/// `into`, several at a time, in constant memory. What an earlier attempt has finished there is
/// used again if the file it was made of is still the same. The numbers of the files stay. An
/// archive that is cut or damaged is an error that says where; nothing of it is taken for complete.
pub(crate) fn materialise(dataset: &Dataset, into: &Path, storage: &Storage) -> Result<Dataset> {
    if dataset.is_splittable() {
        return Ok(dataset.clone());
    }
    fs::create_dir_all(into).with_context(|| format!("cannot create `{}`", into.display()))?;
    // What a killed attempt has left may be as large as the input.
    storage.clean_temporary(into)?;
    let tables = tables(dataset, into)?;
    let files = dataset.files.par_iter().zip(tables).enumerate();
    let files = files.map(|(i, (file, table))| {
        if file.is_splittable() {
            Ok((file.clone(), Losses::default()))
        } else {
            let paths = RunPaths::unpacked_input(into, i);
            unpack(file, table, paths, dataset.zstd_window, storage)
        }
    });
    let (files, lost): (_, Vec<Losses>) = files.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let mut losses = Losses::default();
    lost.iter().for_each(|of_file| losses.merge(of_file));
    Ok(Dataset {
        files,
        losses,
        ..dataset.clone()
    })
}

/// For each file what its columns have, if it is a table: a column has one type in all of them.
fn tables(dataset: &Dataset, into: &Path) -> Result<Vec<Option<Table>>> {
    let own = dataset.files.par_iter().enumerate().map(|(i, file)| {
        let Some(delimiter) = delimiter(file.format) else {
            return Ok(None);
        };
        let (path, manifest_path) = RunPaths::unpacked_input(into, i);
        if let Some(table) =
            finished(&manifest_path, &path, &file.as_origin()).and_then(|m| m.table)
        {
            return Ok(Some(table.own));
        }
        ColumnTypes::of_table(|| open(file, dataset.zstd_window), delimiter, &file.path)
            .with_context(|| format!("cannot unpack `{}`", file.path.display()))
            .map(Some)
    });
    let own = own.collect::<Result<Vec<_>>>()?;
    let mut all = ColumnTypes::default();
    own.iter().flatten().for_each(|table| all.merge(table));
    let with_all = |own: ColumnTypes| Table {
        all: all.for_table(&own),
        own,
    };
    Ok(own.into_iter().map(|own| own.map(with_all)).collect())
}

fn delimiter(format: Format) -> Option<u8> {
    match format {
        Format::Csv => Some(b','),
        Format::Tsv => Some(b'\t'),
        _ => None,
    }
}

/// The unpacked file, and what its rows do not keep.
fn unpack(
    file: &InputFile,
    table: Option<Table>,
    (path, manifest_path): (PathBuf, PathBuf),
    zstd_window: u64,
    storage: &Storage,
) -> Result<(InputFile, Losses)> {
    let source = file.as_origin();
    let known = finished(&manifest_path, &path, &source).filter(|m| m.table == table);
    let losses = if let Some(manifest) = known {
        manifest.losses
    } else {
        storage.remove(&manifest_path)?;
        let types = table.as_ref().map(|table| &table.all);
        let losses = write_rows(file, types, &path, zstd_window, storage)
            .with_context(|| format!("cannot unpack `{}`", file.path.display()))?;
        let manifest = Manifest {
            version: VERSION,
            source: source.clone(),
            bytes: fs::metadata(&path)?.len(),
            table,
            losses,
        };
        storage.write_json(&manifest_path, &manifest)?;
        manifest.losses
    };
    Ok((unpacked_file(file, path, source)?, losses))
}

fn unpacked_file(file: &InputFile, path: PathBuf, source: Origin) -> Result<InputFile> {
    let metadata = fs::metadata(&path)?;
    let modified_ns = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as i128);
    Ok(InputFile {
        path,
        format: match file.format {
            Format::Warc => Format::Warc,
            _ => Format::Jsonl,
        },
        compression: Compression::None,
        bytes: metadata.len(),
        modified_ns,
        by_record: false,
        version: None,
        origin: Some(source),
    })
}

/// The dataset with the files that [`materialise`] has unpacked into the directory; None if one of
/// them is not there, or not of today's source. Writes nothing.
pub(crate) fn materialised(dataset: &Dataset, into: &Path) -> Option<Dataset> {
    let file = |(i, file): (usize, &InputFile)| {
        if file.is_splittable() {
            return Some(file.clone());
        }
        let (path, manifest) = RunPaths::unpacked_input(into, i);
        let source = file.as_origin();
        finished(&manifest, &path, &source)?;
        unpacked_file(file, path, source).ok()
    };
    let files = dataset.files.iter().enumerate().map(file);
    Some(Dataset {
        files: files.collect::<Option<_>>()?,
        ..dataset.clone()
    })
}

/// Writes the rows, and where that is not plain from their own lines, in which lines of the file
/// they begin.
fn write_rows(
    file: &InputFile,
    types: Option<&ColumnTypes>,
    path: &Path,
    zstd_window: u64,
    storage: &Storage,
) -> Result<Losses> {
    let lines = lines_path(path);
    let mut source_lines = if matches!(file.format, Format::Jsonl | Format::Text | Format::Warc) {
        storage.remove(&lines)?;
        None
    } else {
        Some(LineWriter::new(storage.create(&lines)?))
    };
    let mut out = BufWriter::with_capacity(256 << 10, storage.create(path)?);
    let losses = rows((file, types), zstd_window, &mut out, source_lines.as_mut())?;
    if let Some(source_lines) = source_lines {
        source_lines.finish()?;
    }
    out.into_inner().map_err(|e| e.into_error())?.commit()?;
    Ok(losses)
}

/// The manifest of an unpacked file that is complete and of today's source.
fn finished(manifest: &Path, path: &Path, source: &Origin) -> Option<Manifest> {
    let known = fs::read(manifest)
        .ok()
        .and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
    known.filter(|m| {
        m.version == VERSION
            && m.source == *source
            && fs::metadata(path).is_ok_and(|found| found.len() == m.bytes)
    })
}

/// The rows of `file` as JSON lines. `source_lines` is there for formats whose rows span lines.
fn rows(
    (file, types): (&InputFile, Option<&ColumnTypes>),
    zstd_window: u64,
    out: &mut impl Write,
    source_lines: Option<&mut LineWriter<AtomicFile>>,
) -> Result<Losses> {
    if file.format == Format::Warc {
        pages::unpacked::copy(file, zstd_window, out)?;
        return Ok(Losses::default());
    }
    let mut from = open(file, zstd_window)?;
    match (file.format, source_lines) {
        (Format::Jsonl, _) => drop(io::copy(&mut from, out).map_err(plain_error)?),
        (Format::Text, _) => json_rows::text_to_line(from, out)?,
        (Format::JsonArray, Some(lines)) => {
            json_rows::array_to_lines(from, &file.path, out, lines)?
        }
        (format, Some(lines)) => {
            let how = delimiter(format).zip(types);
            let how =
                how.with_context(|| format!("`{}` needs no unpacking", file.path.display()))?;
            return csv_rows::to_lines(from, how, &file.path, out, lines);
        }
        _ => return Err(anyhow!("`{}` needs no unpacking", file.path.display())),
    }
    Ok(Losses::default())
}

/// The file's content, unpacked.
fn open(file: &InputFile, zstd_window: u64) -> Result<Located> {
    let inner = open_unpacked(file, file.compression, zstd_window)?;
    Ok(Located::new(inner, file.compression))
}
