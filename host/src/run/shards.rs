//! Shards and whole results: a job that writes `r.jsonl` in shards makes `r-00-of-05.jsonl`, which
//! may be the whole result of another job. Each has a lock for its own path only, so each looks at
//! the locks of the others, once it has its own: of two jobs at least one sees the other.

use std::path::Path;

use crate::data::ExportTarget;
use crate::error::UserError;
use crate::rundir::{ExportLock, ExportOwner};

/// The job, apart from that of `run_dir`, that is writing shards of which `target` has the name, or
/// a file that has the name of one of the shards of `target`.
pub(crate) fn rival(target: &ExportTarget, run_dir: &Path) -> Option<ExportOwner> {
    let directory = target
        .path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let is_rival = |other: &ExportOwner| match (target.has_shards(), other.has_shards) {
        (true, false) => target.is_shard(&other.export_path),
        (false, true) if target.split.is_none() => ExportTarget {
            path: other.export_path.clone(),
            ..target.clone()
        }
        .is_shard(&target.path),
        // Shards of shards have longer names.
        _ => false,
    };
    ExportLock::holders(directory).find(|other| other.run_dir != run_dir && is_rival(other))
}

/// Fails if there is such a job.
pub(crate) fn check(target: &ExportTarget, run_dir: &Path) -> Result<(), UserError> {
    let Some(rival) = rival(target, run_dir) else {
        return Ok(());
    };
    let place = format!("export_path `{}`", target.path.display());
    let theirs = rival.export_path.display();
    let what = match rival.has_shards {
        true => format!("is writing `{theirs}` in shards, and this is the name of one"),
        false => format!("is writing `{theirs}`, and this is the name of one of the shards"),
    };
    Err(rival.refusal(place, &what))
}
