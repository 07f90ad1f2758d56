//! Where the copies of run directories are: in the user's cache, named by their addresses.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::error::UserError;
use crate::remote::address::{Address, Scheme};
use crate::remote::cache_home;

/// The directory in which a job works whose run directory is at `address`. Makes nothing.
pub(crate) fn mirror_dir(address: &Address) -> Result<PathBuf, UserError> {
    below("mirrors", address)
}

/// The directory of the copy that commands look at.
pub(super) fn view_dir(address: &Address) -> Result<PathBuf, UserError> {
    below("views", address)
}

/// The directories that hold all of these.
pub(super) fn all_copies() -> Result<[PathBuf; 2], UserError> {
    let cache = cache()?;
    Ok([cache.join("mirrors"), cache.join("views")])
}

fn cache() -> Result<PathBuf, UserError> {
    cache_home().ok_or_else(|| {
        UserError::new(
            "work_dir",
            "there is no place for a copy of the run directory on this machine",
        )
        .hint("set XDG_CACHE_HOME or HOME")
    })
}

fn below(kind: &str, address: &Address) -> Result<PathBuf, UserError> {
    let scheme = match address.scheme {
        Scheme::Gcs => "gs",
        Scheme::Azure => "az",
        _ => "s3",
    };
    let dir = cache()?.join(kind).join(scheme).join(&address.host);
    Ok(dir.join(&address.key))
}

/// Makes a directory that only this user can enter, and those above it.
pub(super) fn make_private(dir: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot create `{}`", dir.display()))
}
