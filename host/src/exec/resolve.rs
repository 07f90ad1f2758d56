//! The barrier of a global op: makes a mask for each partition from the keys of all, or finds the
//! groups that begin in each.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::context::TaskContext;
use super::executor::Executor;
use super::index::Index;
use super::quarantine::Destination;
use super::scheduler::Workers;
use super::shuffle::{self, Shuffled};
use super::trace::Tracing;
use super::trace::barrier::{self as trace, RowIds};
use super::{barrier_task, task};
use crate::checkpoint::{Artifact, Manifest, Store, Traced};
use crate::data::Partition;
use crate::global::{self, Crew, Duplicates, EachMember, Groups, Mask};
use crate::rundir::events::{Event, OpDone, OpRef};
use crate::rundir::trace::Fate;
use crate::term::{count, counted};
use crate::threads;
use crate::wasm::{Kind, thread_cpu};

/// Masks that are committed at a time: each waits for the disk twice, and there may be 100,000.
const COMMITS: usize = 8;

/// Resolves op `op`, which is step `stage` of the job, unless all its masks exist.
pub(crate) fn run(
    env: &TaskContext<'_>,
    partitions: &[Partition],
    (op, stage): (usize, usize),
    index: &Index,
    (executor, workers): (&dyn Executor, Workers),
) -> Result<()> {
    let memory = workers.resolver_memory;
    if partitions
        .iter()
        .all(|p| index.has(Artifact::Mask, op, p.id as usize))
    {
        return Ok(());
    }
    env.tally.at(op);
    let mut barrier = Barrier::start(env, op, index);
    let keys = (0..partitions.len()).map(|p| keys_of(index, op, p));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let shuffled = match shuffle::layout(env, op, &keys, executor, workers)? {
        Some(layout) => Some(Shuffled::make(env, (op, stage), layout, &keys, executor)?),
        None => None,
    };
    if let Some(shuffled) = &shuffled {
        barrier.of_others = shuffled.cpu();
    }
    match env.plan.ops[op].is_grouper() {
        true => groups(env, barrier, &keys, shuffled.as_ref(), memory)?,
        false => masks(env, barrier, &keys, shuffled.as_ref(), workers)?,
    }
    shuffled.map_or(Ok(()), Shuffled::remove)
}

/// The manifest of the keys of partition `p`.
fn keys_of(index: &Index, op: usize, p: usize) -> Result<Manifest> {
    index
        .get(Artifact::Keys, op, p)
        .context("internal error: keys have gone")
}

/// Makes a mask for each partition.
fn masks(
    env: &TaskContext<'_>,
    mut barrier: Barrier<'_>,
    keys: &[Manifest],
    shuffled: Option<&Shuffled<'_>>,
    workers: Workers,
) -> Result<()> {
    let (op, memory) = (barrier.op, workers.resolver_memory);
    let (planned, paths) = (&env.plan.ops[op], &env.store.paths);
    let mut key_bytes: u64 = keys.iter().map(|keys| keys.bytes).sum();
    let tables = |p: usize| barrier_task::table(env, &keys[p], false);
    let mut found = match env.trace {
        Some(_) => Duplicates::of(keys.len()),
        None => Duplicates::ignored(),
    };
    let resolved = match shuffled {
        Some(shuffled) => {
            key_bytes += shuffled.bytes();
            shuffled.finish(|finish| global::resolve_shuffled(planned, finish, &tables, &mut found))
        }
        None => {
            let crew = Crew::new(memory, workers.threads);
            let scratch = paths.checkpoints();
            let resolved =
                global::resolve(planned, keys.len(), &tables, &crew, &scratch, &mut found);
            barrier.of_others += crew.cpu();
            resolved
        }
    };
    let (masks, table_bytes) = resolved.with_context(|| format!("op {op} `{}`", planned.name))?;
    let traced = match &env.trace {
        Some(tracing) => trace_masks(&barrier, tracing, keys, &masks, (&mut found, memory))?,
        None => masks.iter().map(|_| None).collect(),
    };
    let merge = |done: &mut OpDone| {
        if planned.kind() == Kind::Deduplicator && planned.pool.seen().is_none() {
            done.merged_rows = done.input_rows - done.quarantined_rows - done.output_rows;
        }
    };
    let done = threads::pool(COMMITS, "djhost-commit")?.install(|| {
        let all = masks.par_iter().zip(traced).enumerate().with_max_len(1);
        let commit = |(p, (mask, traced)): (usize, (&Mask, _))| {
            let rows = mask.count() as u64;
            let began = thread_cpu();
            let (_, done) = barrier.write(p, &mask.to_bytes(), rows, traced, merge)?;
            Ok((done, thread_cpu().saturating_sub(began)))
        };
        all.map(commit).collect::<Result<Vec<_>>>()
    })?;
    for (done, cpu) in done {
        barrier.count(done);
        barrier.of_others += cpu;
    }
    barrier.finish(table_bytes, key_bytes);
    Ok(())
}

