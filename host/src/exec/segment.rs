//! One partition through one segment, from the deepest checkpoint that it has.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::context::TaskContext;
use super::damage::Damaged;
use super::executor::Steps;
use super::index::{Held, Index};
use super::source::Base;
use super::task::{self, Task};
use crate::checkpoint::{self, Artifact, Manifest, Store};
use crate::global::Mask;
use crate::plan::{End, Segment};
use crate::rundir::events::{CheckpointDone, Event, OpRef};
use crate::rundir::mirror::has_changed;

/// Whether the partition has nothing to do in the segment. `is_resolved` says of a segment whether the
/// masks or rows that the global op at its end makes exist for all partitions.
pub(crate) fn is_done(
    env: &TaskContext<'_>,
    index: &Index,
    p: usize,
    segment: &Segment,
    is_resolved: &dyn Fn(&Segment) -> bool,
) -> bool {
    match segment.end {
        End::Export => index.has(Artifact::Part, 0, p),
        // Once a grouper's rows are made, nothing before them is needed; making them takes the key
        // files of all partitions, which contain the rows.
        End::Keys(op) if env.plan.ops[op].is_grouper() => {
            is_resolved(segment) || index.has(Artifact::Keys, op, p)
        }
        // A missing mask needs the keys of all partitions. The keys are useful only while their
        // rows are available, too, unless nobody needs these any more: an exported partition may have
        // to give its rows to a grouper once more.
        End::Keys(op) => {
            let has_rows = || plan_base(env, &index.of(p), op.checked_sub(1)).is_some();
            let next = &env.plan.segments[segment.index + 1];
            (is_resolved(segment) || index.has(Artifact::Keys, op, p))
                && (has_rows() || is_done(env, index, p, next, is_resolved))
        }
    }
}

/// The global op before `segment` that has no result for partition `p` yet, if there is one.
pub(crate) fn waits_for(
    env: &TaskContext<'_>,
    index: &Index,
    p: usize,
    segment: &Segment,
) -> Option<usize> {
    let before = &env.plan.segments[segment.index.checked_sub(1)?];
    let End::Keys(op) = before.end else {
        return None;
    };
    let result = match env.plan.ops[op].is_grouper() {
        true => Artifact::Rows,
        false => Artifact::Mask,
    };
    (!index.has(result, op, p)).then_some(op)
}

/// Does what is left; `committed` gets each manifest once it is on the disk.
pub(crate) fn run(
    env: &TaskContext<'_>,
    steps: &Steps<'_>,
    committed: &dyn Fn(Manifest),
) -> Result<()> {
    let Steps {
        partition,
        segment,
        stored,
        stage,
        held,
    } = steps;
    let (mut at, base) = deepest(env, held, partition.id as usize, segment)?;
    let mut tasks = Vec::new();
    for (number, last) in stored.iter().enumerate() {
        if *last < at {
            continue;
        }
        let ends_here = *last + 1 == segment.ops.end;
        tasks.push(Task {
            stage: *stage + number,
            ops: at..last + 1,
            store: true,
            end: ends_here.then_some(segment.end),
        });
        at = last + 1;
    }
    if tasks.last().is_none_or(|task| task.end.is_none()) {
        tasks.push(Task {
            stage: *stage + stored.len(),
            ops: at..segment.ops.end,
            store: false,
            end: Some(segment.end),
        });
    }
    task::run(env, partition, &base, &tasks, committed)
}

pub(super) fn plan_base(
    env: &TaskContext<'_>,
    held: &Held,
    after: Option<usize>,
) -> Option<checkpoint::Base> {
    checkpoint::Base::after(after, &|artifact, op| held.has(artifact, op), &|op| {
        env.plan.ops[op].is_global() && !env.plan.ops[op].is_grouper()
    })
}

/// The op to continue with, and the rows to start from. Sets aside and skips a checkpoint that
/// turns out to be damaged.
fn deepest(
    env: &TaskContext<'_>,
    held: &Held,
    p: usize,
    segment: &Segment,
) -> Result<(usize, Base)> {
    for at in (segment.ops.start..=segment.ops.end).rev() {
        if let Some(found) = plan_base(env, held, at.checked_sub(1)) {
            return Ok((at, load(env, held, p, &found, at)?));
        }
    }
    anyhow::bail!(
        "internal error: partition {p} has no rows to start segment {} from",
        segment.index
    )
}

