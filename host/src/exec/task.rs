//! Steps of a partition: each from where rows are stored through ops to what is stored next.

use std::ops::Range;

use anyhow::Result;

use super::context::TaskContext;
use super::quarantine::{Destination, Quarantine};
use super::sink;
use super::source::{self, Base, Incoming};
use super::stage::{Ahead, Stage, feed};
use crate::checkpoint::{Account, Artifact, Manifest, Store, WrittenRows};
use crate::data::{PartInfo, Partition};
use crate::error::Stopped;
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

impl Task {
    /// The last op.
    pub(crate) fn last(&self) -> Option<usize> {
        self.ops.end.checked_sub(1)
    }

    /// The global op that gets keys.
    pub(crate) fn keys(&self) -> Option<usize> {
        match self.end {
            Some(End::Keys(op)) => Some(op),
            _ => None,
        }
    }

    /// Whether rows are written.
    pub(crate) fn stores_anything(&self, env: &TaskContext<'_>) -> bool {
        self.store
            || self.end == Some(End::Export)
            || self.keys().is_some_and(|op| env.plan.ops[op].is_grouper())
    }
}

/// Runs tasks that follow each other, the first one over the rows of `base`. Each commits its
/// result before the next one ends: data first, its quarantine next, the manifest last, which
/// `committed` then gets.
///
/// Rows in memory go on to the tasks after the one at work for some time ([`stage::feed`]); a task
/// reads only those rows of its base that it has not had.
pub(crate) fn run(
    env: &TaskContext<'_>,
    partition: &Partition,
    base: &Base,
    tasks: &[Task],
    committed: &dyn Fn(Manifest),
) -> Result<()> {
    let p = partition.id as usize;
    let (mut stages, mut targets) = (Vec::new(), Vec::new());
    for (number, task) in tasks.iter().enumerate() {
        let its_base = (number == 0).then_some(base);
        stages.push(Stage::new(env, task, (number, p), its_base)?);
        targets.push(Stage::targets(task, env, p)?);
    }
    sink::with(targets, |sink| {
        let mut base = base.clone();
        let mut stored = None;
        while !stages.is_empty() {
            stages[0].announce(env, partition, &base);
            let next = (stages[0].task, stages[0].had);
            if stored != Some(next.1) {
                let ahead = Ahead::start();
                each_batch(env, partition, &base, next, |incoming| {
                    feed(env, &mut stages, p, incoming, sink, &ahead)
                })?;
            }
            stored = Some(stages[0].rows_out);
            for manifest in stages.remove(0).finish(env, partition, &base, sink)? {
                if manifest.artifact == Artifact::Rows {
                    base = Base {
                        account: manifest.account.clone(),
                        rows: Some(manifest.clone()),
                        masks: Vec::new(),
                    };
                }
                committed(manifest);
            }
        }
        Ok(())
    })
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

pub(super) fn commit_part(
    env: &TaskContext<'_>,
    info: PartInfo,
    p: usize,
    last: Option<usize>,
    account: &Account,
) -> Result<Manifest> {
    let mut manifest = Store::manifest(
        Artifact::Part,
        env.chains.part(p).clone(),
        last,
        p,
        info.rows,
        account.clone(),
    );
    let part = env.store.place(env.store.paths.part(p, env.part_extension));
    manifest.data = part
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    manifest.bytes = info.bytes;
    manifest.checksum.clone_from(&info.checksum);
    manifest.part = Some(info);
    env.store
        .commit(&env.store.paths.part_manifest(p), &manifest)?;
    Ok(manifest)
}

/// Bytes of the rows of a base.
pub(super) fn bytes_of(partition: &Partition, base: &Base) -> u64 {
    base.rows.as_ref().map_or_else(
        || partition.slices.iter().map(|s| s.end - s.start).sum(),
        |m| m.bytes,
    )
}

/// Sends the rows of the base that `step` has not had through `take`, which returns how many it
/// took; `had` of them before.
fn each_batch(
    env: &TaskContext<'_>,
    partition: &Partition,
    base: &Base,
    (step, had): (&Task, u64),
    mut take: impl FnMut(Incoming) -> Result<u64>,
) -> Result<()> {
    // Ops that count keys receive the rows of the base once more, and masks may have fields.
    let first = base
        .masks
        .iter()
        .filter(|mask| mask.counts.is_some() || mask.clusters.is_some())
        .map(|mask| mask.op)
        .min()
        .unwrap_or(step.ops.start);
    let fields = match base.rows.as_ref().map(|rows| rows.op) {
        None => env.plan.fields.clone(),
        Some(Some(op)) if env.plan.ops[op].is_grouper() => env.plan.fields_of_new(op),
        Some(_) => env.plan.fields_after(first),
    };
    let size = bytes_of(partition, base);
    let (mut rows, mut bytes, mut progress) = (had, 0, Progress::new());
    for incoming in source::open(env, partition, base, fields, had)? {
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
    Ok(())
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

pub(super) fn destination<'e>(
    env: &'e TaskContext<'_>,
    task: (usize, usize, &'e Key),
) -> Destination<'e> {
    Destination {
        paths: &env.store.paths,
        storage: &env.store.storage,
        task,
        attempt: env.attempt,
    }
}

/// Commits what a task set aside, and what it recorded of the rows of `ops`.
pub(super) fn finish_quarantine(
    env: &TaskContext<'_>,
    to: Destination<'_>,
    account: &mut Account,
    mut quarantine: Quarantine<'_>,
    ops: Range<usize>,
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
    account.trace.extend(quarantine.recorder.commit(to, ops)?);
    Ok(())
}
