//! One step of a partition: from a base through ops to what is stored next.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};

use super::apply_masks::Masked;
use super::chain::{Chain, Keyer};
use super::context::TaskContext;
use super::meter::Timer;
use super::quarantine::{Destination, Quarantine};
use super::sink::{self, Target, Written};
use super::source::{self, Base, Incoming};
use crate::checkpoint::{Account, Artifact, Manifest, RowFileWriter, Store, WrittenRows};
use crate::data::{Batch, PartInfo, Partition};
use crate::error::Stopped;
use crate::global::KeysWriter;
use crate::partition::identity;
use crate::plan::End;
use crate::plan::lineage_key::Key;
use crate::rundir::events::{CheckpointDone, Event, OpRef};

/// An uninterrupted piece of work on one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// Number of the step within the job, for events.
    pub stage: usize,
    /// Filters and mappers; may be none.
    pub ops: Range<usize>,
    /// Whether the rows are stored after the last op.
    pub store: bool,
    /// What the rows then become.
    pub end: Option<End>,
}

/// Runs a step over the rows of `base` and commits the result: data first, its quarantine next, the
/// manifest last. Returns the manifests.
pub(crate) fn run(
    env: &TaskContext<'_>,
    partition: &Partition,
    base: &Base,
    step: &Task,
) -> Result<Vec<Manifest>> {
    let timer = Timer::start();
    let p = partition.id as usize;
    let last = step.ops.end.checked_sub(1);
    env.log.emit(Event::PartitionStarted {
        partition_id: p,
        stage: step.stage,
        operation_idx: step.ops.start,
        last_operation_idx: match step.end {
            Some(End::Keys(op)) => op,
            _ => last.unwrap_or(0),
        },
        input_bytes: base.rows.as_ref().map_or_else(
            || partition.slices.iter().map(|s| s.end - s.start).sum(),
            |m| m.bytes,
        ),
        input_rows: base.rows.as_ref().map(|m| m.rows),
    });
    let keyed = match step.end {
        Some(End::Keys(op)) => Some(op),
        _ => None,
    };
    let mut work = Work {
        account: base.account.clone(),
        quarantine: Quarantine::new(env.breaker()),
        masked: Masked::new(env.plan, base, p, env.log, env.breaker())?,
        chain: Chain::new(env, step.ops.clone(), p)?,
        keys: keyed.map(|op| KeysWork::new(env, op, p)).transpose()?,
        rows_out: 0,
    };
    let to = destination(env, (step.ops.start, p, env.chains.after(p, last)));
    let part = env.store.paths.part(p, env.part_extension);
    let mut targets = Vec::new();
    if step.store {
        targets.push(Target::Rows(Box::new(
            env.store
                .rows(last.context("a step without ops stores no rows")?, p)?,
        )));
    }
    if let Some(op) = keyed.filter(|op| env.plan.ops[*op].is_grouper()) {
        targets.push(Target::Flat(Box::new(env.store.keys_with_rows(
            op,
            p,
            &env.export,
        )?)));
    }
    if step.end == Some(End::Export) {
        targets.push(Target::Part(
            env.store.storage.create(&part)?,
            env.export.clone(),
        ));
    }
    let (rows_in, written, times) = if targets.is_empty() {
        (
            each_batch(env, partition, base, step, |incoming| {
                let came = work.take(incoming, &mut |_| Ok(()))?;
                work.relieve(env, to)?;
                Ok(came)
            })?,
            Vec::new(),
            sink::Times::default(),
        )
    } else {
        sink::with(targets, |sink| {
            each_batch(env, partition, base, step, |incoming| {
                let came = work.take(incoming, &mut |batch| sink.write(batch))?;
                work.relieve(env, to)?;
                Ok(came)
            })
        })?
    };
    let Work {
        mut account,
        mut quarantine,
        masked,
        chain,
        keys,
        rows_out,
    } = work;
    masked.finish(p, &mut account);
    chain.finish(&mut account);
    finish_quarantine(env, to, &mut account, &mut quarantine)?;
    if base.rows.is_none() && base.masks.is_empty() {
        account.input = identity::content(env.dataset, partition, env.chains.after(p, None))?;
    }
    let (mut manifests, mut flat) = (Vec::new(), None);
    for written in written {
        match written {
            Written::Rows(rows) => manifests.push(commit_rows(
                env,
                *rows,
                p,
                last.unwrap_or(0),
                &account,
                times,
            )?),
            Written::Flat(rows) => flat = Some(*rows),
            Written::Part(file, info) => {
                file.commit()?;
                manifests.push(commit_part(env, info, p, last, &account, &part)?);
            }
        }
    }
    if let Some(keys) = keys {
        manifests.push(keys.commit(env, p, &mut account, flat)?);
    }
    env.log.emit(Event::StageCompleted {
        partition_id: p,
        stage: step.stage,
        duration: timer.seconds().0,
        input_rows: rows_in,
        output_rows: rows_out,
        input_bytes: account.input_bytes - base.account.input_bytes,
    });
    Ok(manifests)
}

