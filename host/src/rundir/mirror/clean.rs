//! What killed jobs leave: in a bucket parts of uploads and objects that no manifest names, and on
//! this machine copies of run directories.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rayon::prelude::*;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use super::lease::{Lease, Watched};
use super::place::all_copies;
use crate::error::UserError;
use crate::remote::address::Address;
use crate::remote::{Bucket, Unfinished, unfinished, unfinished_below};
use crate::rundir::Storage;
use crate::rundir::events::now;
use crate::rundir::lock::{FORMAT_VERSION, Holder, Liveness};
use crate::rundir::own_files::open_regular;
use crate::rundir::paths::RunPaths;
use crate::rundir::process::{ProcessId, host_name};
use crate::rundir::shard_name::{is_shard_name, shard_start};
use crate::rundir::stop_request::StopFlag;
use crate::threads::pool;

/// Objects that are read or removed at a time.
const AT_ONCE: usize = 8;

/// What can be removed of one run directory in a bucket.
pub(crate) struct Leftovers {
    /// The run directory.
    pub(crate) address: Address,
    /// Objects that no manifest names, by their names in it, and their bytes.
    pub(crate) objects: Vec<(String, u64)>,
    /// Uploads to it, or of the job's export, that were begun and not finished.
    pub(crate) uploads: Vec<Unfinished>,
    /// The run that holds its lease: then nothing is removed.
    pub(crate) is_running: bool,
}

/// Looks for what can be removed of the run directories at and below `address`. Removes nothing.
pub(crate) fn leftovers(address: &Address) -> Result<Vec<Leftovers>> {
    let at = |e: crate::remote::Failure| e.at(address.to_string());
    let above = Bucket::new(address).map_err(at)?;
    let listed = above.list("", true).map_err(at)?;
    let dirs = listed.iter().filter_map(|l| RunPaths::of_lock(&l.key));
    let dirs: BTreeSet<&str> = dirs.collect();
    if dirs.is_empty() {
        return Err(UserError::new(
            address.to_string(),
            "there is no run directory of a job at this address, and none below it",
        )
        .hint("give the `work_dir` of the jobs, or one of their run directories")
        .into());
    }
    let mut found = Vec::new();
    for dir in dirs {
        let place = above.address(dir);
        let bucket = Bucket::new(&place).map_err(at)?;
        let mut leftovers = Leftovers {
            is_running: matches!(Watched::default().look(&bucket)?, Liveness::Held(_)),
            objects: Vec::new(),
            uploads: Vec::new(),
            address: place,
        };
        if !leftovers.is_running {
            let within = listed.iter().filter_map(|l| match dir {
                "" => Some((l.key.clone(), l.bytes)),
                dir => {
                    let below = l.key.strip_prefix(dir)?.strip_prefix('/')?;
                    Some((below.to_owned(), l.bytes))
                }
            });
            leftovers.objects = unnamed(&bucket, within.collect())?;
            leftovers.uploads = unfinished_below(&leftovers.address).map_err(at)?;
            leftovers.uploads.extend(of_export(&bucket)?);
        }
        found.push(leftovers);
    }
    Ok(found)
}

/// The uploads of the job's export that were begun and not finished. The next run aborts those whose
/// ids it has recorded; of one whose first reply was lost nobody knows the id.
fn of_export(bucket: &Bucket) -> Result<Vec<Unfinished>> {
    let summary = RunPaths::new(Path::new("")).summary();
    let Some(got) = bucket.get(&summary.to_string_lossy())? else {
        return Ok(Vec::new());
    };
    let summary: Value = serde_json::from_slice(&got.bytes).unwrap_or_default();
    let export = summary.get("export_path").and_then(Value::as_str);
    let Some(Ok(export)) = export.map(Address::parse_target) else {
        return Ok(Vec::new());
    };
    let (above, name) = export
        .key
        .split_at(export.key.rfind('/').map_or(0, |at| at + 1));
    let is_of_export = |key: &str| {
        let file = key.strip_prefix(above);
        file.is_some_and(|file| file == name || is_shard_name(file, name))
    };
    let begin = export.beside(&format!("{above}{}", shard_start(name)));
    let begun = unfinished(&begin).map_err(|e| e.at(export.to_string()))?;
    let of_export = begun.into_iter().filter(|(key, _)| is_of_export(key));
    Ok(of_export.map(|(_, upload)| upload).collect())
}

