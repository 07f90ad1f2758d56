//! The barrier of a global op: makes a mask for each partition from the keys of all, or finds the
//! groups that begin in each.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::context::TaskContext;
use super::index::Index;
use super::quarantine::Destination;
use super::scheduler::Workers;
use super::trace::barrier::{self as trace, RowIds};
use super::{segment, task};
use crate::checkpoint::{Artifact, Manifest, RowFile, Store, Traced};
use crate::data::Partition;
use crate::global::{self, Crew, Duplicates, KeyTable, Mask};
use crate::rundir::events::{Event, OpDone, OpRef};
use crate::rundir::trace::Fate;
use crate::term::{count, counted};
use crate::wasm::{Kind, thread_cpu};

/// Resolves op `op` unless all its masks exist.
pub(crate) fn run(
    env: &TaskContext<'_>,
    partitions: &[Partition],
    op: usize,
    index: &Index,
    workers: Workers,
) -> Result<()> {
    let memory = workers.resolver_memory;
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
    let (planned, paths) = (&env.plan.ops[op], &env.store.paths);
    let mut barrier = Barrier::start(env, op, index);
    let mut key_bytes = 0;
    for p in 0..partitions.len() {
        key_bytes += index
            .get(Artifact::Keys, op, p)
            .map_or(0, |keys| keys.bytes);
    }
    let tables = |p: usize| -> Result<KeyTable> {
        let path = keys_of(env, index, op, p)?;
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        KeyTable::from_bytes(bytes).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let mut found = match env.trace {
        Some(_) => Duplicates::of(partitions.len()),
        None => Duplicates::ignored(),
    };
    let crew = Crew::new(memory, workers.threads);
    let (masks, table_bytes) = global::resolve(
        planned,
        partitions.len(),
        &tables,
        &crew,
        &paths.checkpoints(),
        &mut found,
    )
    .with_context(|| format!("op {op} `{}`", planned.name))?;
    barrier.of_others = crew.cpu();
    let read = |p: usize| Ok(tables(p)?.ids());
    let mut ids = row_ids(op, partitions, index, memory, &read);
    for (p, mask) in masks.iter().enumerate() {
        let traced = match &env.trace {
            Some(tracing) => {
                let merged = found.take(p);
                let dropped = match planned.kind() {
                    kind if kind == Kind::Selector || planned.pool.seen().is_some() => {
                        let came = tables(p)?.accepted();
                        let goes = |row: &usize| came.value(*row) && !mask.is_kept(*row);
                        (0..mask.rows())
                            .filter(goes)
                            .map(|row| row as u32)
                            .collect()
                    }
                    _ => Vec::new(),
                };
                let to = barrier.destination(p);
                let dropped = (dropped, &why(mask) as &dyn Fn(u32) -> Option<String>);
                trace::record(tracing, to, &mut ids, dropped, (Fate::Merged, merged))?
            }
            None => None,
        };
        barrier.commit(p, &mask.to_bytes(), mask.count() as u64, traced, |done| {
            if planned.kind() == Kind::Deduplicator && planned.pool.seen().is_none() {
                done.merged_rows = done.input_rows - done.quarantined_rows - done.output_rows;
            }
        })?;
    }
    barrier.finish(table_bytes, key_bytes);
    Ok(())
}

/// Where the keys of partition `p` can be read.
fn keys_of(env: &TaskContext<'_>, index: &Index, op: usize, p: usize) -> Result<PathBuf> {
    let keys = index
        .get(Artifact::Keys, op, p)
        .context("internal error: keys have gone")?;
    segment::bring(env, &keys)?;
    Ok(env.store.paths.checkpoints().join(&keys.data))
}

/// Bytes and number of the fingerprints that rows of partition `p` have; None where that is not how
/// `op` compares rows.
pub(super) fn shape(
    env: &TaskContext<'_>,
    index: &Index,
    op: usize,
    p: usize,
) -> Result<Option<(usize, usize)>> {
    if env.plan.ops[op].is_grouper() {
        return Ok(None);
    }
    let path = keys_of(env, index, op, p)?;
    let read = std::fs::read(&path).map_err(anyhow::Error::from);
    let table = read.and_then(KeyTable::from_bytes);
    let table = table.with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(table.shape())
}

/// The same for a grouper.
fn groups(
    env: &TaskContext<'_>,
    partitions: &[Partition],
    op: usize,
    index: &Index,
    memory: usize,
) -> Result<()> {
    let (planned, paths) = (&env.plan.ops[op], &env.store.paths);
    let mut barrier = Barrier::start(env, op, index);
    let tables = |p: usize| -> Result<KeyTable> {
        let path = keys_of(env, index, op, p)?;
        KeyTable::from_bytes(RowFile::open(&path)?.keys()?)
            .with_context(|| format!("cannot read `{}`", path.display()))
    };
    let mut spilled = 0;
    let read = |p: usize| Ok(tables(p)?.ids());
    let mut ids = row_ids(op, partitions, index, memory, &read);
    let table_bytes = global::resolve_groups(
        partitions.len(),
        &tables,
        memory,
        &paths.checkpoints(),
        |p, rows, groups, members| {
            let traced = match &env.trace {
                Some(tracing) => {
                    let mut grouped = Vec::new();
                    members(&mut |row, leader| grouped.push((row, leader)))?;
                    let (to, none) = (barrier.destination(p), (Vec::new(), NO_REASON));
                    trace::record(tracing, to, &mut ids, none, (Fate::Grouped, grouped))?
                }
                None => None,
            };
            let keys = barrier.commit(p, groups.to_bytes(), groups.count, traced, |done| {
                // A group counts in the partition where it begins, other rows where they are.
                done.merged_rows = rows - groups.count;
            })?;
            spilled += keys.bytes + 4 * keys.rows;
            Ok(())
        },
    )
    .with_context(|| format!("op {op} `{}`", planned.name))?;
    barrier.finish(table_bytes, spilled);
    Ok(())
}

const NO_REASON: &dyn Fn(u32) -> Option<String> = &|_| None;

/// Says why a row of the partition of `mask` went because of keys that earlier rows have.
fn why(mask: &Mask) -> impl Fn(u32) -> Option<String> + '_ {
    move |row| {
        let found = mask.counts.as_ref()?.of(row as usize);
        let sum = |first: usize| -> u64 {
            let numbers = found.iter().skip(first).step_by(2);
            numbers.map(|n| u64::from(*n)).sum()
        };
        let (seen, all) = (sum(0), sum(1));
        Some(format!(
            "{} of its {} {} seen before",
            count(seen),
            counted(all, "key"),
            if all == 1 { "was" } else { "were" }
        ))
    }
}