/// The state of a step.
struct Work<'a> {
    account: Account,
    quarantine: Quarantine<'a>,
    masked: Masked<'a>,
    chain: Chain<'a>,
    keys: Option<KeysWork<'a>>,
    rows_out: u64,
}

impl Work<'_> {
    /// Sends one batch through the ops, to the keys and on. Returns the number of rows that entered
    /// the ops.
    fn take(&mut self, incoming: Incoming, on: &mut dyn FnMut(Batch) -> Result<()>) -> Result<u64> {
        let (good, bad) = (incoming.batch.rows() as u64, incoming.bad.len() as u64);
        self.account.bad += bad;
        if incoming.fresh {
            self.account.read += good + bad;
            self.account.input_bytes += incoming.bytes;
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
                self.rows_out += batch.rows() as u64;
                if let Some(keys) = &mut self.keys {
                    keys.take(&batch)?;
                }
                on(batch)?;
            }
        }
        Ok(came)
    }

    /// Keeps large rows in quarantine out of memory.
    fn relieve(&mut self, env: &TaskContext<'_>, to: Destination<'_>) -> Result<()> {
        self.quarantine.relieve(to)?;
        if let Some(keys) = &mut self.keys {
            let to = keys.destination(env, to.task.1);
            keys.quarantine.relieve(to)?;
        }
        Ok(())
    }
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
    fn new(env: &TaskContext<'a>, op: usize, p: usize) -> Result<Self> {
        let planned = &env.plan.ops[op];
        env.log.emit(Event::OpStarted {
            partition_id: p,
            op: OpRef::new(op, &planned.name),
        });
        Ok(Self {
            op,
            keyer: Keyer::new(planned, p)?,
            writer: KeysWriter::new(),
            quarantine: Quarantine::new(env.breaker()),
            rows: 0,
        })
    }

    fn take(&mut self, batch: &Batch) -> Result<()> {
        self.rows += batch.rows() as u64;
        for keyed in self.keyer.process(batch, &mut self.quarantine)? {
            self.writer.add(keyed.rows, keyed.output, &keyed.rejected)?;
        }
        Ok(())
    }

    fn destination<'e>(&self, env: &'e TaskContext<'_>, p: usize) -> Destination<'e> {
        destination(env, (self.op, p, env.chains.keys(p, self.op)))
    }

    /// `flat`: the rows of the keys, if they are stored together.
    fn commit(
        mut self,
        env: &TaskContext<'_>,
        p: usize,
        account: &mut Account,
        flat: Option<RowFileWriter>,
    ) -> Result<Manifest> {
        let to = self.destination(env, p);
        account.ops.insert(self.op, self.keyer.finish(env.log));
        finish_quarantine(env, to, account, &mut self.quarantine)?;
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
            &paths.keys(self.op, p),
            &paths.keys_manifest(self.op, p),
            manifest,
        )
    }
}

pub(crate) fn commit_rows(
    env: &TaskContext<'_>,
    rows: WrittenRows,
    p: usize,
    last: usize,
    account: &Account,
    times: sink::Times,
) -> Result<Manifest> {
    let committing = std::time::Instant::now();
    let manifest = env.store.commit_rows(
        rows,
        env.chains.after(p, Some(last)),
        (last, p),
        account,
        times.cpu,
    )?;
    env.log.emit(Event::CheckpointSaved(CheckpointDone {
        partition_id: p,
        op: OpRef::new(last, &env.plan.ops[last].name),
        checkpoint_path: env
            .store
            .paths
            .checkpoints()
            .join(&manifest.data)
            .display()
            .to_string(),
        duration: times.writing + committing.elapsed().as_secs_f64(),
        cpu_seconds: times.cpu,
        stall_seconds: times.stalled,
        output_rows: manifest.rows,
        bytes: manifest.bytes,
        taken_over: false,
    }));
    Ok(manifest)
}

