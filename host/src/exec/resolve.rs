//! The barrier of a global op: makes a mask for each partition from the keys of all, or finds the
//! groups that begin in each.

use anyhow::{Context, Result};

use super::context::TaskContext;
use super::index::Index;
use crate::checkpoint::{Artifact, RowFile, Store};
use crate::data::Partition;
use crate::global::{self, KeyTable};
use crate::rundir::events::{Event, OpRef};
use crate::wasm::{Kind, thread_cpu};

/// Resolves op `op` unless all its masks exist.
pub(crate) fn run(
    env: &TaskContext<'_>,
    partitions: &[Partition],
    op: usize,
    index: &Index,
    memory: usize,
) -> Result<()> {
    if partitions
        .iter()
        .all(|p| index.has(Artifact::Mask, op, p.id as usize))
    {
        return Ok(());
    }
    env.tally.at(op);
    if env.plan.ops[op].is_grouper() {
        return groups(env, partitions, op, index, memory);
    }
    let planned = &env.plan.ops[op];
    let paths = &env.store.paths;
    env.log.emit(Event::ResolveStarted {
        op: OpRef::new(op, &planned.name),
    });
    let (started, cpu) = (std::time::Instant::now(), thread_cpu());
    let mut key_bytes = 0;
    for p in 0..partitions.len() {
        key_bytes += index
            .get(Artifact::Keys, op, p)
            .map_or(0, |keys| keys.bytes);
    }
    let tables = |p: usize| -> Result<KeyTable> {
        let path = paths.keys(op, p);
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        KeyTable::from_bytes(&bytes).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let (masks, table_bytes) = global::resolve(
        planned,
        partitions.len(),
        &tables,
        memory,
        &paths.checkpoints(),
    )
    .with_context(|| format!("op {op} `{}`", planned.name))?;
    let (mut rows_in, mut rows_out) = (0, 0);
    for (p, mask) in masks.iter().enumerate() {
        let keys = index
            .get(Artifact::Keys, op, p)
            .context("internal error: keys have gone")?;
        let mut account = keys.account.clone();
        let done = account.op(p, op, &planned.name);
        done.output_rows = mask.count() as u64;
        if planned.kind() == Kind::Deduplicator {
            done.merged_rows = done.input_rows - done.quarantined_rows - done.output_rows;
        }
        rows_in += done.input_rows;
        rows_out += done.output_rows;
        env.log.emit(Event::OpCompleted(done.clone()));
        let manifest = Store::manifest(
            Artifact::Mask,
            env.chains.after(p, Some(op)).clone(),
            Some(op),
            p,
            mask.count() as u64,
            account,
        );
        index.insert(env.store.commit_bytes(
            &mask.to_bytes(),
            &paths.mask(op, p),
            &paths.mask_manifest(op, p),
            manifest,
        )?);
    }
    env.log.emit(Event::ResolveCompleted {
        op: OpRef::new(op, &planned.name),
        duration: started.elapsed().as_secs_f64(),
        cpu_seconds: thread_cpu().saturating_sub(cpu).as_secs_f64(),
        input_rows: rows_in,
        output_rows: rows_out,
        peak_memory: table_bytes as u64,
        spilled_bytes: key_bytes,
    });
    Ok(())
}

/// The same for a grouper.
fn groups(
    env: &TaskContext<'_>,
    partitions: &[Partition],
    op: usize,
    index: &Index,
    memory: usize,
) -> Result<()> {
    let planned = &env.plan.ops[op];
    let paths = &env.store.paths;
    env.log.emit(Event::ResolveStarted {
        op: OpRef::new(op, &planned.name),
    });
    let (started, cpu) = (std::time::Instant::now(), thread_cpu());
    let tables = |p: usize| -> Result<KeyTable> {
        let keys = index
            .get(Artifact::Keys, op, p)
            .context("internal error: keys have gone")?;
        let path = paths.checkpoints().join(&keys.data);
        KeyTable::from_bytes(&RowFile::open(&path)?.keys()?)
            .with_context(|| format!("cannot read `{}`", path.display()))
    };
    let (mut rows_in, mut rows_out, mut spilled) = (0, 0, 0);
    let table_bytes = global::resolve_groups(
        partitions.len(),
        &tables,
        memory,
        &paths.checkpoints(),
        |p, rows, groups| {
            let keys = index
                .get(Artifact::Keys, op, p)
                .context("internal error: keys have gone")?;
            let mut account = keys.account.clone();
            let done = account.op(p, op, &planned.name);
            done.output_rows = groups.count;
            // A group counts in the partition where it begins, other rows where they are.
            done.merged_rows = rows - groups.count;
            rows_in += done.input_rows;
            rows_out += done.output_rows;
            spilled += keys.bytes + 4 * keys.rows;
            env.log.emit(Event::OpCompleted(done.clone()));
            let manifest = Store::manifest(
                Artifact::Mask,
                env.chains.after(p, Some(op)).clone(),
                Some(op),
                p,
                groups.count,
                account,
            );
            index.insert(env.store.commit_bytes(
                groups.to_bytes(),
                &paths.mask(op, p),
                &paths.mask_manifest(op, p),
                manifest,
            )?);
            Ok(())
        },
    )
    .with_context(|| format!("op {op} `{}`", planned.name))?;
    env.log.emit(Event::ResolveCompleted {
        op: OpRef::new(op, &planned.name),
        duration: started.elapsed().as_secs_f64(),
        cpu_seconds: thread_cpu().saturating_sub(cpu).as_secs_f64(),
        input_rows: rows_in,
        output_rows: rows_out,
        peak_memory: table_bytes as u64,
        spilled_bytes: spilled,
    });
    Ok(())
}