/// Opens the files of a base.
fn load(
    env: &TaskContext<'_>,
    held: &Held,
    p: usize,
    found: &checkpoint::Base,
    at: usize,
) -> Result<Base> {
    let mut base = Base {
        rows: None,
        masks: Vec::new(),
        account: checkpoint::Account::default(),
    };
    if let Some(op) = found.rows_after {
        let manifest = held
            .get(Artifact::Rows, op)
            .context("internal error: a checkpoint has gone")?;
        let op = OpRef::new(op, &env.plan.ops[op].name);
        let path = env
            .store
            .paths
            .checkpoints()
            .join(&manifest.data)
            .display()
            .to_string();
        env.log.emit(Event::PartitionResumed {
            partition_id: p,
            op: op.clone(),
            checkpoint_path: path.clone(),
            output_rows: manifest.rows,
        });
        env.log.emit(Event::CheckpointLoaded(CheckpointDone {
            partition_id: p,
            op,
            checkpoint_path: path,
            output_rows: manifest.rows,
            bytes: manifest.bytes,
            ..CheckpointDone::default()
        }));
        bring(env, manifest)?;
        base.account = manifest.account.clone();
        base.rows = Some(manifest.clone());
    }
    for op in &found.masks {
        let manifest = held
            .get(Artifact::Mask, *op)
            .context("internal error: a mask has gone")?;
        bring(env, manifest)?;
        let path = env.store.paths.checkpoints().join(&manifest.data);
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        base.masks.push(
            Mask::from_bytes(*op, &bytes)
                .with_context(|| format!("cannot read `{}`", path.display()))?,
        );
        base.account = manifest.account.clone();
    }
    debug_assert!(at > 0 || found.masks.is_empty());
    Ok(base)
}

/// Where the data file of a manifest is.
fn directory(env: &TaskContext<'_>, manifest: &Manifest) -> PathBuf {
    match manifest.artifact {
        Artifact::Part => env.store.paths.parts(),
        _ => env.store.paths.checkpoints(),
    }
}

/// Checks that a found file is there and has the bytes that its manifest says. What they are is
/// checked by whoever reads them.
pub(super) fn check_bytes(env: &TaskContext<'_>, manifest: &Manifest) -> Result<()> {
    let dir = directory(env, manifest);
    let data = manifest.data_in(&dir)?;
    let bytes = match env.store.paths.absent_bytes(&data) {
        Some(bytes) => bytes,
        None => std::fs::metadata(&data)
            .with_context(|| format!("cannot read `{}`", data.display()))?
            .len(),
    };
    manifest.check_bytes(&dir, bytes)
}

/// Checks a found file, byte for byte; of one that is in a bucket alone, its size.
pub(super) fn check(env: &TaskContext<'_>, manifest: &Manifest) -> Result<()> {
    match is_absent(env, manifest) {
        true => check_bytes(env, manifest),
        false => env.store.check(&directory(env, manifest), manifest),
    }
}

/// The data file of a manifest.
pub(super) fn data_of(env: &TaskContext<'_>, manifest: &Manifest) -> PathBuf {
    directory(env, manifest).join(&manifest.data)
}

/// Whether the data file is in a bucket alone.
pub(super) fn is_absent(env: &TaskContext<'_>, manifest: &Manifest) -> bool {
    let paths = &env.store.paths;
    paths.absent_bytes(&data_of(env, manifest)).is_some()
}

/// Fetches the data file, if it is in a bucket alone, and checks it then. What is wrong with the file
/// is returned; an error of the server is one.
pub(super) fn fetch(env: &TaskContext<'_>, manifest: &Manifest) -> Result<Result<(), String>> {
    if !is_absent(env, manifest) {
        return Ok(Ok(()));
    }
    let dir = directory(env, manifest);
    match env.store.paths.bring(&dir.join(&manifest.data)) {
        Ok(()) => Ok(Store::compare(&dir, manifest).map_err(|e| format!("{e:#}"))),
        Err(error) if has_changed(&error) => Ok(Err(format!("{error:#}"))),
        Err(error) => Err(error),
    }
}

/// Looks whether the data file of a manifest is what that says; fetches it, if it is in a bucket alone.
pub(super) fn look(env: &TaskContext<'_>, manifest: &Manifest) -> Result<Result<(), String>> {
    Ok(fetch(env, manifest)?.and_then(|()| {
        let checked = env.store.check(&directory(env, manifest), manifest);
        checked.map_err(|e| format!("{e:#}"))
    }))
}

/// Makes sure that the data file of a manifest can be read. Fails with [`Damaged`] if it is not what
/// the manifest says.
pub(super) fn bring(env: &TaskContext<'_>, manifest: &Manifest) -> Result<()> {
    look(env, manifest)?.map_err(|why| Damaged::new(manifest, why).into())
}
