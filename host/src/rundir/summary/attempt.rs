//! The attempts at a job.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::Status;
use crate::rundir::paths::RunPaths;
use crate::rundir::process::ProcessId;

/// One process that worked on the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Number of the attempt: 1, 2, …
    pub attempt: u32,
    /// When it began, seconds since 1970.
    pub start_time: f64,
    /// When it ended, seconds since 1970; None while it runs or if it died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<f64>,
    /// When an attempt that died last wrote to its events or log, seconds since 1970. A later
    /// attempt fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<f64>,
    /// How it ended; `running` while it runs or if it died.
    pub status: Status,
    /// The process.
    pub process: ProcessId,
    /// Name of its event file.
    #[serde(default)]
    pub event_log_file: String,
}

/// Returns when an attempt that died last wrote to its events or its log.
pub(super) fn last_seen(paths: &RunPaths, died: &Attempt) -> Option<f64> {
    // The name comes from a file: use only its last component.
    let events = Path::new(&died.event_log_file)
        .file_name()
        .map(|name| paths.root().join(name));
    let written = |path: PathBuf| {
        let modified = path.metadata().ok()?.modified().ok()?;
        Some(modified.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
    };
    let times = [events, Some(paths.log(died.attempt))]
        .into_iter()
        .flatten()
        .filter_map(written);
    times.reduce(f64::max).map(|seen| seen.max(died.start_time))
}
