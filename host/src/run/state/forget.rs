//! `--fresh`: starts a job over.

use anyhow::{Context, Result};

use crate::rundir::RunPaths;

/// Removes everything that earlier attempts left, except the lock.
pub(crate) fn forget(paths: &RunPaths) -> Result<()> {
    let entries = std::fs::read_dir(paths.root())
        .with_context(|| format!("cannot list `{}`", paths.root().display()))?;
    // The summary goes first: without it, there is no job to continue.
    paths.storage().remove(&paths.summary())?;
    for entry in entries {
        let path = entry?.path();
        if path == paths.lock() {
            continue;
        }
        let known = paths.directories();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let removed = if known.contains(&path) && path.is_symlink() {
            // The place that the recipe asked for.
            let there = std::fs::canonicalize(&path).and_then(std::fs::remove_dir_all);
            there
                .and_then(|()| std::fs::remove_file(&path))
                .or_else(|_| std::fs::remove_file(&path))
        } else if known.contains(&path) {
            std::fs::remove_dir_all(&path)
        } else if RunPaths::is_event_file(&name)
            || path == paths.plan()
            || path == paths.stop_request()
        {
            std::fs::remove_file(&path)
        } else {
            // A file of someone else.
            Ok(())
        };
        match removed {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("cannot remove `{}`", path.display()));
            }
            _ => {}
        }
    }
    match paths.mirror() {
        Some(mirror) => mirror.forget_removed(),
        None => Ok(()),
    }
}
