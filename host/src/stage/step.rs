//! One step of a partition: from a base through ops to what is stored next.

use std::ops::Range;

use anyhow::{Context, Result, bail};

use super::chain::{Chain, Keyer};
use super::meter::{Tally, Timer};
use super::quarantine::Quarantine;
use super::sink::{self, Target, Written};
use super::source::{self, Base};
use crate::checkpoint::{Account, Artifact, Manifest, Store};
use crate::config::OnError;
use crate::dataset::{Dataset, ExportOptions, Partition, ReadOptions};
use crate::error::Stopped;
use crate::event::{CheckpointDone, Event, EventLog, OpRef};
use crate::global::KeysWriter;
use crate::job::StopFlag;
use crate::plan::{Chains, Plan};

/// What all tasks of a job share.
pub struct Env<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The keys of all partitions.
    pub chains: &'a Chains,
    /// The input.
    pub dataset: &'a Dataset,
    /// How it is read; the fields are those of the first ops.
    pub read: ReadOptions,
    /// Where results are kept.
    pub store: Store,
    /// How the export's parts are written.
    pub export: ExportOptions,
    /// Extension of the parts.
    pub part_extension: &'static str,
    /// The events.
    pub log: &'a EventLog,
    /// Whether the job is to stop.
    pub stop: &'a StopFlag,
    /// Rows so far.
    pub tally: &'a Tally,
    /// What happens to rows that the reader refuses.
    pub on_error: OnError,
    /// Share of rows in quarantine above which the job fails.
    pub max_quarantine: f64,
    /// The attempt of the job, from 1.
    pub attempt: u32,
}

/// What a step ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Rows after the last op of the step.
    Rows,
    /// Keys for a global op.
    Keys(usize),
    /// The part of the export.
    Part,
}

/// Runs `ops` over the rows of `base` and commits the result: data first, quarantine with it, manifest last. `stage` numbers the step within
/// the job, for events and file names.
pub fn run(env: &Env<'_>, partition: &Partition, base: &Base, ops: Range<usize>, step: Step, stage: usize) -> Result<Manifest> {
    let timer = Timer::start();
    let p = partition.id as usize;
    env.log.emit(Event::PartitionStarted {
        partition_id: p,
        stage,
        operation_idx: ops.start,
        last_operation_idx: match step {
            Step::Keys(op) => op,
            _ => ops.end.saturating_sub(1).max(ops.start),
        },
        input_bytes: base.rows.as_ref().map_or_else(|| partition.slices.iter().map(|s| s.end - s.start).sum(), |m| m.bytes),
        input_rows: base.rows.as_ref().map(|m| m.rows),
    });
    let mut account = base.account.clone();
    let mut quarantine = Quarantine::new();
    let (manifest, rows_in) = match step {
        Step::Keys(op) => keys(env, partition, base, op, &mut account, &mut quarantine, stage)?,
        Step::Rows => {
            let last = ops.end.checked_sub(1).context("a step without ops stores no rows")?;
            let target = Target::Rows(env.store.rows(last, p)?);
            let (rows_in, written, times) = sink::with(target, |sink| through(env, partition, base, ops, &mut account, &mut quarantine, sink))?;
            let Written::Rows(rows) = written else { bail!("internal error: rows were written as something else") };
            finish_quarantine(env, p, stage, &mut account, &mut quarantine)?;
            let committing = std::time::Instant::now();
            let manifest = env.store.commit_rows(rows, env.chains.after(p, Some(last)), last, p, &account)?;
            env.log.emit(Event::CheckpointSaved(CheckpointDone {
                partition_id: p,
                op: OpRef::new(last, &env.plan.ops[last].name),
                checkpoint_path: env.store.paths.checkpoints().join(&manifest.data).display().to_string(),
                duration: times.writing + committing.elapsed().as_secs_f64(),
                cpu_seconds: times.cpu,
                stall_seconds: times.stalled,
                output_rows: manifest.rows,
                bytes: manifest.bytes,
            }));
            (manifest, rows_in)
        }
        Step::Part => part(env, partition, base, ops, &mut account, &mut quarantine, stage)?,
    };
    let duration = timer.seconds().0;
    env.log.emit(Event::StageCompleted {
        partition_id: p,
        stage,
        duration,
        input_rows: rows_in,
        output_rows: manifest.rows,
        input_bytes: account.input_bytes - base.account.input_bytes,
    });
    Ok(manifest)
}

/// Pulls all rows through the ops into the sink; gives the number of rows that came in.
fn through(
    env: &Env<'_>,
    partition: &Partition,
    base: &Base,
    ops: Range<usize>,
    account: &mut Account,
    quarantine: &mut Quarantine,
    sink: &mut sink::Sink,
) -> Result<u64> {
    let mut chain = Chain::new(&env.plan.ops[ops.clone()], partition.id as usize, env.log)?;
    let rows = each_batch(env, partition, base, ops, account, quarantine, |batch, quarantine| {
        chain.process(batch, quarantine)?.into_iter().try_for_each(|out| sink.write(out))
    })?;
    chain.finish(account);
    Ok(rows)
}

