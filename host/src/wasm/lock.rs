//! `plugins.lock` pins the components of a plugin directory. A run with others is refused.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::component::read_file;
use super::find::{find_components, is_searched};
use crate::error::{UserError, UserErrors};
use crate::rundir::Storage;
use crate::rundir::own_files::read_regular;

/// Name of the file in a plugin directory.
pub(super) const NAME: &str = "plugins.lock";
const FORMAT_VERSION: u32 = 1;

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginsLock {
    format_version: u32,
    /// By path relative to the directory.
    components: BTreeMap<String, Pinned>,
}

/// One component.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    sha256: String,
    bytes: u64,
}

/// Pins the components under `dir`; returns the path of the file and their number.
pub(crate) fn lock_plugins(dir: &Path) -> Result<(PathBuf, usize)> {
    if !dir.is_dir() {
        return Err(UserError::new(
            "--plugins",
            format!("`{}` is not a directory", dir.display()),
        )
        .into());
    }
    let components = find_components(&[dir.to_path_buf()])?
        .into_iter()
        .map(|path| {
            Ok((
                path.strip_prefix(dir)
                    .unwrap_or(&path)
                    .display()
                    .to_string(),
                pin(&path)?,
            ))
        })
        .collect::<Result<BTreeMap<_, _>>>()?;
    let (path, count) = (dir.join(NAME), components.len());
    let text = serde_json::to_string_pretty(&PluginsLock {
        format_version: FORMAT_VERSION,
        components,
    })? + "\n";
    // Replaces the file, so a link of that name is replaced and its target is not changed.
    let mut new = Storage::new().create_with_mode(&path, 0o644)?;
    new.write_all(text.as_bytes())?;
    new.commit()?;
    Ok((path, count))
}

/// Checks the components under `dirs` against lock files. A lock applies to everything that a
/// search from its directory finds, whatever path named it: the locks of all directories above a
/// component count, including those above `dirs`. Components that no lock covers are not checked.
/// Called before any of them is compiled.
pub(crate) fn check_locks(dirs: &[PathBuf]) -> Result<()> {
    let mut locks = Locks::default();
    let mut errors = Vec::new();
    for given in dirs {
        let root = real(if given.is_file() {
            parent(given)
        } else {
            given
        })?;
        let mut seen = BTreeSet::new();
        for path in find_components(std::slice::from_ref(given))? {
            // A link to a file counts under its own name, one to a directory under its target's.
            let found = real(parent(&path))?.join(path.file_name().unwrap_or_default());
            let pinned = OnceCell::new();
            for above in found.ancestors().skip(1) {
                let (Some(lock), Ok(below)) = (locks.of(above)?, found.strip_prefix(above)) else {
                    continue;
                };
                if !is_searched(below) {
                    continue;
                }
                let pinned = match pinned.get() {
                    Some(known) => known,
                    None => {
                        let new = pin(&path)?;
                        pinned.get_or_init(|| new)
                    }
                };
                let name = if above == root {
                    NAME.to_owned()
                } else {
                    above.join(NAME).display().to_string()
                };
                let what = match lock.components.get(&below.display().to_string()) {
                    Some(before) if before == pinned => continue,
                    Some(before) => format!(
                        "this plugin has changed: its sha256 is {}, `{name}` has {}",
                        pinned.sha256, before.sha256
                    ),
                    None => format!("`{name}` does not have this plugin"),
                };
                errors.push(UserError::new(path.display().to_string(), what).hint(REMAKE));
            }
            seen.insert(found);
        }
        if given.is_dir() {
            root.ancestors()
                .try_for_each(|above| locks.of(above).map(drop))?;
            for (dir, lock) in &locks.0 {
                let names = lock.iter().flat_map(|lock| lock.components.keys());
                let gone = names.filter(|name| {
                    dir.join(name).starts_with(&root) && !seen.contains(&dir.join(name))
                });
                let place = match dir.strip_prefix(&root) {
                    Ok(below) => given.join(below).join(NAME),
                    Err(_) => dir.join(NAME),
                };
                errors.extend(gone.map(|name| {
                    UserError::new(
                        place.display().to_string(),
                        format!("its plugin `{name}` has gone"),
                    )
                    .hint(REMAKE)
                }));
            }
        }
    }
    const SHOWN: usize = 20;
    let more = errors.len().saturating_sub(SHOWN);
    if more > 0 {
        errors.truncate(SHOWN);
        errors.push(UserError::new(
            "",
            format!("and {more} more plugins that are not as they were pinned"),
        ));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(UserErrors(errors).into())
    }
}

/// The lock files, each read once.
#[derive(Default)]
struct Locks(BTreeMap<PathBuf, Option<PluginsLock>>);

impl Locks {
    /// The lock of `dir`, if it has one.
    fn of(&mut self, dir: &Path) -> Result<Option<&PluginsLock>> {
        if !self.0.contains_key(dir) {
            self.0.insert(dir.to_owned(), read(&dir.join(NAME))?);
        }
        Ok(self.0.get(dir).and_then(Option::as_ref))
    }
}

/// Bytes of a lock file: some hundred for each component.
const MAX_LOCK: u64 = 64 << 20;

fn read(path: &Path) -> Result<Option<PluginsLock>> {
    let bad = |message: String| UserError::new(path.display().to_string(), message);
    if path.metadata().is_ok_and(|lock| is_planted(path, &lock)) {
        return Ok(None);
    }
    let text = match read_regular(path, MAX_LOCK) {
        Ok(text) => text,
        // An unreadable directory above pins nothing that could be found.
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
            ) =>
        {
            return Ok(None);
        }
        Err(e) => return Err(bad(format!("this file cannot be read: {e}")).into()),
    };
    let lock: PluginsLock = serde_json::from_slice(&text)
        .map_err(|e| bad(format!("this is no lock file: {e}")).hint(REMAKE))?;
    if lock.format_version != FORMAT_VERSION {
        return Err(bad(format!(
            "its format version is {}, this program knows {FORMAT_VERSION}",
            lock.format_version
        ))
        .hint(REMAKE)
        .into());
    }
    Ok(Some(lock))
}

/// Whether it is somebody else's file in a directory where all may write, such as `/tmp`: that must
/// not stop anybody's jobs.
fn is_planted(path: &Path, lock: &Metadata) -> bool {
    const EVERYBODYS: u32 = 0o1002;
    let user = rustix::process::geteuid().as_raw();
    parent(path)
        .metadata()
        .is_ok_and(|dir| dir.mode() & EVERYBODYS == EVERYBODYS)
        && lock.uid() != user
        && lock.uid() != 0
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn real(dir: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(dir).with_context(|| format!("cannot look at `{}`", dir.display()))
}

const REMAKE: &str = "if that is meant, pin what is there with `djhost ops lock`, or go without with `--check_plugins_lock false`";

fn pin(path: &Path) -> Result<Pinned> {
    let bytes = read_file(path)?;
    Ok(Pinned {
        sha256: format!("{:x}", Sha256::digest(&bytes)),
        bytes: bytes.len() as u64,
    })
}
