//! Finds the components in the plugin directories.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::component::{Found, Source, read_file};
use super::inspect::{Inspected, inspect};
use super::lock::NAME as LOCK;
use crate::error::{UserError, UserErrors};
use crate::remote::address::{Address, is_address};
use crate::remote::fetch_dir_to_cache;

/// Depth to which plugin directories are searched.
const MAX_DEPTH: usize = 8;

/// A component found there.
pub(crate) struct Component {
    /// The first file with it.
    pub(crate) found: Found,
    /// The result of its inspection; None for a known component, which is not inspected.
    pub(crate) inspected: Option<Inspected>,
    /// Its other files.
    pub(crate) copies: Vec<PathBuf>,
}

/// A file, and the verdict on it if it was the first with its content.
type Looked = (Found, Option<Result<Inspected, UserError>>);

/// The components under `dirs`, sorted by file name, and the errors of the others. Inspects each
/// but compiles none; skips the inspection of those whose bytes `is_known` recognises. Holds as
/// many files in memory as there are cores.
pub(crate) fn read_components(
    dirs: &[PathBuf],
    is_known: impl Fn(&[u8]) -> bool + Sync,
) -> Result<(Vec<Component>, Vec<UserError>)> {
    // The first thread to see a digest inspects it. Which one that is varies, so the verdict
    // belongs to the digest and names no file.
    let seen: Mutex<HashSet<String>> = Mutex::default();
    let read = |path: PathBuf| {
        let bytes = read_file(&path)?;
        let found = Found::file(path, &bytes);
        let is_new = seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(found.digest.clone());
        let inspected = (is_new && !is_known(&bytes)).then(|| inspect(&bytes, ""));
        Ok((found, inspected))
    };
    let read: Vec<Result<Looked, UserError>> =
        find_components(dirs)?.into_par_iter().map(read).collect();
    let mut errors = Vec::new();
    let mut files: Vec<Found> = Vec::new();
    let mut verdicts: BTreeMap<String, Result<Inspected, UserError>> = BTreeMap::new();
    for result in read {
        match result {
            Ok((found, inspected)) => {
                if let Some(inspected) = inspected {
                    verdicts.insert(found.digest.clone(), inspected);
                }
                files.push(found);
            }
            Err(error) => errors.push(error),
        }
    }
    // By digest: the position of its first file among the components or the errors.
    let mut good: BTreeMap<String, usize> = BTreeMap::new();
    let mut bad: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut components: Vec<Component> = Vec::new();
    for found in files {
        if let (Some(first), Source::File(path)) = (good.get(&found.digest), &found.source) {
            components[*first].copies.push(path.clone());
        } else if let Some((_, copies)) = bad.get_mut(&found.digest) {
            *copies += 1;
        } else {
            match verdicts.remove(&found.digest).transpose() {
                Ok(inspected) => {
                    good.insert(found.digest.clone(), components.len());
                    components.push(Component {
                        found,
                        inspected,
                        copies: Vec::new(),
                    });
                }
                Err(error) => {
                    bad.insert(found.digest, (errors.len(), 0));
                    errors.push(UserError {
                        place: found.source.to_string(),
                        ..error
                    });
                }
            }
        }
    }
    for (error, copies) in bad.into_values().filter(|(_, copies)| *copies > 0) {
        errors[error].message += &format!(" (and {copies} more with the same content)");
    }
    Ok((components, errors))
}

/// `dirs`, which were given at `place`, with local copies in place of those that are elsewhere.
pub(crate) fn fetch_remote(dirs: &[PathBuf], place: &str) -> Result<Vec<PathBuf>, UserErrors> {
    let is_component = |name: &str| {
        let path = Path::new(name);
        let is_wanted = path.extension().is_some_and(|e| e == "wasm")
            || path.file_name().is_some_and(|name| name == LOCK);
        is_wanted && is_searched(path)
    };
    let fetch = |dir: &PathBuf| {
        let Some(text) = dir.to_str().filter(|text| is_address(text)) else {
            return Ok(dir.clone());
        };
        let at = |error: UserError| {
            UserErrors(vec![UserError {
                place: place.to_owned(),
                ..error
            }])
        };
        let address = Address::parse_file(text).map_err(at)?;
        let fetched = fetch_dir_to_cache(&address, is_component).map_err(at)?;
        Ok(fetched.path)
    };
    dirs.iter().map(fetch).collect()
}

/// Fails if something of `dirs`, which were given at `place`, is not there.
pub(crate) fn check_dirs(dirs: &[PathBuf], place: &str) -> Result<(), UserErrors> {
    let missing = dirs.iter().filter_map(|dir| {
        let error = std::fs::metadata(dir).err()?;
        let message = format!("the directory `{}` cannot be read: {error}", dir.display());
        // One value for several, in the manner of PATH.
        let is_joined = dir.to_string_lossy().contains([':', ',']);
        Some(UserError::new(place, message).hint(match is_joined {
            true => "several directories are written as a list: `[first, second]`",
            false => "give a directory with operator components (`*.wasm`), or one such file",
        }))
    });
    let missing: Vec<UserError> = missing.collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(UserErrors(missing))
    }
}

/// The `.wasm` files under `dirs`, sorted by name; a path to a file is that file.
pub(crate) fn find_components(dirs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for dir in dirs {
        let place = || format!("--plugins {}", dir.display());
        let meta = std::fs::metadata(dir)
            .map_err(|e| UserError::new(place(), format!("this directory cannot be read: {e}")))?;
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

/// Whether a search from a directory reaches the file at `below` in it.
pub(crate) fn is_searched(below: &Path) -> bool {
    let names: Vec<_> = below.components().map(|c| c.as_os_str()).collect();
    let Some((file, dirs)) = names.split_last() else {
        return false;
    };
    dirs.len() <= MAX_DEPTH && !is_hidden(file) && dirs.iter().all(|dir| is_entered(dir))
}

fn is_hidden(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with('.')
}

/// Skips `target`, where cargo keeps core modules and copies of components.
fn is_entered(dir: &OsStr) -> bool {
    !is_hidden(dir) && dir != "target" && dir != "node_modules"
}

fn walk(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(dir).map_err(|e| {
        UserError::new(
            dir.display().to_string(),
            format!("this directory cannot be read: {e}"),
        )
    })?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() && is_entered(&name) && depth < MAX_DEPTH {
            walk(&path, depth + 1, found)?;
        } else if !is_hidden(&name)
            && path.extension().is_some_and(|e| e == "wasm")
            && path.is_file()
        {
            found.push(path);
        }
    }
    Ok(())
}
