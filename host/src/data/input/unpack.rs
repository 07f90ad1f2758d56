//! Unpacks what cannot be read from the middle (archives, JSON arrays, CSV, plain text) into plain
//! JSON lines, once per job.

use super::file::{Compression, Dataset, Format, InputFile, Origin};
use super::packing::open_unpacked;
use super::read_error::{Located, plain_error};
use super::source_lines::{LineWriter, lines_path};
use super::{csv_rows, json_rows};
use crate::data::losses::Losses;
use crate::rundir::RunPaths;
use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
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
    /// What its rows do not keep.
    #[serde(default)]
    losses: Losses,
}

/// The dataset with every file splittable: those that are not are unpacked into the directory
/// `into`, several at a time, in constant memory. What an earlier attempt has finished there is
/// used again if the file it was made of is still the same. The numbers of the files stay. An
/// archive that is cut or damaged is an error that says where; nothing of it is taken for complete.
pub(crate) fn materialise(dataset: &Dataset, into: &Path) -> Result<Dataset> {
    if dataset.is_splittable() {
        return Ok(dataset.clone());
    }
    fs::create_dir_all(into).with_context(|| format!("cannot create `{}`", into.display()))?;
    let files = dataset.files.par_iter().enumerate().map(|(i, file)| {
        if file.is_splittable() {
            Ok((file.clone(), Losses::default()))
        } else {
            unpack(file, i, into, dataset.zstd_window)
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

/// The unpacked file, and what its rows do not keep.
fn unpack(
    file: &InputFile,
    number: usize,
    into: &Path,
    zstd_window: u64,
) -> Result<(InputFile, Losses)> {
    let source = file.as_origin();
    let (path, manifest_path) = RunPaths::unpacked_input(into, number);
    let losses = if let Some(manifest) = finished(&manifest_path, &path, &source) {
        manifest.losses
    } else {
        let _ = fs::remove_file(&manifest_path);
        let losses = write_rows(file, &path, zstd_window)
            .with_context(|| format!("cannot unpack `{}`", file.path.display()))?;
        let manifest = Manifest {
            version: VERSION,
            source: source.clone(),
            bytes: fs::metadata(&path)?.len(),
            losses,
        };
        write_committed(&manifest_path, |out| {
            Ok(serde_json::to_writer_pretty(out, &manifest)?)
        })?;
        manifest.losses
    };
    let metadata = fs::metadata(&path)?;
    let modified_ns = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as i128);
    let unpacked = InputFile {
        path,
        format: Format::Jsonl,
        compression: Compression::None,
        bytes: metadata.len(),
        modified_ns,
        origin: Some(source),
    };
    Ok((unpacked, losses))
}

/// Writes the rows, and where that is not plain from their own lines, in which lines of the file
/// they begin.
fn write_rows(file: &InputFile, path: &Path, zstd_window: u64) -> Result<Losses> {
    let lines = lines_path(path);
    if matches!(file.format, Format::Jsonl | Format::Text) {
        let _ = fs::remove_file(lines);
        return write_committed(path, |out| rows(file, zstd_window, out, None));
    }
    let temp = lines.with_extension("lines.partial");
    let mut writer = LineWriter::new(
        File::create(&temp).with_context(|| format!("cannot create `{}`", temp.display()))?,
    );
    write_committed(path, |out| {
        let losses = rows(file, zstd_window, out, Some(&mut writer))?;
        writer
            .finish()
            .and_then(|()| fs::rename(&temp, &lines))
            .with_context(|| format!("cannot write `{}`", lines.display()))?;
        Ok(losses)
    })
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

/// Writes a file that appears whole or not at all.
fn write_committed<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T>,
) -> Result<T> {
    let temp: PathBuf = path.with_extension("partial");
    let mut out = BufWriter::with_capacity(
        256 << 10,
        crate::rundir::own_files::new_file(&temp)
            .with_context(|| format!("cannot create `{}`", temp.display()))?,
    );
    let written = write(&mut out)?;
    out.into_inner()
        .map_err(|e| e.into_error())
        .and_then(|f| f.sync_all())
        .with_context(|| format!("cannot write `{}`", temp.display()))?;
    fs::rename(&temp, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(written)
}

/// The rows of `file` as JSON lines. `source_lines` is there for formats whose rows span lines.
fn rows(
    file: &InputFile,
    zstd_window: u64,
    out: &mut impl Write,
    source_lines: Option<&mut LineWriter>,
) -> Result<Losses> {
    let open = || -> Result<Located> {
        let inner = open_unpacked(&file.path, file.compression, zstd_window)?;
        Ok(Located::new(
            inner,
            file.path.display().to_string(),
            file.compression,
        ))
    };
    match (file.format, source_lines) {
        (Format::Jsonl, _) => drop(io::copy(&mut open()?, out).map_err(plain_error)?),
        (Format::Text, _) => json_rows::text_to_line(open()?, out)?,
        (Format::JsonArray, Some(lines)) => {
            json_rows::array_to_lines(open()?, &file.path, out, lines)?
        }
        (Format::Csv, Some(lines)) => {
            return csv_rows::to_lines(open, b',', &file.path, out, lines);
        }
        (Format::Tsv, Some(lines)) => {
            return csv_rows::to_lines(open, b'\t', &file.path, out, lines);
        }
        _ => return Err(anyhow!("`{}` needs no unpacking", file.path.display())),
    }
    Ok(Losses::default())
}