/// Records which rows masks leave out, and why.
fn trace_masks(
    barrier: &Barrier<'_>,
    tracing: &Tracing,
    keys: &[Manifest],
    masks: &[Mask],
    (found, memory): (&mut Duplicates, usize),
) -> Result<Vec<Option<Traced>>> {
    let (env, planned) = (barrier.env, &barrier.env.plan.ops[barrier.op]);
    let tables = |p: usize| barrier_task::table(env, &keys[p], false);
    let read = |p: usize| Ok(tables(p)?.ids());
    let mut ids = row_ids(keys, memory, &read);
    let mut traced = Vec::with_capacity(masks.len());
    for (p, mask) in masks.iter().enumerate() {
        let merged = found.take(p);
        let dropped = match planned.kind() {
            kind if kind == Kind::Selector || planned.pool.seen().is_some() => {
                let came = tables(p)?.accepted();
                let goes = |row: &usize| came.value(*row) && !mask.is_kept(*row);
                let rows = (0..mask.rows()).filter(goes);
                rows.map(|row| row as u32).collect()
            }
            _ => Vec::new(),
        };
        let to = barrier.destination(p);
        let dropped = (dropped, &why(mask) as &dyn Fn(u32) -> Option<String>);
        let merged = (Fate::Merged, merged);
        traced.push(trace::record(tracing, to, &mut ids, dropped, merged)?);
    }
    Ok(traced)
}

/// Finds the groups that begin in each partition.
fn groups(
    env: &TaskContext<'_>,
    mut barrier: Barrier<'_>,
    keys: &[Manifest],
    shuffled: Option<&Shuffled<'_>>,
    memory: usize,
) -> Result<()> {
    let (op, paths) = (barrier.op, &env.store.paths);
    let planned = &env.plan.ops[op];
    let tables = |p: usize| barrier_task::table(env, &keys[p], true);
    let mut spilled = shuffled.map_or(0, Shuffled::bytes);
    let read = |p: usize| Ok(tables(p)?.ids());
    let mut ids = row_ids(keys, memory, &read);
    let mut each = |p: usize, rows: u64, groups: Groups, members: EachMember<'_>| -> Result<()> {
        let traced = match &env.trace {
            Some(tracing) => {
                let mut grouped = Vec::new();
                members(&mut |row, leader| grouped.push((row, leader)))?;
                let (to, none) = (barrier.destination(p), (Vec::new(), NO_REASON));
                trace::record(tracing, to, &mut ids, none, (Fate::Grouped, grouped))?
            }
            None => None,
        };
        let (bytes, count) = (groups.to_bytes(), groups.count);
        let (keys, done) = barrier.write(p, bytes, count, traced, |done| {
            // A group counts in the partition where it begins, other rows where they are.
            done.merged_rows = rows - count;
        })?;
        barrier.count(done);
        spilled += keys.bytes + 4 * keys.rows;
        Ok(())
    };
    let resolved = match shuffled {
        Some(shuffled) => shuffled.finish(|finish| {
            let accepted = finish.masks(op)?;
            finish.grouped(&accepted, |p, groups, members| {
                each(p, accepted[p].count() as u64, groups, members)
            })
        }),
        None => {
            let scratch = paths.checkpoints();
            global::resolve_groups(keys.len(), &tables, memory, &scratch, each)
        }
    };
    let table_bytes = resolved.with_context(|| format!("op {op} `{}`", planned.name))?;
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

/// The ids of the rows that came to a global op.
fn row_ids<'a>(
    keys: &[Manifest],
    memory: usize,
    read: &'a dyn Fn(usize) -> Result<Option<Vec<u64>>>,
) -> RowIds<'a> {
    RowIds::new(keys.iter().map(|keys| keys.rows), memory, read)
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
    /// of the partition's keys, and what to [count](Self::count).
    fn write(
        &self,
        p: usize,
        bytes: &[u8],
        rows: u64,
        traced: Option<Traced>,
        merge: impl FnOnce(&mut OpDone),
    ) -> Result<(Manifest, OpDone)> {
        let (env, op) = (self.env, self.op);
        let keys = keys_of(self.index, op, p)?;
        let mut account = keys.account.clone();
        account.trace.extend(traced);
        let done = account.op(p, op, &env.plan.ops[op].name);
        done.output_rows = rows;
        merge(done);
        let done = done.clone();
        let key = env.chains.after(p, Some(op)).clone();
        let manifest = Store::manifest(Artifact::Mask, key, Some(op), p, rows, account);
        let paths = &env.store.paths;
        self.index.insert(env.store.commit_bytes(
            bytes,
            paths.mask(op, p),
            &paths.mask_manifest(op, p),
            manifest,
        )?);
        Ok((keys, done))
    }

    /// Totals the rows of a partition, and tells of them.
    fn count(&mut self, done: OpDone) {
        self.rows_in += done.input_rows;
        self.rows_out += done.output_rows;
        self.env.log.emit(Event::OpCompleted(done));
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
