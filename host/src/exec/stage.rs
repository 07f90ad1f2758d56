//! A task at work: its ops, the keys of a global op, what it sets aside, and its numbers.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::apply_masks::Masked;
use super::chain::{Chain, Keyer};
use super::context::TaskContext;
use super::quarantine::{Destination, Quarantine};
use super::sink::{Sink, Target, Written};
use super::source::{Base, Incoming};
use super::stats;
use super::task::{self, Task};
use super::trace::Ordinals;
use crate::checkpoint::{Account, Artifact, Distribution, Manifest, RowFileWriter, Store};
use crate::data::{Batch, Partition, Slice};
use crate::global::KeysWriter;
use crate::partition::identity;
use crate::plan::End;
use crate::rundir::events::{Event, OpRef};
use crate::wasm::{Cost, thread_cpu};

/// CPU time for which rows go on to the tasks after the one that is at work, while they are in
/// memory: that much work, and no more, is lost with a task that does not end. Rows that do not go
/// on are read from the checkpoint later.
const AHEAD: Duration = Duration::from_secs(2);

/// Names the variable that tests set to the number of batches that go on, whatever the time.
const TEST_AHEAD: &str = "DJHOST_TEST_AHEAD";

/// Whether rows still go on to later tasks. Once they do not, this stays so until the task ends.
pub(super) struct Ahead {
    since: Duration,
    /// Batches that may still go on.
    batches: Cell<u64>,
    ended: Cell<bool>,
}

impl Ahead {
    /// From now on.
    pub(super) fn start() -> Self {
        let set = std::env::var(TEST_AHEAD).ok().and_then(|n| n.parse().ok());
        Self {
            since: thread_cpu(),
            batches: Cell::new(set.unwrap_or(u64::MAX)),
            ended: Cell::new(false),
        }
    }

    /// Whether one more batch goes on.
    fn goes_on(&self) -> bool {
        let left = self.batches.get();
        if left == 0 || thread_cpu().saturating_sub(self.since) > AHEAD {
            self.ended.set(true);
        }
        self.batches.set(left.saturating_sub(1));
        !self.ended.get()
    }
}

/// A task that takes rows.
pub(super) struct Stage<'a> {
    pub(super) task: &'a Task,
    /// Its place among the tasks of the sink.
    number: usize,
    /// What these rows add to the account of the base.
    read: u64,
    bad: u64,
    input_bytes: u64,
    passed_over: BTreeMap<String, u64>,
    /// Lines of each file.
    lines: BTreeMap<usize, u64>,
    quarantine: Quarantine<'a>,
    masked: Masked<'a>,
    chain: Chain<'a>,
    keys: Option<KeysWork<'a>>,
    /// Of the rows that go into the export: their ordinals, and the stats that are expected.
    ordinals: Ordinals,
    expected: &'a [String],
    observed: BTreeMap<String, Distribution>,
    /// Rows of the base that it has had: the first ones, without a gap.
    pub(super) had: u64,
    /// Rows that entered the ops, and that came out.
    rows_in: u64,
    pub(super) rows_out: u64,
    /// Time that its ops took.
    time: Duration,
    is_stored: bool,
    /// Whether an op is so dear that the rows before it must be stored first.
    is_heavy: bool,
}

impl<'a> Stage<'a> {
    /// The task number `number` of some that follow each other; `base` has the rows of the first.
    pub(super) fn new(
        env: &'a TaskContext<'a>,
        task: &'a Task,
        (number, partition): (usize, usize),
        base: Option<&'a Base>,
    ) -> Result<Self> {
        let ops = &env.plan.ops[task.ops.clone()];
        let is_heavy = |pool: &crate::wasm::OpPool| pool.descriptor().cost == Cost::Heavy;
        Ok(Self {
            task,
            number,
            read: 0,
            bad: 0,
            input_bytes: 0,
            passed_over: BTreeMap::new(),
            lines: BTreeMap::new(),
            quarantine: env.quarantine(),
            masked: match base {
                Some(base) => Masked::new(env.plan, base, partition, env.log, env.breaker())?,
                None => Masked::none(),
            },
            chain: Chain::new(env, task.ops.clone(), partition)?,
            keys: task
                .keys()
                .map(|op| KeysWork::new(env, op, partition))
                .transpose()?,
            ordinals: Ordinals::default(),
            expected: match task.end {
                Some(End::Export) => &env.expected,
                _ => &[],
            },
            observed: BTreeMap::new(),
            had: 0,
            rows_in: 0,
            rows_out: 0,
            time: Duration::ZERO,
            is_stored: task.stores_anything(env),
            is_heavy: ops.iter().any(|op| is_heavy(&op.pool))
                || task
                    .keys()
                    .is_some_and(|op| is_heavy(&env.plan.ops[op].pool)),
        })
    }

