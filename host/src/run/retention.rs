//! Decides which intermediate data stay when a job is complete.

use anyhow::{Context, Result};

use crate::config::{Config, Retention, TraceMode};
use crate::rundir::storage::clean_temporary;
use crate::rundir::{RunPaths, Storage};

/// Removes what the recipe does not keep. Called after the export and the summary are committed, so
/// a kill on the way only leaves files behind.
pub(crate) fn apply(config: &Config, paths: &RunPaths, storage: &Storage) -> Result<()> {
    clean_temporary(paths, storage)?;
    // The parts hold the export a second time. Their manifests stay: they say that the job is done.
    remove_files(&paths.parts(), storage, |name| !RunPaths::is_manifest(name))?;
    let keep = keeps(config);
    if !keep {
        // Manifests first: data without a manifest do not count.
        remove_files(&paths.checkpoints(), storage, RunPaths::is_manifest)?;
        remove_files(&paths.checkpoints(), storage, |_| true)?;
        remove_files(&paths.discarded(), storage, |_| true)?;
    }
    if !keep || (paths.is_temporary() && config.trace == TraceMode::Off) {
        // Rows that a program gave: it has them, and nobody will ask what became of them.
        remove_files(&paths.data(), storage, RunPaths::is_given_rows)?;
    }
    if !keep || !config.intermediate_storage.keep_unpacked_inputs {
        // Here, too, manifests first.
        remove_files(&paths.partitions(), storage, |name| {
            RunPaths::is_of_unpacked_input(name) && RunPaths::is_manifest(name)
        })?;
        remove_files(&paths.partitions(), storage, RunPaths::is_of_unpacked_input)?;
    }
    Ok(())
}

/// Whether a complete job keeps its intermediate data.
fn keeps(config: &Config) -> bool {
    match config.intermediate_storage.retention_policy {
        Retention::KeepAll => config.intermediate_storage.preserve_intermediate_data,
        Retention::KeepFailedOnly | Retention::CleanupAll => false,
    }
}

/// Does not put into the bucket what [`apply`] is going to remove. Called when the export is in its
/// place. (If the job is killed before it is complete, the work that this would have kept is done
/// again: no more than what a mirror lets wait.)
pub(crate) fn spare_uploads(config: &Config, paths: &RunPaths) {
    let keeps = keeps(config);
    if let Some(mirror) = paths.mirror() {
        mirror.forget_unsent(|key| {
            RunPaths::is_rows_of_part(key) || !keeps && RunPaths::is_of_checkpoint(key)
        });
    }
}

/// Removes files of a directory, and waits for the disk once: there may be very many.
fn remove_files(
    dir: &std::path::Path,
    storage: &Storage,
    which: impl Fn(&str) -> bool,
) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Ok(());
    };
    let mut has_removed = false;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list `{}`", dir.display()))?;
        // What is in a bucket alone is a link here.
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_dir && which(&entry.file_name().to_string_lossy()) {
            has_removed |= storage.remove_unsynced(&entry.path())?;
        }
    }
    match has_removed {
        true => storage.sync_dir(dir),
        false => Ok(()),
    }
}
