//! `plugins.lock`: which components a plugin directory had when somebody looked at them. A run with others is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::find::find_components;
use crate::error::{UserError, UserErrors};

/// The file in a plugin directory.
const NAME: &str = "plugins.lock";
const FORMAT_VERSION: u32 = 1;

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginsLock {
    format_version: u32,
    /// By path below the directory.
    components: BTreeMap<String, Pinned>,
}

/// One component.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    sha256: String,
    bytes: u64,
}

/// Pins the components under `dir`; gives the path of the file and how many there are.
pub fn lock_plugins(dir: &Path) -> Result<(PathBuf, usize)> {
    if !dir.is_dir() {
        return Err(UserError::new("--plugins", format!("`{}` is not a directory", dir.display())).into());
    }
    let components = pinned(dir)?;
    let (path, count) = (dir.join(NAME), components.len());
    let text = serde_json::to_string_pretty(&PluginsLock { format_version: FORMAT_VERSION, components })? + "\n";
    std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok((path, count))
}

/// Whether the components under `dirs` are those that their directories' lock files pin. Directories without such a file are not checked; of a
/// single component its directory's file counts. Called before any of them is compiled.
pub fn check_locks(dirs: &[PathBuf]) -> Result<()> {
    let mut errors = Vec::new();
    for given in dirs {
        let dir = if given.is_file() { given.parent().unwrap_or(Path::new("")) } else { given };
        let path = dir.join(NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(UserError::new(path.display().to_string(), format!("this file cannot be read: {e}")).into()),
        };
        let lock: PluginsLock = serde_json::from_str(&text)
            .map_err(|e| UserError::new(path.display().to_string(), format!("this is no lock file: {e}")).hint(REMAKE))?;
        if lock.format_version != FORMAT_VERSION {
            let message = format!("its format version is {}, this program knows {FORMAT_VERSION}", lock.format_version);
            errors.push(UserError::new(path.display().to_string(), message).hint(REMAKE));
            continue;
        }
        let found = pinned(given)?;
        for (name, component) in &found {
            let what = match lock.components.get(name) {
                Some(pinned) if pinned == component => continue,
                Some(pinned) => format!("this plugin has changed: its sha256 is {}, `{NAME}` has {}", component.sha256, pinned.sha256),
                None => format!("`{NAME}` does not have this plugin"),
            };
            errors.push(UserError::new(dir.join(name).display().to_string(), what).hint(REMAKE));
        }
        if given.is_dir() {
            let gone = lock.components.keys().filter(|name| !found.contains_key(*name));
            errors
                .extend(gone.map(|name| UserError::new(path.display().to_string(), format!("its plugin `{name}` has gone")).hint(REMAKE)));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(UserErrors(errors).into()) }
}

const REMAKE: &str = "if that is meant, pin what is there with `djhost ops lock`, or go without with `--check_plugins_lock false`";

/// The components under a directory, or a single one, by their path below the directory.
fn pinned(given: &Path) -> Result<BTreeMap<String, Pinned>> {
    let dir = if given.is_file() { given.parent().unwrap_or(Path::new("")) } else { given };
    find_components(&[given.to_path_buf()])?
        .into_iter()
        .map(|path| {
            let bytes =
                std::fs::read(&path).map_err(|e| UserError::new(path.display().to_string(), format!("this plugin cannot be read: {e}")))?;
            let name = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
            Ok((name, Pinned { sha256: format!("{:x}", Sha256::digest(&bytes)), bytes: bytes.len() as u64 }))
        })
        .collect()
}
