//! Before anything runs: decides which files of earlier attempts fit today's plan. Sets the others
//! aside and tells the user.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::barrier_task;
use super::context::TaskContext;
use super::index::Index;
use super::needed::needed;
use super::segment;
use crate::checkpoint::{Artifact, Decision, Found, Manifest, Store, decide};
use crate::plan::lineage_key::Key;
use crate::rundir::RunPaths;
use crate::rundir::events::{Event, OpRef};
use crate::rundir::storage::clean_temporary;
use crate::threads::pool;

/// Files that are looked at, or fetched, at a time.
const AT_ONCE: usize = 8;

/// Who reads the files that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// This process, or others on its machine.
    Here,
    /// Workers on other machines; the files of barriers and parts are still read here.
    Elsewhere,
    /// Processes that are started later, one for each task, and cannot set a file aside.
    Later,
}

/// Examines every manifest in the run directory. The data of whatever it keeps is there and has as many
/// bytes as it should have. Their content is only checked now if nobody else could act on it.
pub(crate) fn reconcile(
    env: &TaskContext<'_>,
    partitions: usize,
    readers: Readers,
) -> Result<Index> {
    let index = Index::default();
    let paths = &env.store.paths;
    clean_temporary(paths, &env.store.storage)?;
    let check = match readers {
        Readers::Here | Readers::Elsewhere => segment::check_bytes,
        Readers::Later => segment::check,
    };
    let manifests = paths.manifests()?;
    // On a shared file system each look is a wait.
    let threads = pool(AT_ONCE, "djhost-look")?;
    let look = |path: &Path| {
        Store::read_manifest(path)
            .and_then(|m| m.context("it has gone"))
            .and_then(|m| check(env, &m).map(|()| m))
            .map_err(|e| format!("{e:#}"))
    };
    let looked = threads.install(|| {
        let all = manifests.par_iter();
        all.map(|(.., path)| look(path)).collect::<Vec<_>>()
    });
    let (mut found, mut places) = (Vec::new(), Vec::new());
    for ((_, op, partition, path), manifest) in manifests.into_iter().zip(looked) {
        found.push(Found {
            op,
            partition,
            manifest,
        });
        places.push(path);
    }
    let expected = env.chains.expected(env.plan);
    take_over(env, &mut found, &places)?;
    let decisions = decide(&found, &expected);
    move_all(env, &found, &places, &decisions, &index)?;
    threads.install(|| parts(env, partitions, &index, check))?;
    forget_data(env, &index)?;
    bring_needed(env, partitions, &index, readers)?;
    forget_rows(env, index.manifests().iter().map(AsRef::as_ref))?;
    Ok(index)
}

/// The files of one partition that today's plan can use and that are intact, byte for byte. Changes
/// nothing.
pub(crate) fn committed(env: &TaskContext<'_>, p: usize) -> Index {
    let (index, paths, chains) = (Index::default(), &env.store.paths, env.chains);
    let look = |path: PathBuf, artifact: Artifact, key: &Key| {
        if let Ok(Some(manifest)) = Store::read_manifest(&path)
            && (manifest.artifact, manifest.partition) == (artifact, p)
            && manifest.key == *key
            && segment::check(env, &manifest).is_ok()
        {
            index.insert(manifest);
        }
    };
    for op in &env.plan.ops {
        let (op, is_global) = (op.index, op.is_global());
        let after = chains.after(p, Some(op));
        look(paths.checkpoint_manifest(op, p), Artifact::Rows, after);
        if is_global {
            look(
                paths.keys_manifest(op, p),
                Artifact::Keys,
                chains.keys(p, op),
            );
            look(paths.mask_manifest(op, p), Artifact::Mask, after);
        }
    }
    look(paths.part_manifest(p), Artifact::Part, chains.part(p));
    index
}

/// Keeps what was made before an op got a fallback, under today's key, where the fallback would
/// have had nothing to do: that op put none of the source rows into quarantine.
fn take_over(env: &TaskContext<'_>, found: &mut [Found], places: &[PathBuf]) -> Result<()> {
    for (number, earlier) in env.plan.earlier.iter().enumerate() {
        let chains = env.chains.of_earlier(env.plan, &earlier.identities);
        let changed: Vec<usize> = env.plan.earlier[number..].iter().map(|e| e.op).collect();
        let first = changed.iter().copied().min().unwrap_or(usize::MAX);
        for (found, place) in found.iter_mut().zip(places) {
            let (op, p) = (found.op, found.partition);
            let Ok(manifest) = &mut found.manifest else {
                continue;
            };
            let keys = manifest.artifact == Artifact::Keys;
            if p >= env.chains.parts().count()
                || op < first
                || op >= env.plan.ops.len()
                || (keys && !env.plan.ops[op].is_global())
            {
                continue;
            }
            let (then, now) = match keys {
                true => (chains.keys(p, op), env.chains.keys(p, op)),
                false => (chains.after(p, Some(op)), env.chains.after(p, Some(op))),
            };
            // A global op's result for one partition depends on all of them.
            let mut global = env.plan.ops[first..=op]
                .iter()
                .filter(|o| o.is_global() && !(keys && o.index == op));
            let untouched = changed.iter().all(|c| {
                manifest
                    .account
                    .ops
                    .get(c)
                    .is_none_or(|done| done.quarantined_rows == 0)
            });
            if manifest.key == *then && then != now && untouched && global.next().is_none() {
                manifest.key = now.clone();
                env.store.write_manifest(place, manifest)?;
            }
        }
    }
    Ok(())
}

