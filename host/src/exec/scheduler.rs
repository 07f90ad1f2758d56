//! Schedules tasks: every partition through its segments, with barriers at global ops, retries and
//! stops. It knows files only by their manifests, and nothing of operators. An [`Executor`] does the
//! work of partitions; what concerns all of them at once is done here, on threads.

use anyhow::{Context, Result};

use super::context::TaskContext;
use super::damage::Damage;
use super::executor::{Executor, Steps};
use super::index::Index;
use super::placement::Placement;
use super::{gather, queue, resolve, segment};
use crate::checkpoint::{Artifact, Manifest};
use crate::data::Partition;
use crate::plan::{End, Segment};

/// How tasks run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workers {
    /// Number of threads for what concerns all partitions.
    pub threads: usize,
    /// Retries of a failed task.
    pub retries: u32,
    /// Memory for the tables of a deduplicator, in bytes.
    pub resolver_memory: usize,
    /// Whether checkpoints go where measured costs justify them, instead of where the plan has
    /// them.
    pub adaptive: bool,
}

/// Is told about progress while tasks run.
pub(crate) trait Watcher: Sync {
    /// A partition has begun.
    fn started(&self, partition: usize);
    /// A partition's part of the export is committed.
    fn completed(&self, partition: usize, manifest: &Manifest);
    /// The part that an earlier attempt committed is as it should be.
    fn kept(&self, manifest: &Manifest);
    /// The part that an earlier attempt committed is damaged: the partition is not complete.
    fn lost(&self, partition: usize);
    /// A partition has failed for good.
    fn failed(&self, partition: usize, error: &anyhow::Error);
}

/// The manifest of a partition's result at the end of a segment.
fn made(index: &Index, end: End, partition: usize) -> Option<Manifest> {
    match end {
        End::Keys(op) => index.get(Artifact::Keys, op, partition),
        End::Export => index.get(Artifact::Part, 0, partition),
    }
}

/// Runs everything that is not done yet; returns the manifests of all parts in order.
pub(crate) fn run(
    env: &TaskContext<'_>,
    partitions: &[Partition],
    index: &Index,
    (executor, workers): (&dyn Executor, Workers),
    watcher: &dyn Watcher,
) -> Result<Vec<Manifest>> {
    let placement = workers.adaptive.then(|| Placement::new(env.plan));
    let damage = Damage::default();
    let how = (executor, workers);
    while !pass(
        env,
        partitions,
        index,
        how,
        watcher,
        (placement.as_ref(), &damage),
    )? {}
    partitions
        .iter()
        .map(|p| {
            index
                .get(Artifact::Part, 0, p.id as usize)
                .with_context(|| format!("internal error: partition {} has no part", p.id))
        })
        .collect()
}

/// Goes through all segments once; what is done is passed over. Returns false if files were damaged, so
/// that work before the segment that it has come to has to be done again.
fn pass(
    env: &TaskContext<'_>,
    partitions: &[Partition],
    index: &Index,
    (executor, workers): (&dyn Executor, Workers),
    watcher: &dyn Watcher,
    (placement, damage): (Option<&Placement>, &Damage),
) -> Result<bool> {
    for segment in &env.plan.segments {
        let stage = env.plan.first_stage(segment.index);
        let all = env.plan.segments.iter();
        let all: Vec<bool> = all
            .map(|segment| is_resolved(env, index, partitions.len(), segment))
            .collect();
        let resolved = all[segment.index];
        let is_resolved = |segment: &Segment| all[segment.index];
        executor.begin(env)?;
        queue::for_each(partitions, executor.slots(), env.stop, |partition| {
            if segment::is_done(env, index, partition.id as usize, segment, &is_resolved) {
                return match segment.end {
                    End::Export => part(env, partition.id as usize, index, watcher, damage),
                    End::Keys(_) => Ok(()),
                };
            }
            if segment.index == 0 {
                watcher.started(partition.id as usize);
            }
            let bytes: u64 = partition.slices.iter().map(|s| s.end - s.start).sum();
            let stored = placement.map_or_else(
                || segment.stored.clone(),
                |p| p.stored(env.plan, segment, bytes),
            );
            let done = queue::with_retries(env, partition, stage, workers.retries, || {
                let steps = Steps {
                    partition,
                    segment,
                    stored: &stored,
                    stage,
                    held: index.of(partition.id as usize),
                };
                let done = executor.run(env, &steps, &|manifest| index.insert(manifest));
                done.or_else(|error| damage.take(env, index, error))
            });
            if let (Some(placement), Some(made)) =
                (placement, made(index, segment.end, partition.id as usize))
            {
                placement.learn(&made, bytes);
                let rows = stored
                    .iter()
                    .filter_map(|op| index.get(Artifact::Rows, *op, partition.id as usize));
                rows.for_each(|manifest| placement.learn_storing(&manifest, bytes));
            }
            match &done {
                Ok(()) => {
                    if segment.end == End::Export
                        && let Some(manifest) = index.get(Artifact::Part, 0, partition.id as usize)
                    {
                        watcher.completed(partition.id as usize, &manifest);
                    }
                }
                Err(error) if !error.is::<crate::error::Stopped>() => {
                    watcher.failed(partition.id as usize, error)
                }
                Err(_) => {}
            }
            done
        })?;
        executor.end(env)?;
        if damage.is_new() {
            return Ok(false);
        }
        env.plan.ops.iter().for_each(|op| op.pool.rest());
        if let End::Keys(op) = segment.end {
            let makes_rows = env.plan.ops[op].is_grouper();
            let stage = stage + segment.steps();
            let barrier = || {
                if !(makes_rows && resolved) {
                    resolve::run(env, partitions, (op, stage), index, (executor, workers))?;
                }
                if makes_rows && !resolved {
                    gather::run(env, partitions, op, stage, index, workers)?;
                }
                Ok(())
            };
            barrier().or_else(|error| damage.take(env, index, error))?;
            if damage.is_new() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Whether the masks, or the rows, that the global op at the end of the segment makes exist for all
/// partitions.
fn is_resolved(env: &TaskContext<'_>, index: &Index, partitions: usize, segment: &Segment) -> bool {
    let all = |artifact, op| (0..partitions).all(|p| index.has(artifact, op, p));
    match segment.end {
        End::Keys(op) if env.plan.ops[op].is_grouper() => gather::is_done(index, 0..partitions, op),
        End::Keys(op) => all(Artifact::Mask, op),
        End::Export => false,
    }
}

/// Checks the part of an earlier attempt, which nobody but the export reads.
fn part(
    env: &TaskContext<'_>,
    partition: usize,
    index: &Index,
    watcher: &dyn Watcher,
    damage: &Damage,
) -> Result<()> {
    let part = index.get(Artifact::Part, 0, partition);
    let Some(part) = part.filter(|part| !env.store.is_sound(part)) else {
        return Ok(());
    };
    match segment::bring(env, &part) {
        Ok(()) => watcher.kept(&part),
        Err(error) => {
            damage.take(env, index, error)?;
            watcher.lost(partition);
        }
    }
    Ok(())
}
