//! Makes the copy what the bucket has.

use std::collections::{BTreeMap, HashSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::Remote;
use super::absent;
use super::index::Index;
use crate::remote::{Listed, Version};
use crate::rundir::Storage;
use crate::rundir::own_files::open_own;
use crate::rundir::paths::RunPaths;
use crate::threads::pool;

/// Objects that are fetched at a time.
const AT_ONCE: usize = 8;

/// What a copy of a growing file has.
pub(super) struct Grown {
    /// Its name in the run directory.
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) pieces: u32,
}

/// What one call fetches.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// A directory of the run directory; empty: itself.
    pub(super) dir: &'a str,
    /// Whether also what is in directories in it.
    pub(super) deep: bool,
    /// Whether an object that changes meanwhile is left for the next time.
    pub(super) is_written: bool,
    /// Whether what a manifest names is left where it is, until somebody [brings](bring) it.
    pub(super) leaves_data: bool,
}

/// Fetches what is not there or another one, removes what the bucket does not have.
pub(super) fn pull(remote: &Remote, index: &Mutex<Index>, part: Part<'_>) -> Result<Vec<Grown>> {
    let (files, pieces) = sort(remote.bucket.list(part.dir, part.deep)?);
    let kept: HashSet<&str> = files
        .iter()
        .map(|file| file.key.as_str())
        .chain(pieces.keys().map(String::as_str))
        .collect();
    forget_others(remote, index, part, &kept)?;
    let is_there = |file: &&Listed| {
        let there = remote.root.join(&file.key).symlink_metadata();
        there.is_ok_and(|meta| meta.is_file() && meta.len() == file.bytes) && lock(index).has(file)
    };
    let missing = files.iter().filter(|file| !is_there(file));
    let (left, missing): (Vec<&Listed>, Vec<&Listed>) =
        missing.partition(|file| part.leaves_data && RunPaths::is_named_by_manifest(&file.key));
    for file in left {
        let path = remote.root.join(&file.key);
        make_parent(&path)?;
        absent::put(&path, file.bytes)?;
        lock(index).leave(file);
    }
    let threads = pool(AT_ONCE.min(missing.len() + pieces.len()), "djhost-fetch")?;
    threads.install(|| {
        missing.par_iter().try_for_each(|file| {
            match fetch(remote, file) {
                Err(error) if part.is_written && has_changed(&error) => return anyhow::Ok(()),
                fetched => fetched?,
            }
            let version = Version::of_tag(file.tag.clone().unwrap_or_default());
            lock(index).insert(&file.key, file.bytes, version);
            Ok(())
        })
    })?;
    let grown: Vec<_> = pieces.into_iter().collect();
    threads.install(|| {
        grown
            .into_par_iter()
            .map(|(key, pieces)| {
                let grown = grow(remote, key, &pieces)?;
                let mut index = lock(index);
                for (_, piece) in pieces
                    .iter()
                    .filter(|(_, piece)| !index.has(piece))
                    .collect::<Vec<_>>()
                {
                    let version = Version::of_tag(piece.tag.clone().unwrap_or_default());
                    index.insert(&piece.key, piece.bytes, version);
                }
                Ok(grown)
            })
            .collect()
    })
}

/// Fetches the file at `key`, if the copy does not have it.
pub(super) fn bring(remote: &Remote, index: &Mutex<Index>, key: &str) -> Result<()> {
    let file = lock(index).absent(key).cloned();
    // In its place may be another one by now, which is still on its way to the bucket.
    let is_absent = |_: &Listed| absent::size(&remote.root.join(key)).is_some();
    let Some(file) = file.filter(is_absent) else {
        return Ok(());
    };
    fetch(remote, &file)?;
    let version = Version::of_tag(file.tag.clone().unwrap_or_default());
    lock(index).insert(key, file.bytes, version);
    Ok(())
}

fn lock(index: &Mutex<Index>) -> std::sync::MutexGuard<'_, Index> {
    index
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

type Pieces = BTreeMap<String, Vec<(u32, Listed)>>;

/// Tells files from the pieces of those that grow, which are in their order then.
fn sort(listed: Vec<Listed>) -> (Vec<Listed>, Pieces) {
    let (mut files, mut pieces) = (Vec::new(), Pieces::new());
    for object in listed {
        match RunPaths::of_piece(&object.key) {
            Some((key, number)) => {
                let key = key.to_owned();
                pieces.entry(key).or_default().push((number, object));
            }
            None if RunPaths::is_mirrored(&object.key) => files.push(object),
            None => {}
        }
    }
    pieces
        .values_mut()
        .for_each(|pieces| pieces.sort_by_key(|(number, _)| *number));
    (files, pieces)
}

fn forget_others(
    remote: &Remote,
    index: &Mutex<Index>,
    part: Part<'_>,
    kept: &HashSet<&str>,
) -> Result<()> {
    let mut open = vec![remote.root.join(part.dir)];
    while let Some(dir) = open.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.with_context(|| format!("cannot list `{}`", dir.display()))?,
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list `{}`", dir.display()))?;
            let path = entry.path();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let Some(key) = remote.key(&path) else {
                continue;
            };
            if is_dir {
                if part.deep {
                    open.push(path);
                }
            } else if RunPaths::is_mirrored(&key) && !kept.contains(key.as_str()) {
                Storage::temporary().remove_unsynced(&path)?;
                lock(index).remove(&key);
            }
        }
    }
    Ok(())
}

fn fetch(remote: &Remote, file: &Listed) -> Result<()> {
    let path = remote.root.join(&file.key);
    let context = || format!("cannot fetch `{}`", remote.bucket.address(&file.key));
    make_parent(&path)?;
    let mut to = Storage::temporary().create(&path)?;
    remote.bucket.fetch(file, &mut to).with_context(context)?;
    to.commit_unsynced()
}

/// Appends the pieces that the copy does not have.
fn grow(remote: &Remote, key: String, pieces: &[(u32, Listed)]) -> Result<Grown> {
    let path = remote.root.join(&key);
    let has = path.metadata().map_or(0, |meta| meta.len());
    let mut sum = 0;
    let ends = pieces.iter().map(|(_, piece)| {
        sum += piece.bytes;
        sum
    });
    let ends: Vec<u64> = ends.collect();
    let known = ends
        .iter()
        .position(|end| *end == has)
        .map_or(0, |at| at + 1);
    let bytes = ends.last().copied().unwrap_or(0);
    if known < pieces.len() {
        make_parent(&path)?;
        let context = || format!("cannot write `{}`", path.display());
        let mut options = OpenOptions::new();
        let mut file = open_own(&path, options.create(true).append(true)).with_context(context)?;
        if known == 0 {
            file.set_len(0).with_context(context)?;
        }
        for (_, piece) in &pieces[known..] {
            let mut content = Vec::new();
            remote
                .bucket
                .fetch(piece, &mut content)
                .with_context(|| format!("cannot fetch `{}`", remote.bucket.address(&piece.key)))?;
            file.write_all(&content).with_context(context)?;
        }
    }
    Ok(Grown {
        key,
        bytes,
        pieces: pieces.last().map_or(0, |(number, _)| number + 1),
    })
}

fn make_parent(path: &Path) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create `{}`", dir.display()))
}

/// Whether an object was replaced or removed after it was listed.
pub(crate) fn has_changed(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, NotFound};
    let mut causes = error.chain().filter_map(|e| e.downcast_ref());
    causes.any(|e: &std::io::Error| matches!(e.kind(), InvalidData | NotFound))
}
