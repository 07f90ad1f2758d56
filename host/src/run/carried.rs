//! What the nodes of a cluster get with the program: plugins, and small files that operators read. So
//! they need not see them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Prepared;
use crate::exec::workers::Tree;
use crate::plan::lineage_key::KeyBuilder;
use crate::remote::address::is_address;
use crate::rundir::checksum::checksum;

/// What a directory, file or model may have, in bytes: more is not sent to each node. It has to be
/// where all nodes see it.
const MOST_BYTES: u64 = 64 << 20;
/// Most files of a directory.
const MOST_FILES: usize = 1000;

/// Everything that is sent, by directory.
pub(super) fn trees(prepared: &Prepared) -> Result<Vec<Tree>> {
    let mut dirs: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    let plugins = prepared.resolved.config.plugins.0.iter();
    for dir in plugins.filter(|dir| !is_address(dir)) {
        let dir = std::path::absolute(dir)?;
        let of_plugins = |file: &Path| {
            let extension = file.extension().and_then(|e| e.to_str());
            matches!(extension, Some("wasm" | "lock"))
        };
        add_dir(&mut dirs, &dir, of_plugins);
    }
    for op in &prepared.plan.ops {
        for pool in std::iter::once(&op.pool).chain(&op.fallbacks) {
            for path in &pool.grants().sources {
                match path.is_dir() {
                    true => add_dir(&mut dirs, path, |_| true),
                    false => add_file(&mut dirs, path),
                }
            }
            for granted in pool.grants().models.iter().filter(|m| m.address.is_none()) {
                add_file(&mut dirs, &std::path::absolute(&granted.model.path)?);
            }
        }
    }
    dirs.into_iter()
        .map(|(dir, files)| tree(dir, files))
        .collect()
}

fn add_file(dirs: &mut BTreeMap<PathBuf, BTreeSet<PathBuf>>, file: &Path) {
    let is_small = file.metadata().is_ok_and(|meta| meta.len() <= MOST_BYTES);
    if let (Some(dir), Some(name), true) = (file.parent(), file.file_name(), is_small) {
        let files = dirs.entry(dir.to_owned()).or_default();
        files.insert(PathBuf::from(name));
    }
}

/// Adds the files of a directory that are `wanted`, unless they are many, large or linked.
fn add_dir(
    dirs: &mut BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    dir: &Path,
    wanted: impl Fn(&Path) -> bool,
) {
    let (mut files, mut open, mut bytes) = (BTreeSet::new(), vec![dir.to_owned()], 0);
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            return;
        };
        for entry in entries {
            let Ok((path, meta)) = entry.and_then(|e| Ok((e.path(), e.metadata()?))) else {
                return;
            };
            if meta.is_dir() {
                open.push(path);
            } else if wanted(&path) {
                bytes += meta.len();
                let below = path.strip_prefix(dir).unwrap_or(&path);
                files.insert(below.to_owned());
                if !meta.is_file() || bytes > MOST_BYTES || files.len() > MOST_FILES {
                    return;
                }
            }
        }
    }
    dirs.entry(dir.to_owned()).or_default().extend(files);
}

/// The directory with its content: the nodes have it under a name that says what is in it.
fn tree(dir: PathBuf, files: BTreeSet<PathBuf>) -> Result<Tree> {
    let mut key = KeyBuilder::new("carried");
    for file in &files {
        let path = dir.join(file);
        let content = File::open(&path).and_then(checksum);
        let (sum, bytes) = content.with_context(|| format!("cannot read `{}`", path.display()))?;
        key = key
            .with(file.to_string_lossy().as_bytes())
            .number(bytes)
            .with(sum);
    }
    Ok(Tree {
        name: key.key().as_str()[..32].to_owned(),
        dir,
        files: files.into_iter().collect(),
    })
}
