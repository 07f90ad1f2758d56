//! Makes a grouper's rows from those of all partitions: one task for each partition in which groups
//! begin.

use std::ops::Range;

use anyhow::{Context, Result};

use super::context::TaskContext;
use super::index::Index;
use super::scheduler::Workers;
use super::{group_task, queue};
use crate::checkpoint::{Artifact, Manifest};
use crate::data::Partition;

/// Whether everything is made: the rows of all partitions exist, or the export parts that came of
/// them.
pub(crate) fn is_done(index: &Index, partitions: Range<usize>, op: usize) -> bool {
    let all = |artifact, op| partitions.clone().all(|p| index.has(artifact, op, p));
    all(Artifact::Rows, op) || all(Artifact::Part, 0)
}

/// Makes what is missing. Then deletes the rows from before the grouper, which its key files
/// repeat, because they are of no more use.
pub(crate) fn run(
    env: &TaskContext<'_>,
    partitions: &[Partition],
    op: usize,
    stage: usize,
    index: &Index,
    workers: Workers,
) -> Result<()> {
    let keys = partitions.iter().map(|p| {
        index
            .get(Artifact::Keys, op, p.id as usize)
            .context("internal error: keys have gone")
    });
    let members: Vec<Manifest> = keys.collect::<Result<_>>()?;
    queue::for_each(partitions, workers.threads, env.stop, |partition| {
        let p = partition.id as usize;
        if index.has(Artifact::Rows, op, p) {
            return Ok(());
        }
        let groups = index
            .get(Artifact::Mask, op, p)
            .context("internal error: groups have gone")?;
        queue::with_retries(env, partition, stage, workers.retries, || {
            index.insert(group_task::gather(env, (op, p), &groups, &members)?);
            Ok(())
        })
    })?;
    for manifest in members {
        let (paths, storage) = (&env.store.paths, &env.store.storage);
        // The manifest goes first: without it the data does not exist.
        storage.remove(&paths.keys_manifest(op, manifest.partition))?;
        storage.remove(&paths.checkpoints().join(&manifest.data))?;
        index.remove(Artifact::Keys, op, manifest.partition);
    }
    Ok(())
}