    /// Files for its results.
    pub(super) fn targets(task: &Task, env: &TaskContext<'_>, p: usize) -> Result<Vec<Target>> {
        let mut targets = Vec::new();
        if task.store {
            let last = task.last().context("a step without ops stores no rows")?;
            targets.push(Target::Rows(Box::new(env.store.rows(last, p)?)));
        }
        if let Some(op) = task.keys().filter(|op| env.plan.ops[*op].is_grouper()) {
            let flat = env.store.keys_with_rows(op, p, &env.export)?;
            targets.push(Target::Flat(Box::new(flat)));
        }
        if task.end == Some(End::Export) {
            let part = env.store.place(env.store.paths.part(p, env.part_extension));
            targets.push(Target::Part(
                env.store.storage.create(&part)?,
                env.export.clone(),
            ));
        }
        Ok(targets)
    }

    /// Emits that the task begins with the rows of `base`.
    pub(super) fn announce(&self, env: &TaskContext<'_>, partition: &Partition, base: &Base) {
        let partition_id = partition.id as usize;
        let (task, last) = (self.task, self.task.last());
        env.log.emit(Event::PartitionStarted {
            partition_id,
            stage: task.stage,
            operation_idx: task.ops.start,
            last_operation_idx: task.keys().or(last).unwrap_or(0),
            input_bytes: task::bytes_of(partition, base),
            input_rows: base.rows.as_ref().map(|m| m.rows),
        });
        for op in task.ops.clone().chain(task.keys()) {
            env.log.emit(Event::OpStarted {
                partition_id,
                op: OpRef::new(op, &env.plan.ops[op].name),
            });
        }
    }

    /// Where its rows in quarantine go.
    fn quarantine_to<'e>(&self, env: &'e TaskContext<'_>, p: usize) -> Destination<'e> {
        let key = env.chains.after(p, self.task.last());
        task::destination(env, (self.task.ops.start, p, key))
    }

    /// Ends the task, whose rows `base` has: commits its quarantine, then what was written, each
    /// with its manifest last. Returns the manifests.
    pub(super) fn finish(
        self,
        env: &TaskContext<'_>,
        partition: &Partition,
        base: &Base,
        sink: &mut Sink<'_, '_>,
    ) -> Result<Vec<Manifest>> {
        let (p, task, last) = (partition.id as usize, self.task, self.task.last());
        let to = self.quarantine_to(env, p);
        let (written, times) = match self.is_stored {
            true => sink.finish(self.number)?,
            false => Default::default(),
        };
        let mut account = base.account.clone();
        account.read += self.read;
        account.bad += self.bad;
        account.input_bytes += self.input_bytes;
        account.pass_over(self.passed_over);
        let is_cut = |s: &&Slice| s.end - s.start < env.dataset.files[s.file].bytes;
        let cut: BTreeSet<usize> = partition
            .slices
            .iter()
            .filter(is_cut)
            .map(|s| s.file)
            .collect();
        let of_cut = self
            .lines
            .into_iter()
            .filter(|(file, _)| cut.contains(file));
        account.lines.extend(of_cut);
        self.masked.finish(p, &mut account);
        self.chain.finish(&mut account);
        let (quarantine, mut observed) = (self.quarantine, self.observed);
        task::finish_quarantine(env, to, &mut account, quarantine, task.ops.clone())?;
        if base.rows.is_none() && base.masks.is_empty() {
            account.input = identity::content(env.dataset, partition, env.chains.after(p, None))?;
        }
        let (mut manifests, mut flat) = (Vec::new(), None);
        for written in written {
            match written {
                Written::Rows(rows) => {
                    let last = last.unwrap_or(0);
                    manifests.push(task::commit_rows(env, *rows, p, last, &account, times)?);
                }
                Written::Flat(rows) => flat = Some(*rows),
                Written::Part(file, info) => {
                    file.commit()?;
                    account.observed = std::mem::take(&mut observed);
                    manifests.push(task::commit_part(env, info, p, last, &account)?);
                }
            }
        }
        if let Some(keys) = self.keys {
            manifests.push(keys.commit(env, p, &mut account, flat)?);
        }
        env.log.emit(Event::StageCompleted {
            partition_id: p,
            stage: task.stage,
            duration: self.time.as_secs_f64(),
            input_rows: self.rows_in,
            output_rows: self.rows_out,
            input_bytes: self.input_bytes,
        });
        Ok(manifests)
    }

    /// Sends one batch through the ops, to the keys and on, with the number of rows that came out
    /// before. Returns the number of rows that entered the ops.
    fn take(
        &mut self,
        incoming: Incoming,
        on: &mut dyn FnMut(u64, Batch) -> Result<()>,
    ) -> Result<u64> {
        let (good, bad) = (incoming.batch.rows() as u64, incoming.bad.len() as u64);
        self.had += good + bad;
        self.bad += bad;
        if incoming.fresh {
            self.read += good + bad;
            self.input_bytes += incoming.bytes;
            if let Some((file, lines)) = incoming.lines {
                *self.lines.entry(file).or_default() += lines;
            }
            for (kind, n) in incoming.passed_over {
                *self.passed_over.entry(kind).or_default() += n;
            }
        }
        for row in incoming.bad {
            self.quarantine.bad(row, incoming.on_error)?;
        }
        let mut came = 0;
        for batch in self
            .masked
            .process(incoming.batch, &mut self.quarantine)?
            .into_iter()
            .filter(|batch| batch.rows() > 0)
        {
            came += batch.rows() as u64;
            for batch in self.chain.process(batch, &mut self.quarantine)? {
                if let Some(keys) = &mut self.keys {
                    keys.take(&batch)?;
                }
                if self.task.end == Some(End::Export) && self.quarantine.recorder.records_written()
                {
                    let pieces = self.ordinals.of(batch.ids.values());
                    self.quarantine.recorder.written(&batch, pieces.as_deref());
                }
                stats::observe(&mut self.observed, self.expected, &batch);
                let before = self.rows_out;
                self.rows_out += batch.rows() as u64;
                on(before, batch)?;
            }
        }
        self.rows_in += came;
        Ok(came)
    }

