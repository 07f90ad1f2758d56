//! The copy that a process on a node of a cluster works in, if the run directory is in a bucket.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::remote::address::Address;
use crate::rundir::mirror::Mirror;
use crate::rundir::{RunPaths, StopFlag};

/// The one of this process. It is no part of the job: what ends the job ends threads that still use it.
static COPY: Mutex<Option<TempDir>> = Mutex::new(None);

/// Makes the copy of the run directory at `address`, with what the job is planned by.
pub(super) fn of(address: &str) -> Result<RunPaths> {
    let address = Address::parse(address)?;
    let dir = tempfile::Builder::new()
        .prefix("djhost-run-")
        .tempdir()
        .context("cannot create a directory for a copy of the run directory")?;
    let name = address.key.trim_end_matches('/').rsplit('/').next();
    // The job has its name.
    let root = dir.path().join(name.unwrap_or_default());
    *COPY.lock().unwrap_or_else(PoisonError::into_inner) = Some(dir);
    let paths = RunPaths::new(&root);
    paths.create()?;
    let mirror = Mirror::follow(&address, &root, &StopFlag::new())
        .with_context(|| format!("cannot read the run directory `{address}`"))?;
    Ok(paths.mirrored(mirror))
}

/// Removes it.
pub(super) fn remove() {
    // An error leaves it to who cleans the directory for temporary files.
    drop(COPY.lock().unwrap_or_else(PoisonError::into_inner).take());
}
