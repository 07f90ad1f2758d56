//! `metadata/uploads.json`: uploads of the export that were begun. A bucket keeps their parts, and
//! bills them, until they are finished or aborted.

use anyhow::{Context, Result};

use crate::remote::Unfinished;
use crate::rundir::RunPaths;

/// Says that just these uploads are under way.
pub(super) fn record(paths: &RunPaths, unfinished: &[Unfinished]) -> Result<()> {
    match unfinished {
        [] => paths.storage().remove(&paths.uploads())?,
        _ => paths.storage().write_json(&paths.uploads(), &unfinished)?,
    }
    paths.flush()
}

/// Removes what the uploads of a killed attempt have left. Only the holder of the job's lock may
/// call this.
pub(super) fn abort_unfinished(paths: &RunPaths) -> Result<()> {
    let file = paths.uploads();
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e).with_context(|| format!("cannot read `{}`", file.display())),
    };
    let left: Vec<Unfinished> = serde_json::from_slice(&bytes)
        .with_context(|| format!("`{}` is damaged", file.display()))?;
    for upload in &left {
        upload.abort()?;
    }
    record(paths, &[])
}