    /// Keeps large rows in quarantine out of memory.
    fn relieve(&mut self, env: &TaskContext<'_>, p: usize) -> Result<()> {
        let to = self.quarantine_to(env, p);
        self.quarantine.relieve(to)?;
        if let Some(keys) = &mut self.keys {
            keys.quarantine.relieve(keys.quarantine_to(env, p))?;
        }
        Ok(())
    }
}

/// Sends a batch through the first of `stages`, to its files, and as long as `ahead` says so through
/// the others. Returns the number of rows that entered the ops of the first.
pub(super) fn feed(
    env: &TaskContext<'_>,
    stages: &mut [Stage<'_>],
    p: usize,
    incoming: Incoming,
    sink: &mut Sink<'_, '_>,
    ahead: &Ahead,
) -> Result<u64> {
    let Some((stage, later)) = stages.split_first_mut() else {
        return Ok(0);
    };
    let (began, mut elsewhere) = (Instant::now(), Duration::ZERO);
    let (number, is_stored) = (stage.number, stage.is_stored);
    let came = stage.take(incoming, &mut |before, batch| {
        let left = Instant::now();
        match later.first() {
            // The next task has no gap, and none begins.
            Some(next) if next.had == before && !next.is_heavy && ahead.goes_on() => {
                sink.write(number, batch.clone())?;
                feed(env, later, p, Incoming::passed(batch), sink, ahead)?;
            }
            _ if is_stored => sink.write(number, batch)?,
            _ => {}
        }
        elsewhere += left.elapsed();
        Ok(())
    })?;
    stage.relieve(env, p)?;
    stage.time += began.elapsed().saturating_sub(elsewhere);
    Ok(came)
}

/// Makes the keys of a global op. Rows that the op cannot judge go to a quarantine of their own,
/// because the rows before it can be stored without it.
struct KeysWork<'a> {
    op: usize,
    keyer: Keyer<'a>,
    writer: KeysWriter,
    quarantine: Quarantine<'a>,
    rows: u64,
}

impl<'a> KeysWork<'a> {
    fn new(env: &'a TaskContext<'a>, op: usize, p: usize) -> Result<Self> {
        Ok(Self {
            op,
            keyer: Keyer::new(&env.plan.ops[op], p)?,
            writer: match env.trace {
                Some(_) => KeysWriter::with_ids(),
                None => KeysWriter::new(),
            },
            quarantine: env.quarantine(),
            rows: 0,
        })
    }

    fn take(&mut self, batch: &Batch) -> Result<()> {
        self.rows += batch.rows() as u64;
        self.writer.identify(&batch.ids);
        for keyed in self.keyer.process(batch, &mut self.quarantine)? {
            keyed
                .ranks
                .into_iter()
                .for_each(|ranks| self.writer.rank(ranks));
            self.writer.add(keyed.rows, keyed.output, &keyed.rejected)?;
        }
        Ok(())
    }

    fn quarantine_to<'e>(&self, env: &'e TaskContext<'_>, p: usize) -> Destination<'e> {
        task::destination(env, (self.op, p, env.chains.keys(p, self.op)))
    }

    /// `flat`: the rows of the keys, if they are stored together.
    fn commit(
        self,
        env: &TaskContext<'_>,
        p: usize,
        account: &mut Account,
        flat: Option<RowFileWriter>,
    ) -> Result<Manifest> {
        let to = self.quarantine_to(env, p);
        account.ops.insert(self.op, self.keyer.finish(env.log));
        // What it keeps is recorded at its barrier.
        let no_op = self.op..self.op;
        task::finish_quarantine(env, to, account, self.quarantine, no_op)?;
        let manifest = Store::manifest(
            Artifact::Keys,
            env.chains.keys(p, self.op).clone(),
            Some(self.op),
            p,
            self.rows,
            account.clone(),
        );
        let (paths, keys) = (&env.store.paths, self.writer.finish()?);
        if let Some(flat) = flat {
            return env.store.commit_keys_with_rows(flat, &keys, manifest);
        }
        env.store.commit_bytes(
            &keys,
            paths.keys(self.op, p),
            &paths.keys_manifest(self.op, p),
            manifest,
        )
    }
}