/// The ids of the rows that came to global op `op`.
fn row_ids<'a>(
    op: usize,
    partitions: &[Partition],
    index: &Index,
    memory: usize,
    read: &'a dyn Fn(usize) -> Result<Option<Vec<u64>>>,
) -> RowIds<'a> {
    let rows = |p: &Partition| {
        index
            .get(Artifact::Keys, op, p.id as usize)
            .map_or(0, |keys| keys.rows)
    };
    RowIds::new(partitions.iter().map(rows), memory, read)
}

/// Commits the masks, or groups, of one global op, and totals its rows for the log.
struct Barrier<'a> {
    env: &'a TaskContext<'a>,
    op: usize,
    index: &'a Index,
    started: Instant,
    cpu: Duration,
    /// CPU time of other threads.
    of_others: Duration,
    rows_in: u64,
    rows_out: u64,
}

impl<'a> Barrier<'a> {
    fn start(env: &'a TaskContext<'a>, op: usize, index: &'a Index) -> Self {
        env.log.emit(Event::ResolveStarted {
            op: OpRef::new(op, &env.plan.ops[op].name),
        });
        Self {
            env,
            op,
            index,
            started: Instant::now(),
            cpu: thread_cpu(),
            of_others: Duration::ZERO,
            rows_in: 0,
            rows_out: 0,
        }
    }

    /// Where what the op did with the rows of partition `p` is recorded.
    fn destination(&self, p: usize) -> Destination<'a> {
        let key = self.env.chains.after(p, Some(self.op));
        task::destination(self.env, (self.op, p, key))
    }

    /// Commits the mask or groups `bytes` of partition `p`, which keep `rows` rows; `traced` is
    /// what is recorded of the others. `merge` sets the number of merged rows. Returns the manifest
    /// of the partition's keys.
    fn commit(
        &mut self,
        p: usize,
        bytes: &[u8],
        rows: u64,
        traced: Option<Traced>,
        merge: impl FnOnce(&mut OpDone),
    ) -> Result<Manifest> {
        let (env, op) = (self.env, self.op);
        let keys = self
            .index
            .get(Artifact::Keys, op, p)
            .context("internal error: keys have gone")?;
        let mut account = keys.account.clone();
        account.trace.extend(traced);
        let done = account.op(p, op, &env.plan.ops[op].name);
        done.output_rows = rows;
        merge(done);
        self.rows_in += done.input_rows;
        self.rows_out += done.output_rows;
        env.log.emit(Event::OpCompleted(done.clone()));
        let key = env.chains.after(p, Some(op)).clone();
        let manifest = Store::manifest(Artifact::Mask, key, Some(op), p, rows, account);
        let paths = &env.store.paths;
        self.index.insert(env.store.commit_bytes(
            bytes,
            paths.mask(op, p),
            &paths.mask_manifest(op, p),
            manifest,
        )?);
        Ok(keys)
    }

    fn finish(self, table_bytes: usize, spilled_bytes: u64) {
        self.env.log.emit(Event::ResolveCompleted {
            op: OpRef::new(self.op, &self.env.plan.ops[self.op].name),
            duration: self.started.elapsed().as_secs_f64(),
            cpu_seconds: (thread_cpu().saturating_sub(self.cpu) + self.of_others).as_secs_f64(),
            input_rows: self.rows_in,
            output_rows: self.rows_out,
            peak_memory: table_bytes as u64,
            spilled_bytes,
        });
    }
}
