//! Unpacks what cannot be read from the middle (archives, JSON arrays, CSV, plain text) into plain
//! JSON lines, once per job.

use super::file::{Compression, Dataset, Format, InputFile, Origin};
use super::packing::open_unpacked;
use super::read_error::{Located, plain_error};
use super::source_lines::{LineWriter, lines_path};
use super::{csv_rows, json_rows};
use crate::rundir::{AtomicFile, RunPaths, Storage};
use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Version of the manifests; another one is not reused.
const VERSION: u32 = 2;

/// Says that an unpacked file is complete and what it was made of. Written after the file itself is
/// on the disk.
#[derive(Serialize, Deserialize)]
struct Manifest {
    version: u32,
    source: Origin,
    /// Size of the unpacked file.
    bytes: u64,
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
    let files = dataset.files.par_iter().enumerate().map(|(i, file)| {
        if file.is_splittable() {
            Ok(file.clone())
        } else {
            unpack(
                file,
                RunPaths::unpacked_input(into, i),
                dataset.zstd_window,
                storage,
            )
        }
    });
    Ok(Dataset {
        files: files.collect::<Result<_>>()?,
        ..dataset.clone()
    })
}

fn unpack(
    file: &InputFile,
    (path, manifest_path): (PathBuf, PathBuf),
    zstd_window: u64,
    storage: &Storage,
) -> Result<InputFile> {
    let source = file.as_origin();
    if !is_finished(&manifest_path, &path, &source) {
        storage.remove(&manifest_path)?;
        write_rows(file, &path, zstd_window, storage)
            .with_context(|| format!("cannot unpack `{}`", file.path.display()))?;
        let manifest = Manifest {
            version: VERSION,
            source: source.clone(),
            bytes: fs::metadata(&path)?.len(),
        };
        storage.write_json(&manifest_path, &manifest)?;
    }
    let metadata = fs::metadata(&path)?;
    let modified_ns = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as i128);
    Ok(InputFile {
        path,
        format: Format::Jsonl,
        compression: Compression::None,
        bytes: metadata.len(),
        modified_ns,
        origin: Some(source),
    })
}

/// Writes the rows, and where that is not plain from their own lines, in which lines of the file
/// they begin.
fn write_rows(file: &InputFile, path: &Path, zstd_window: u64, storage: &Storage) -> Result<()> {
    let lines = lines_path(path);
    let mut source_lines = if matches!(file.format, Format::Jsonl | Format::Text) {
        storage.remove(&lines)?;
        None
    } else {
        Some(LineWriter::new(storage.create(&lines)?))
    };
    let mut out = BufWriter::with_capacity(256 << 10, storage.create(path)?);
    rows(file, zstd_window, &mut out, source_lines.as_mut())?;
    if let Some(source_lines) = source_lines {
        source_lines.finish()?;
    }
    out.into_inner().map_err(|e| e.into_error())?.commit()
}

fn is_finished(manifest: &Path, path: &Path, source: &Origin) -> bool {
    let known = fs::read(manifest)
        .ok()
        .and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
    known.is_some_and(|m| {
        m.version == VERSION
            && m.source == *source
            && fs::metadata(path).is_ok_and(|found| found.len() == m.bytes)
    })
}

/// The rows of `file` as JSON lines. `source_lines` is there for formats whose rows span lines.
fn rows(
    file: &InputFile,
    zstd_window: u64,
    out: &mut impl Write,
    source_lines: Option<&mut LineWriter<AtomicFile>>,
) -> Result<()> {
    let open = || -> Result<Located> {
        let inner = open_unpacked(&file.path, file.compression, zstd_window)?;
        Ok(Located::new(
            inner,
            file.path.display().to_string(),
            file.compression,
        ))
    };
    match (file.format, source_lines) {
        (Format::Jsonl, _) => io::copy(&mut open()?, out).map(|_| ()).map_err(plain_error),
        (Format::Text, _) => json_rows::text_to_line(open()?, out),
        (Format::JsonArray, Some(lines)) => {
            json_rows::array_to_lines(open()?, &file.path, out, lines)
        }
        (Format::Csv, Some(lines)) => csv_rows::to_lines(open, b',', &file.path, out, lines),
        (Format::Tsv, Some(lines)) => csv_rows::to_lines(open, b'\t', &file.path, out, lines),
        _ => Err(anyhow!("`{}` needs no unpacking", file.path.display())),
    }
}