fn each_batch(
    env: &Env<'_>,
    partition: &Partition,
    base: &Base,
    ops: Range<usize>,
    account: &mut Account,
    quarantine: &mut Quarantine,
    mut work: impl FnMut(crate::dataset::Batch, &mut Quarantine) -> Result<()>,
) -> Result<u64> {
    let fields = if base.rows.is_none() { env.plan.fields.clone() } else { env.plan.fields_after(ops) };
    let mut rows = 0;
    let mut progress = Progress::new();
    let size: u64 = partition.slices.iter().map(|s| s.end - s.start).sum();
    let mut bytes = 0;
    for incoming in source::open(env, partition, base, fields)? {
        if env.stop.requested() {
            return Err(Stopped.into());
        }
        let incoming = incoming?;
        let (good, bad) = (incoming.batch.rows() as u64, incoming.bad.len() as u64);
        if incoming.fresh {
            account.read += good + bad;
            account.bad += bad;
            account.input_bytes += incoming.bytes;
        }
        incoming.bad.into_iter().try_for_each(|b| quarantine.bad(b, env.on_error))?;
        let before = quarantine.count();
        rows += good;
        bytes += incoming.bytes;
        if good > 0 {
            work(incoming.batch, quarantine)?;
        }
        env.tally.enter(if incoming.fresh { good + bad } else { 0 }, bad + quarantine.count() - before, incoming.bytes, env.max_quarantine)?;
        if progress.is_due() {
            env.log.emit(Event::PartitionProgressed {
                partition_id: partition.id as usize,
                stage: 0,
                input_rows: rows,
                done_bytes: bytes,
                input_bytes: size,
            });
        }
    }
    Ok(rows)
}

/// Says once in a while how far a partition is.
struct Progress(std::time::Instant);

impl Progress {
    /// Often enough for somebody who watches, too seldom to cost.
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

fn keys(
    env: &Env<'_>,
    partition: &Partition,
    base: &Base,
    op: usize,
    account: &mut Account,
    quarantine: &mut Quarantine,
    stage: usize,
) -> Result<(Manifest, u64)> {
    let p = partition.id as usize;
    let planned = &env.plan.ops[op];
    env.log.emit(Event::OpStarted { partition_id: p, op: OpRef::new(op, &planned.name) });
    let mut keyer = Keyer::new(planned, p)?;
    let mut keys = KeysWriter::new();
    let rows = each_batch(env, partition, base, op..op, account, quarantine, |batch, quarantine| {
        for keyed in keyer.process(&batch, quarantine)? {
            keys.add(keyed.rows, keyed.output, &keyed.rejected)?;
        }
        Ok(())
    })?;
    account.ops.insert(op, keyer.finish());
    finish_quarantine(env, p, stage, account, quarantine)?;
    let bytes = keys.finish()?;
    let manifest = Store::manifest(Artifact::Keys, env.chains.keys(p, op).clone(), Some(op), p, rows, account.clone());
    let paths = &env.store.paths;
    let manifest = env.store.commit_bytes(&bytes, &paths.keys(op, p), &paths.keys_manifest(op, p), manifest)?;
    Ok((manifest, rows))
}

fn part(
    env: &Env<'_>,
    partition: &Partition,
    base: &Base,
    ops: Range<usize>,
    account: &mut Account,
    quarantine: &mut Quarantine,
    stage: usize,
) -> Result<(Manifest, u64)> {
    let p = partition.id as usize;
    let paths = &env.store.paths;
    let path = paths.part(p, env.part_extension);
    let temporary = path.with_file_name(format!(".part_{p:04}.tmp"));
    let target = Target::Part(temporary.clone(), env.export.clone());
    let last = ops.end.checked_sub(1);
    let (rows_in, written, _) = sink::with(target, |sink| through(env, partition, base, ops, account, quarantine, sink))?;
    let Written::Part(info) = written else { bail!("internal error: a part was written as something else") };
    finish_quarantine(env, p, stage, account, quarantine)?;
    std::fs::File::open(&temporary).and_then(|f| f.sync_all()).with_context(|| format!("cannot sync `{}`", temporary.display()))?;
    env.store.storage.rename(&temporary, &path)?;
    let mut manifest = Store::manifest(Artifact::Part, env.chains.part(p), last, p, info.rows, account.clone());
    manifest.data = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    manifest.bytes = info.bytes;
    manifest.checksum.clone_from(&info.checksum);
    manifest.part = Some(info);
    env.store.storage.write_json(&paths.part_manifest(p), &manifest)?;
    Ok((manifest, rows_in))
}

fn finish_quarantine(env: &Env<'_>, p: usize, stage: usize, account: &mut Account, quarantine: &mut Quarantine) -> Result<()> {
    let file = quarantine.commit(&env.store.paths, &env.store.storage, env.dataset, stage, p, env.attempt)?;
    let path = file.as_ref().map(|f| env.store.paths.quarantine().join(&f.name).display().to_string()).unwrap_or_default();
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
