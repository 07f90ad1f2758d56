//! Checks whether the disks have room for the job, as far as that can be known in advance.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::config::{Compression as Packing, Resolved, StorageFormat, Strategy};
use crate::data::{Compression, Dataset, ExportFormat, ExportTarget};
use crate::error::UserError;
use crate::plan::Plan;
use crate::rundir::RunPaths;
use crate::term::bytes;

/// How many times larger a packed input becomes when it is unpacked. Web text shrinks to a third or
/// a quarter with gzip or zstd.
const UNPACKED: u64 = 3;
/// How many times smaller the result becomes when it is packed.
const PACKED: u64 = 4;

/// Bytes that the job writes if no row is dropped or changed.
struct Need {
    what: &'static str,
    place: PathBuf,
    bytes: u64,
}

/// Fails with a [`UserError`] if the files of a new job do not fit. A resumed job is not checked,
/// since part of its files already exist.
pub(crate) fn check(
    resolved: &Resolved,
    plan: &Plan,
    dataset: &Dataset,
    target: &ExportTarget,
) -> Result<()> {
    if !resolved.config.check_free_space || RunPaths::new(&resolved.dirs.run_dir).summary().exists()
    {
        return Ok(());
    }
    let mut disks: BTreeMap<u64, (u64, Vec<Need>)> = BTreeMap::new();
    for need in needs(resolved, plan, dataset, target) {
        let path = std::path::absolute(&need.place)?;
        let Some(above) = path.ancestors().find(|p| p.exists()) else {
            continue;
        };
        // A file system that does not report its free space has no limit that could be checked.
        let (Ok(disk), Ok(space)) = (above.metadata(), rustix::fs::statvfs(above)) else {
            continue;
        };
        if space.f_blocks > 0 {
            disks
                .entry(disk.dev())
                .or_insert((space.f_bavail.saturating_mul(space.f_frsize), Vec::new()))
                .1
                .push(need);
        }
    }
    match disks
        .values()
        .find_map(|(free, needs)| shortage(*free, needs))
    {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn needs(resolved: &Resolved, plan: &Plan, dataset: &Dataset, target: &ExportTarget) -> Vec<Need> {
    let plain = |file: &crate::data::InputFile| match file.compression {
        Compression::None => file.bytes,
        _ => file.bytes.saturating_mul(UNPACKED),
    };
    let rows: u64 = dataset.files.iter().map(plain).fold(0, u64::saturating_add);
    let unpacked = dataset
        .files
        .iter()
        .filter(|file| !file.is_splittable())
        .map(plain)
        .fold(0, u64::saturating_add);
    let is_packed = target.compression != Compression::None
        || (target.format == ExportFormat::Parquet && !dataset.is_columnar());
    let directory = target
        .path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    vec![
        Need {
            what: "unpacked input",
            place: resolved.dirs.partition_dir.clone(),
            bytes: unpacked,
        },
        Need {
            what: "checkpoints",
            place: resolved.dirs.checkpoint_dir.clone(),
            bytes: rows_stored(resolved, plan).saturating_mul(rows)
                / match resolved.config.intermediate_storage.compression() {
                    Packing::None => 1,
                    _ => PACKED,
                },
        },
        Need {
            what: "finished partitions",
            place: resolved.dirs.run_dir.clone(),
            bytes: rows,
        },
        Need {
            what: "result",
            place: directory.to_owned(),
            bytes: if is_packed { rows / PACKED } else { rows },
        },
    ]
}

/// How many times all rows are stored on their way, where that is certain: whole rows at the places
/// that the strategy has chosen before the job. Others are what ops change of the rows.
fn rows_stored(resolved: &Resolved, plan: &Plan) -> u64 {
    let storage = &resolved.config.intermediate_storage;
    let is_whole = storage.whole_rows || storage.format == StorageFormat::Jsonl;
    if !is_whole || resolved.config.strategy() == Strategy::Adaptive {
        return 0;
    }
    plan.segments.iter().map(|s| s.stored.len() as u64).sum()
}

fn shortage(free: u64, needs: &[Need]) -> Option<UserError> {
    let all = needs
        .iter()
        .map(|need| need.bytes)
        .fold(0, u64::saturating_add);
    if all <= free {
        return None;
    }
    let parts: Vec<String> = needs
        .iter()
        .filter(|n| n.bytes > 0)
        .map(|n| format!("{} for the {}", bytes(n.bytes), n.what))
        .collect();
    let message = format!(
        "the disk has {} free, and the job would need about {} if it dropped no row: {}",
        bytes(free),
        bytes(all),
        parts.join(", ")
    );
    let place = needs
        .last()
        .map(|need| need.place.display().to_string())
        .unwrap_or_default();
    Some(UserError::new(place, message).hint(
        "free some space, choose another `export_path` or `work_dir`, or set `check_free_space: false` if the operators drop or shorten most rows",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_a_disk_is_added_up() {
        let need = |bytes| Need {
            what: "result",
            place: "out".into(),
            bytes,
        };
        assert!(shortage(100, &[need(40), need(60)]).is_none());
        let error = shortage(99, &[need(40), need(60)]).unwrap().to_string();
        assert!(
            error.starts_with("out: the disk has") && error.contains("check_free_space"),
            "{error}"
        );
        assert!(shortage(u64::MAX - 1, &[need(u64::MAX), need(u64::MAX)]).is_some());
    }
}