/// The objects that no manifest among them names.
fn unnamed(bucket: &Bucket, objects: Vec<(String, u64)>) -> Result<Vec<(String, u64)>> {
    let manifests: Vec<&str> = objects
        .iter()
        .map(|(key, _)| key.as_str())
        .filter(|key| RunPaths::is_manifest(key))
        .collect();
    let threads = pool(AT_ONCE.min(manifests.len()), "djhost-clean")?;
    let named = threads.install(|| {
        let names = manifests.par_iter().map(|key| names_in(bucket, key));
        names.collect::<Result<Vec<_>>>()
    })?;
    let named: HashSet<String> = named.into_iter().flatten().collect();
    let is_left = |(key, _): &(String, u64)| {
        RunPaths::is_probe(key) || RunPaths::is_named_by_manifest(key) && !named.contains(key)
    };
    let mut left: Vec<_> = objects.into_iter().filter(is_left).collect();
    left.sort();
    Ok(left)
}

/// The files that a manifest names. An unreadable one names none, and is no use itself.
fn names_in(bucket: &Bucket, key: &str) -> Result<Vec<String>> {
    let Some(got) = bucket.get(key)? else {
        return Ok(Vec::new());
    };
    let manifest: Value = serde_json::from_slice(&got.bytes).unwrap_or_default();
    let dir = key.rsplit_once('/').map_or("", |(dir, _)| dir);
    // Manifests have a checksum around what they say.
    let mut open = vec![&manifest];
    let mut names = Vec::new();
    while let Some(value) = open.pop() {
        let Some(object) = value.as_object() else {
            continue;
        };
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        names.extend(text("data").map(|name| format!("{dir}/{name}")));
        for list in ["quarantine", "trace"] {
            let files = object.get(list).and_then(Value::as_array);
            let files = files.into_iter().flatten();
            let files = files.filter_map(|file| file.get("name")?.as_str());
            names.extend(files.map(|name| format!("{list}/{name}")));
        }
        open.extend(object.values());
    }
    Ok(names)
}

impl Leftovers {
    /// Removes them, under the lease. Fails if a run has begun meanwhile.
    pub(crate) fn remove(&self) -> Result<()> {
        let bucket = Bucket::new(&self.address)?;
        let holder = Holder {
            format_version: FORMAT_VERSION,
            process: ProcessId::current(),
            host: host_name(),
            attempt: 0,
            since: now(),
            does_more: true,
        };
        let mut lease = Lease::take(&bucket, &holder, &StopFlag::new())?;
        let threads = pool(AT_ONCE, "djhost-clean")?;
        let removed = threads.install(|| {
            self.objects
                .par_iter()
                .try_for_each(|(key, _)| bucket.remove(key))?;
            self.uploads.par_iter().try_for_each(Unfinished::abort)
        });
        lease.release();
        Ok(removed?)
    }
}

/// A copy of a run directory on this machine.
pub(crate) struct LocalCopy {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// The copies of this user that no process uses.
pub(crate) fn unused_copies() -> Result<Vec<LocalCopy>> {
    let mut found = Vec::new();
    for dir in all_copies()? {
        search(&dir, &mut found)?;
    }
    found.sort_by(|a: &LocalCopy, b| a.path.cmp(&b.path));
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<std::fs::DirEntry>> {
    let context = || format!("cannot list `{}`", dir.display());
    match std::fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => Ok(entries
            .with_context(context)?
            .collect::<Result<_, _>>()
            .with_context(context)?),
    }
}

fn search(dir: &Path, found: &mut Vec<LocalCopy>) -> Result<()> {
    if RunPaths::new(dir).lock().is_file() {
        if lock_copy(dir)?.is_some() {
            found.push(LocalCopy {
                path: dir.to_owned(),
                bytes: size(dir)?,
            });
        }
        return Ok(());
    }
    for entry in entries(dir)? {
        if entry.file_type()?.is_dir() {
            search(&entry.path(), found)?;
        }
    }
    Ok(())
}

/// The lock of a copy; None while a process has it.
fn lock_copy(dir: &Path) -> Result<Option<File>> {
    let path = RunPaths::new(dir).lock();
    let context = || format!("cannot lock `{}`", path.display());
    let file = open_regular(&path).with_context(context)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).with_context(context),
    }
}

fn size(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in entries(dir)? {
        bytes += match entry.file_type()?.is_dir() {
            true => size(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}

impl LocalCopy {
    /// Removes it, unless a process has begun to use it.
    pub(crate) fn remove(&self) -> Result<()> {
        let Some(_lock) = lock_copy(&self.path)? else {
            return Ok(());
        };
        empty(&self.path)
    }
}

fn empty(dir: &Path) -> Result<()> {
    for entry in entries(dir)? {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            empty(&path)?;
        } else {
            Storage::temporary().remove_unsynced(&path)?;
        }
    }
    // What is not empty is in use.
    let _ = std::fs::remove_dir(dir);
    Ok(())
}