/// Removes files of rows in quarantine and of the trace that no manifest in `good` mentions: their
/// task was not committed, or is no longer useful.
pub(crate) fn forget_rows<'m>(
    env: &TaskContext<'_>,
    good: impl Iterator<Item = &'m Manifest>,
) -> Result<()> {
    let mut known: HashSet<&str> = HashSet::new();
    for manifest in good {
        let (quarantine, trace) = (&manifest.account.quarantine, &manifest.account.trace);
        known.extend(quarantine.iter().map(|file| file.name.as_str()));
        known.extend(trace.iter().filter_map(|file| file.name.as_deref()));
    }
    let (paths, mut files) = (&env.store.paths, env.store.paths.quarantine_files()?);
    files.append(&mut paths.trace_files()?);
    for path in files {
        if !path
            .file_name()
            .and_then(|n| n.to_str())
            .is_some_and(|name| known.contains(name))
        {
            env.store.storage.remove(&path)?;
        }
    }
    Ok(())
}

fn move_all(
    env: &TaskContext<'_>,
    found: &[Found],
    places: &[PathBuf],
    decisions: &[Decision],
    index: &Index,
) -> Result<()> {
    let storage = &env.store.storage;
    // Files that change places get temporary names first, because two may swap.
    let mut moving: HashMap<usize, Manifest> = HashMap::new();
    for (i, decision) in decisions.iter().enumerate() {
        match (decision, &found[i].manifest) {
            (Decision::Keep, Ok(manifest)) => index.insert(manifest.clone()),
            (Decision::Move { to }, Ok(manifest)) => {
                let mut manifest = manifest.clone();
                let dir = env.store.paths.checkpoints();
                let through = format!(".moving_{i}.tmp");
                storage.remove(&places[i])?;
                storage.rename(&dir.join(&manifest.data), &dir.join(&through))?;
                let old = format!("_partition_{:04}", manifest.partition);
                manifest.data = manifest.data.replace(&old, &format!("_partition_{to:04}"));
                manifest.partition = *to;
                manifest
                    .account
                    .ops
                    .values_mut()
                    .for_each(|done| done.partition_id = *to);
                moving.insert(i, manifest);
            }
            (Decision::SetAside(reason), manifest) => {
                set_aside(env, &found[i], manifest.as_ref().ok(), &places[i], reason)?
            }
            (_, Err(_)) => {}
        }
    }
    warn(found, decisions);
    for (i, manifest) in moving {
        let paths = &env.store.paths;
        let dir = paths.checkpoints();
        storage.rename(
            &dir.join(format!(".moving_{i}.tmp")),
            &dir.join(&manifest.data),
        )?;
        let (op, p) = (found[i].op, manifest.partition);
        let place = match manifest.artifact {
            Artifact::Keys => paths.keys_manifest(op, p),
            Artifact::Mask => paths.mask_manifest(op, p),
            Artifact::Rows | Artifact::Part => paths.checkpoint_manifest(op, p),
        };
        env.store.write_manifest(&place, &manifest)?;
        index.insert(manifest);
    }
    Ok(())
}

/// Emits one line per reason: a changed recipe sets many files aside at once.
fn warn(found: &[Found], decisions: &[Decision]) {
    let mut reasons: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (found, decision) in found.iter().zip(decisions) {
        if let Decision::SetAside(reason) = decision {
            reasons
                .entry(reason)
                .or_default()
                .push((found.op, found.partition));
        }
    }
    for (reason, files) in reasons {
        let (op, partition) = files[0];
        let others = if files.len() > 1 {
            format!(" and {} more", files.len() - 1)
        } else {
            String::new()
        };
        tracing::warn!(
            "checkpoint after op {op} of partition {partition}{others} not used, set aside in `checkpoints/discarded`: {reason}"
        );
    }
}