fn commit_part(
    env: &TaskContext<'_>,
    info: PartInfo,
    p: usize,
    last: Option<usize>,
    account: &Account,
    part: &Path,
) -> Result<Manifest> {
    let mut manifest = Store::manifest(
        Artifact::Part,
        env.chains.part(p).clone(),
        last,
        p,
        info.rows,
        account.clone(),
    );
    manifest.data = part
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    manifest.bytes = info.bytes;
    manifest.checksum.clone_from(&info.checksum);
    manifest.part = Some(info);
    env.store
        .write_manifest(&env.store.paths.part_manifest(p), &manifest)?;
    Ok(manifest)
}

/// Sends all rows of the base through `take`; returns their number.
fn each_batch(
    env: &TaskContext<'_>,
    partition: &Partition,
    base: &Base,
    step: &Task,
    mut take: impl FnMut(Incoming) -> Result<u64>,
) -> Result<u64> {
    // Ops that count keys receive the rows of the base once more.
    let first = base
        .masks
        .iter()
        .filter(|mask| mask.counts.is_some())
        .map(|mask| mask.op)
        .min()
        .unwrap_or(step.ops.start);
    let fields = match base.rows.as_ref().map(|rows| rows.op) {
        None => env.plan.fields.clone(),
        Some(Some(op)) if env.plan.ops[op].is_grouper() => env.plan.fields_of_new(op),
        Some(_) => env.plan.fields_after(first),
    };
    let size: u64 = base.rows.as_ref().map_or_else(
        || partition.slices.iter().map(|s| s.end - s.start).sum(),
        |m| m.bytes,
    );
    let (mut rows, mut bytes, mut progress) = (0, 0, Progress::new());
    for incoming in source::open(env, partition, base, fields)? {
        if env.stop.requested() {
            return Err(Stopped.into());
        }
        let incoming = incoming?;
        bytes += incoming.bytes;
        if incoming.fresh {
            // Before the ops: the breaker judges by the rows that have entered.
            env.tally.enter(
                (incoming.batch.rows() + incoming.bad.len()) as u64,
                incoming.bytes,
            );
        }
        rows += take(incoming)?;
        if progress.is_due() {
            env.log.emit(Event::PartitionProgressed {
                partition_id: partition.id as usize,
                stage: step.stage,
                input_rows: rows,
                done_bytes: bytes,
                input_bytes: size,
            });
        }
    }
    Ok(rows)
}

/// Reports now and then how far a partition is.
struct Progress(std::time::Instant);

impl Progress {
    /// Frequent enough for people who watch, too rare to cost anything.
    const EVERY: std::time::Duration = std::time::Duration::from_secs(2);

    fn new() -> Self {
        Self(std::time::Instant::now())
    }

    fn is_due(&mut self) -> bool {
        let due = self.0.elapsed() >= Self::EVERY;
        if due {
            self.0 = std::time::Instant::now();
        }
        due
    }
}

fn destination<'e>(env: &'e TaskContext<'_>, task: (usize, usize, &'e Key)) -> Destination<'e> {
    Destination {
        paths: &env.store.paths,
        storage: &env.store.storage,
        task,
        attempt: env.attempt,
    }
}

fn finish_quarantine(
    env: &TaskContext<'_>,
    to: Destination<'_>,
    account: &mut Account,
    quarantine: &mut Quarantine<'_>,
) -> Result<()> {
    let p = to.task.1;
    let file = quarantine.commit(to)?;
    let path = file
        .as_ref()
        .map(|f| {
            env.store
                .paths
                .quarantine()
                .join(&f.name)
                .display()
                .to_string()
        })
        .unwrap_or_default();
    for (op, reason, rows) in quarantine.reasons() {
        env.log.emit(Event::RowsQuarantined {
            partition_id: p,
            op: op.map(|(index, name)| OpRef::new(*index, name)),
            rows,
            reason: reason.to_owned(),
            quarantine_path: path.clone(),
        });
    }
    account.quarantine.extend(file);
    Ok(())
}
