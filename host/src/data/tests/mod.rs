//! Files in, files out, through the folder's interface.

mod columnar_exports;
mod columns;
mod discover;
mod hostile;
mod json;
mod lines;
mod materialise;
mod pages;
mod power;
#[cfg(feature = "remote")]
mod remote;

use super::input::unpack::materialise;
use super::*;
use crate::partition::{SplitBy, split};
use crate::rundir::Storage;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// One configuration of reading and writing.
#[derive(Clone, Copy)]
struct Way {
    by: SplitBy,
    batch_bytes: usize,
    max_row_bytes: usize,
    shard_size: u64,
    keep_stats: bool,
}

const PLAIN: Way = Way {
    by: SplitBy::Count(1),
    batch_bytes: 512 << 10,
    max_row_bytes: 1 << 20,
    shard_size: 0,
    keep_stats: false,
};

fn text_field() -> ReadField {
    ReadField {
        path: "text".into(),
        ty: FieldType::Utf8,
        required: true,
    }
}

fn optional(path: &str, ty: FieldType) -> ReadField {
    ReadField {
        path: path.into(),
        ty,
        required: false,
    }
}

struct Outcome {
    files: Vec<PathBuf>,
    content: Vec<Vec<u8>>,
    bad: Vec<BadRow>,
    rows: u64,
    notes: Vec<String>,
}

/// Reads `input` (relative to `dir`), lets `edit` change each batch and exports to `output`.
fn run(
    dir: &TempDir,
    input: &str,
    output: &str,
    fields: &[ReadField],
    way: Way,
    edit: impl Fn(&mut Batch),
) -> Result<Outcome> {
    let (work, storage) = (tempfile::tempdir()?, Storage::new());
    let dataset = materialise(
        &Dataset::open(&[input.to_owned()], dir.path())?,
        &work.path().join("partitions"),
        &storage,
    )?;
    let target = ExportTarget::new(&dir.path().join(output), None, way.shard_size)?;
    let options = ExportOptions::new(&dataset, target.format, way.keep_stats, false)?;
    let read_options = ReadOptions {
        fields: fields.to_vec(),
        batch_bytes: way.batch_bytes,
        max_row_bytes: way.max_row_bytes,
        as_json: false,
        schema: options.schema().cloned(),
        columns: None,
    };
    let (mut parts, mut bad) = (Vec::new(), Vec::new());
    for partition in split(&dataset, way.by)? {
        let path = work.path().join(format!("part-{}", partition.id));
        let mut writer = PartWriter::new(storage.create(&path)?, &options)?;
        for block in read(&dataset, &partition, &read_options)? {
            let mut block = block?;
            edit(&mut block.batch);
            writer.write(&block.batch)?;
            bad.extend(block.bad);
        }
        let (file, info) = writer.finish()?;
        file.commit()?;
        parts.push((path, info));
    }
    let exported = assemble(&parts, &target, &storage, None, &Card::default())?;
    let content = exported
        .files
        .iter()
        .map(fs::read)
        .collect::<Result<_, _>>()?;
    Ok(Outcome {
        files: exported.files,
        content,
        bad,
        rows: exported.rows,
        notes: exported.notes,
    })
}

/// Passes JSON lines through unchanged.
fn pass(rows: &[u8], way: Way) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in.jsonl"), rows).unwrap();
    run(&dir, "in.jsonl", "out.jsonl", &[text_field()], way, |_| {}).unwrap()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