fn set_aside(
    env: &TaskContext<'_>,
    found: &Found,
    manifest: Option<&Manifest>,
    place: &Path,
    reason: &str,
) -> Result<()> {
    let paths = &env.store.paths;
    let aside = paths.discarded();
    std::fs::create_dir_all(&aside)
        .with_context(|| format!("cannot create `{}`", aside.display()))?;
    let name = place
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    tracing::debug!("checkpoint `{name}` is not used: {reason}");
    let op_name = env.plan.ops.get(found.op).map_or("", |o| o.name.as_str());
    env.log.emit(Event::CheckpointDiscarded {
        partition_id: found.partition,
        op: OpRef::new(found.op, op_name),
        checkpoint_path: place.display().to_string(),
        reason: reason.to_owned(),
    });
    let stamp = env.attempt;
    // The manifest goes first: without it the data does not exist.
    env.store
        .storage
        .rename(place, &paths.discarded_file(stamp, &name))?;
    // A copied manifest may name the good data of another place.
    let stem = RunPaths::manifest_stem(&name);
    if let Some(manifest) = manifest.filter(|m| !m.data.contains('/') && m.data.starts_with(&stem))
    {
        let data = paths.checkpoints().join(&manifest.data);
        if paths.absent_bytes(&data).is_some() {
            env.store.storage.remove(&data)?;
        } else if data.exists() {
            env.store
                .storage
                .rename(&data, &paths.discarded_file(stamp, &manifest.data))?;
        }
    }
    Ok(())
}

/// Fetches the files that the tasks and the export will read and that are in a bucket alone. What
/// turns out to be of no use is set aside, and the work before it is done again.
fn bring_needed(
    env: &TaskContext<'_>,
    partitions: usize,
    index: &Index,
    readers: Readers,
) -> Result<()> {
    loop {
        let mut wanted = needed(env, partitions, index);
        wanted.retain(|manifest| {
            let is_read_here = readers != Readers::Elsewhere || manifest.artifact != Artifact::Rows;
            is_read_here && segment::is_absent(env, manifest)
        });
        if wanted.is_empty() {
            return Ok(());
        }
        let threads = pool(AT_ONCE.min(wanted.len()), "djhost-fetch")?;
        let fetched = threads.install(|| {
            let all = wanted
                .par_iter()
                .map(|manifest| segment::fetch(env, manifest));
            all.collect::<Result<Vec<_>>>()
        })?;
        for (manifest, fetched) in wanted.iter().zip(fetched) {
            if let Err(why) = fetched {
                reject(env, manifest, &why, index)?;
            }
        }
    }
}

/// Takes a file out of the index whose content is not what its manifest says.
pub(super) fn reject(
    env: &TaskContext<'_>,
    manifest: &Manifest,
    why: &str,
    index: &Index,
) -> Result<()> {
    let (paths, op, p) = (
        &env.store.paths,
        manifest.op.unwrap_or(0),
        manifest.partition,
    );
    let place = match manifest.artifact {
        Artifact::Keys => paths.keys_manifest(op, p),
        Artifact::Mask => paths.mask_manifest(op, p),
        Artifact::Rows => paths.checkpoint_manifest(op, p),
        Artifact::Part => {
            tracing::warn!("the finished rows of partition {p} are made again: {why}");
            env.store.storage.remove(&paths.part_manifest(p))?;
            index.remove(Artifact::Part, 0, p);
            return Ok(());
        }
    };
    let found = Found {
        op,
        partition: p,
        manifest: Ok(manifest.clone()),
    };
    warn(
        std::slice::from_ref(&found),
        &[Decision::SetAside(why.to_owned())],
    );
    set_aside(env, &found, Some(manifest), &place, why)?;
    index.remove(manifest.artifact, op, p);
    Ok(())
}

/// Removes data of workers of a cluster that no manifest names: of those that were lost before they
/// were done, and of the slower one of two that had the same task. So it goes with what a barrier that
/// was interrupted has left.
fn forget_data(env: &TaskContext<'_>, index: &Index) -> Result<()> {
    let good = index.manifests();
    let known: HashSet<&str> = good.iter().map(|manifest| manifest.data.as_str()).collect();
    for path in env.store.paths.data_of_writers()? {
        let name = path.file_name().and_then(|name| name.to_str());
        if !name.is_some_and(|name| known.contains(name)) {
            env.store.storage.remove_unsynced(&path)?;
        }
    }
    barrier_task::remove_left(env)
}

/// Keeps export parts whose key is right and that pass `check`; the others are written again.
fn parts(
    env: &TaskContext<'_>,
    partitions: usize,
    index: &Index,
    check: impl Fn(&TaskContext<'_>, &Manifest) -> Result<()> + Sync,
) -> Result<()> {
    (0..partitions).into_par_iter().try_for_each(|p| {
        let path = env.store.paths.part_manifest(p);
        match Store::read_manifest(&path) {
            Ok(Some(m))
                if m.key == *env.chains.part(p)
                    && m.artifact == Artifact::Part
                    && m.partition == p
                    && check(env, &m).is_ok() =>
            {
                index.insert(m);
                Ok(())
            }
            Ok(None) => Ok(()),
            Ok(Some(_)) | Err(_) => env.store.storage.remove(&path).map(drop),
        }
    })
}
