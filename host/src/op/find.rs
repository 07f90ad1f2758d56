//! The components in the plugin directories.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::component::{Found, Source};
use crate::error::UserError;

/// Bytes of a component; an interpreter with its library has some ten million.
const MAX_COMPONENT: u64 = 512 << 20;
/// Depth to which plugin directories are searched.
const MAX_DEPTH: usize = 8;

/// The components under `dirs`, in the order of the names of their files.
pub(super) fn read_components(dirs: &[PathBuf]) -> Result<Vec<Found>> {
    let read = |path: PathBuf| {
        let place = path.display().to_string();
        let size = std::fs::metadata(&path).map_or(0, |m| m.len());
        if size > MAX_COMPONENT {
            return Err(UserError::new(place, format!("this plugin has {size} bytes; {MAX_COMPONENT} are allowed")).into());
        }
        let bytes = std::fs::read(&path).map_err(|e| UserError::new(place, format!("this plugin cannot be read: {e}")))?;
        Ok(Found::new(Source::File(path), bytes))
    };
    find_components(dirs)?.into_iter().map(read).collect()
}

/// The `.wasm` files under `dirs`, in the order of their names; a file stands for itself.
pub(super) fn find_components(dirs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for dir in dirs {
        let place = || format!("--plugins {}", dir.display());
        let meta = std::fs::metadata(dir).map_err(|e| UserError::new(place(), format!("this directory cannot be read: {e}")))?;
        if meta.is_file() {
            found.push(dir.clone());
            continue;
        }
        let before = found.len();
        walk(dir, 0, &mut found).with_context(place)?;
        if found.len() == before {
            tracing::warn!("no `.wasm` file under {}", dir.display());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(dir).map_err(|e| UserError::new(dir.display().to_string(), format!("this directory cannot be read: {e}")))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let hidden = name.to_string_lossy().starts_with('.');
        // `target` holds what cargo makes on the way to a component: core modules and copies.
        let kind = entry.file_type()?;
        if kind.is_dir() && !hidden && name != "target" && name != "node_modules" && depth < MAX_DEPTH {
            walk(&path, depth + 1, found)?;
        } else if !hidden && path.extension().is_some_and(|e| e == "wasm") && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}
