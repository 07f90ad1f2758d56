//! The ops of a task, applied in turn to each batch.

use std::collections::BTreeMap;

use anyhow::Result;
use arrow::array::{BooleanArray, Float64Array};

use super::apply::{apply, reject_unheld, rejected_rows};
use super::context::TaskContext;
use super::isolate::{Caller, Failures, Piece};
use super::meter::Timer;
use super::quarantine::Quarantine;
use super::rank;
use super::rewrite::Rewrite;
use super::stats::each_number;
use super::trace::Ordinals;
use crate::checkpoint::Account;
use crate::data::Batch;
use crate::data::refresh::refresh;
use crate::plan::PlannedOp;
use crate::rundir::events::{Event, EventLog, OpDone, OpRef, Range};
use crate::wasm::{Kind, OpInstance, Output, Reply, row_sizes};

/// Ops with an instance each, for one partition.
pub(crate) struct Chain<'a> {
    links: Vec<Link<'a>>,
    partition: usize,
    log: &'a EventLog,
}

struct Link<'a> {
    op: &'a PlannedOp,
    instance: OpInstance,
    done: OpDone,
    failures: Failures,
    bytes_before: u64,
    rewrite: Option<Rewrite<'a>>,
    /// New values must have the types of their columns.
    keeps_columns: bool,
    /// The job is an analysis.
    analysis: Option<Analysis>,
    /// Of the rows that come to it.
    ordinals: Ordinals,
}

/// Keys of some rows for a global op.
pub(crate) struct KeyedRows {
    /// Number of rows with an answer or a rejection, which are in order.
    pub(crate) rows: usize,
    /// The operator's answer; None where it failed.
    pub(crate) output: Option<Output>,
    /// Rows that were rejected, by position.
    pub(crate) rejected: Vec<usize>,
    /// By what they are compared with their duplicates, if the op does so.
    pub(crate) ranks: Option<Float64Array>,
}

impl KeyedRows {
    /// One row that `op` has no answer for.
    fn failed(op: &PlannedOp) -> Self {
        Self {
            rows: 1,
            output: None,
            rejected: vec![0],
            ranks: op.pool.clusters().keep.ranks().then(|| rank::none(1)),
        }
    }
}

impl<'a> Chain<'a> {
    /// Takes an instance of each op. The caller emits that they begin.
    pub(crate) fn new(
        env: &'a TaskContext<'a>,
        ops: std::ops::Range<usize>,
        partition: usize,
    ) -> Result<Self> {
        let ops = &env.plan.ops[ops];
        let mut chain = Self::quiet(ops, partition, env.log)?;
        for link in &mut chain.links {
            link.rewrite = Rewrite::of(env, link.op);
            link.keeps_columns = env.export.keeps_columns();
            link.analysis = env.plan.analysis.map(|ratio| Analysis {
                ratio: (link.op.index == 0 && ratio < 1.0).then_some(ratio),
                is_last: link.op.index + 1 == env.plan.ops.len(),
            });
        }
        Ok(chain)
    }

    /// The same for ops whose start and end are already in the log.
    pub(crate) fn quiet(ops: &'a [PlannedOp], partition: usize, log: &'a EventLog) -> Result<Self> {
        let links = ops
            .iter()
            .map(|op| Link::new(op, partition))
            .collect::<Result<_>>()?;
        Ok(Self {
            links,
            partition,
            log,
        })
    }

    /// Returns the rows that come out of all filters and mappers, in order, mostly in one batch.
    pub(crate) fn process(
        &mut self,
        batch: Batch,
        quarantine: &mut Quarantine<'_>,
    ) -> Result<Vec<Batch>> {
        let mut batches = vec![batch];
        for link in &mut self.links {
            quarantine.breaker.tally.at(link.op.index);
            let timer = Timer::start();
            let mut out = Vec::with_capacity(batches.len());
            for batch in batches.into_iter().filter(|b| b.rows() > 0) {
                if let Err(error) = link.through(&batch, quarantine, &mut out) {
                    self.log.emit(Event::OpFailed {
                        partition_id: self.partition,
                        op: OpRef::new(link.op.index, &link.op.name),
                        duration: link.done.duration + timer.seconds().0,
                        error_message: format!("{error:#}"),
                        error_type: "operator".into(),
                    });
                    let op = format!("op {} `{}`", link.op.index, link.op.name);
                    // Some errors say of which op they speak.
                    return Err(match error.to_string().starts_with(&op) {
                        true => error,
                        false => error.context(op),
                    });
                }
            }
            let (wall, cpu) = timer.seconds();
            link.done.duration += wall;
            link.done.cpu_seconds += cpu;
            batches = out;
        }
        batches.retain(|b| b.rows() > 0);
        Ok(batches)
    }

    /// The numbers of the ops.
    pub(crate) fn done(self) -> impl Iterator<Item = OpDone> {
        self.links.into_iter().map(Link::finish)
    }

    /// Emits the ends of all ops and adds their numbers to the account.
    pub(crate) fn finish(self, account: &mut Account) {
        for link in self.links {
            link.report(self.log);
            let done = link.finish();
            self.log.emit(Event::OpCompleted(done.clone()));
            let total = account.op(self.partition, done.op.index, &done.op.name);
            *total = done;
        }
    }
}

impl<'a> Link<'a> {
    fn new(op: &'a PlannedOp, partition: usize) -> Result<Self> {
        let instance = op.pool.checkout()?;
        Ok(Self {
            op,
            bytes_before: instance.bytes_in(),
            instance,
            done: OpDone {
                partition_id: partition,
                op: OpRef::new(op.index, &op.name),
                // What has changed of a whole row is not known.
                changed_rows: (op.kind() == Kind::Mapper && !op.changes_shape()).then_some(0),
                ..OpDone::default()
            },
            failures: Failures::default(),
            rewrite: None,
            keeps_columns: false,
            analysis: None,
            ordinals: Ordinals::default(),
        })
    }

    fn through(
        &mut self,
        batch: &Batch,
        quarantine: &mut Quarantine<'_>,
        out: &mut Vec<Batch>,
    ) -> Result<()> {
        self.done.input_rows += batch.rows() as u64;
        let sample = self
            .analysis
            .map(|analysis| analysis.sample(batch))
            .transpose()?;
        let batch = sample.as_ref().unwrap_or(batch);
        if batch.rows() == 0 {
            return Ok(());
        }
        let pieces = self.pieces(batch, quarantine);
        if self.op.refreshes.is_empty() {
            return self.answer((batch, &pieces), quarantine, out);
        }
        for (batch, start) in self.refreshed((batch, &pieces), quarantine)? {
            if let Some(batch) = batch {
                self.answer((&batch, &pieces.from(start)), quarantine, out)?;
            }
        }
        Ok(())
    }

    /// The ordinals of the rows of the next batch.
    fn pieces(&mut self, batch: &Batch, quarantine: &Quarantine<'_>) -> Pieces {
        match quarantine.recorder.is_on() {
            true => Pieces::new(self.ordinals.of(batch.ids.values())),
            false => Pieces::default(),
        }
    }

    /// The rows of `batch` with what the op uses as it is now, in pieces, each with the number of its
    /// first row: some rows, or None for one that lacks what the op requires and is in quarantine.
    fn refreshed(
        &mut self,
        (batch, ordinals): (&Batch, &Pieces),
        quarantine: &mut Quarantine<'_>,
    ) -> Result<Vec<(Option<Batch>, usize)>> {
        let mut fresh = batch.clone();
        let missing = refresh(&mut fresh, &self.op.refreshes)?;
        let (mut pieces, mut start) = (Vec::new(), 0);
        for (row, reason) in missing {
            let (name, row) = ((self.op.index, self.op.name.as_str()), row as usize);
            self.done.quarantined_rows += 1;
            let missing = (&batch.slice(row, 1), ordinals.of(row));
            quarantine.rejected(name, missing, reason, self.op.on_error)?;
            pieces.push((Some(fresh.slice(start, row - start)), start));
            pieces.push((None, row));
            start = row + 1;
        }
        pieces.push((Some(fresh.slice(start, fresh.rows() - start)), start));
        pieces.retain(|(piece, _)| piece.as_ref().is_none_or(|batch| batch.rows() > 0));
        Ok(pieces)
    }

    fn answer(
        &mut self,
        (batch, pieces): (&Batch, &Pieces),
        quarantine: &mut Quarantine<'_>,
        out: &mut Vec<Batch>,
    ) -> Result<()> {
        let (op, done, rewrite) = (self.op, &mut self.done, self.rewrite.as_ref());
        let keeps_columns = self.keeps_columns;
        let analysis = self.analysis;
        let mut caller = caller(op, &mut self.instance, &mut self.failures, quarantine);
        let with_rows = rewrite.map(|rewrite| rewrite.given(batch)).transpose()?;
        let mut at = 0;
        caller.ask(with_rows.as_ref().unwrap_or(batch), &mut |piece| {
            let pieces = pieces.next(&mut at, &piece);
            if let Some((part, reply)) =
                answered(op, done, (piece, &pieces), keeps_columns, quarantine)?
            {
                quarantine
                    .recorder
                    .answered(op, &part, pieces.all(), &reply)?;
                observe(op, &reply, &mut done.stats);
                let reply = match analysis {
                    Some(_) => all_kept(reply),
                    None => reply,
                };
                let (mut made, fate) = apply(&part, reply)?;
                if analysis.is_some_and(|analysis| analysis.is_last) {
                    made = made.slice(0, 0);
                }
                done.created_rows += fate.created;
                if let Some(changed) = &mut done.changed_rows {
                    *changed += fate.changed;
                }
                if let Some(rewrite) = rewrite {
                    let (good, bad) = rewrite.made(made, out)?;
                    done.output_rows += good;
                    for row in bad {
                        done.quarantined_rows += 1;
                        quarantine.bad_of((op.index, op.name.as_str()), row, op.on_error)?;
                    }
                    return Ok(());
                }
                done.output_rows += made.rows() as u64;
                match fate.created {
                    0 => out.push(made),
                    _ => cut(&made, op.pool.limits().batch as u64, out),
                }
            }
            Ok(())
        })
    }

    fn key(
        &mut self,
        (batch, pieces): (&Batch, &Pieces),
        quarantine: &mut Quarantine<'_>,
        keyed: &mut Vec<KeyedRows>,
    ) -> Result<()> {
        let (op, done) = (self.op, &mut self.done);
        let mut caller = caller(op, &mut self.instance, &mut self.failures, quarantine);
        let mut at = 0;
        caller.ask(batch, &mut |piece| {
            let pieces = pieces.next(&mut at, &piece);
            keyed.push(
                match answered(op, done, (piece, &pieces), false, quarantine)? {
                    Some((part, reply)) => {
                        let rejected = reply.rejected.iter().map(|r| r.row as usize).collect();
                        KeyedRows {
                            ranks: rank::ranks(op, &part)?,
                            rows: part.rows(),
                            output: Some(reply.output),
                            rejected,
                        }
                    }
                    None => KeyedRows::failed(op),
                },
            );
            Ok(())
        })
    }

    /// Logs on how many rows of the partition the guest trapped, if any.
    fn report(&self, log: &EventLog) {
        if let Some(reason) = &self.failures.first {
            let op = OpRef::new(self.op.index, &self.op.name);
            let (partition_id, rows) = (self.done.partition_id, self.failures.failed);
            log.emit(Event::OpTrapped {
                partition_id,
                op,
                rows,
                error_message: reason.clone(),
            });
        }
    }

    fn finish(mut self) -> OpDone {
        self.done.traps = self.failures.calls;
        self.done.input_bytes = self.instance.bytes_in() - self.bytes_before;
        self.done.peak_memory = self.instance.peak_memory() as u64;
        self.op.pool.give_back(self.instance);
        self.done
    }
}

/// Widens the ranges of the stats of `op` by those of an answer.
fn observe(op: &PlannedOp, reply: &Reply, ranges: &mut BTreeMap<String, Range>) {
    let Output::Filtered { stats, .. } = &reply.output else {
        return;
    };
    if op.wanted_stats.is_some() {
        return;
    }
    // What a rejected row has means nothing.
    let is_good = |row: usize| {
        let row = row as u32;
        reply
            .rejected
            .binary_search_by_key(&row, |r| r.row)
            .is_err()
    };
    for stat in stats {
        let mut here: Option<Range> = None;
        let mut widen = |row: usize, number: f64| {
            if number.is_finite() && (reply.rejected.is_empty() || is_good(row)) {
                let one = Range {
                    min: number,
                    max: number,
                };
                here = Some(here.map_or(one, |range| range.with(one)));
            }
        };
        each_number(&stat.data, &mut widen);
        if let Some(here) = here {
            let all = ranges.entry(stat.key.clone()).or_insert(here);
            *all = all.with(here);
        }
    }
}

/// What an analysis does at an op: filters judge rows and keep them. At the end none is left, so that
/// nothing is written, and the account says that the last op dropped them.
#[derive(Clone, Copy)]
struct Analysis {
    /// The share of rows that goes in.
    ratio: Option<f64>,
    /// The op is the last.
    is_last: bool,
}

impl Analysis {
    /// The rows that are looked at: those of which a hash of their id is low.
    fn sample(self, batch: &Batch) -> Result<Batch> {
        let Some(ratio) = self.ratio else {
            return Ok(batch.clone());
        };
        let below = (ratio * u64::MAX as f64) as u64;
        let is_in = |id: &u64| xxhash_rust::xxh3::xxh3_64(&id.to_le_bytes()) <= below;
        let chosen: BooleanArray = batch
            .ids
            .values()
            .iter()
            .map(|id| Some(is_in(id)))
            .collect();
        batch.filter(&chosen)
    }
}

/// A filter's answer that keeps every row.
fn all_kept(mut reply: Reply) -> Reply {
    if let Output::Filtered { keep, .. } = &mut reply.output {
        *keep = BooleanArray::from(vec![true; keep.len()]);
    }
    reply
}

/// The ordinals of some rows, among those with their id; all are 0 if there are none.
#[derive(Default)]
struct Pieces(Option<Vec<u32>>);

impl Pieces {
    fn new(ordinals: Option<Vec<u32>>) -> Self {
        Self(ordinals)
    }

    fn of(&self, row: usize) -> u32 {
        self.0.as_ref().map_or(0, |all| all[row])
    }

    fn all(&self) -> Option<&[u32]> {
        self.0.as_deref()
    }

    /// Those of the rows from number `start` on.
    fn from(&self, start: usize) -> Self {
        Self(self.0.as_ref().map(|all| all[start..].to_vec()))
    }

    /// Those of the rows of `piece`, which begins at row `at`; moves `at` behind it.
    fn next(&self, at: &mut usize, piece: &Piece) -> Self {
        let (start, rows) = (*at, piece.rows());
        *at += rows;
        Self(self.0.as_ref().map(|all| all[start..start + rows].to_vec()))
    }
}

/// Calls `op` with an instance of it, which it replaces when it dies.
fn caller<'a>(
    op: &'a PlannedOp,
    slot: &'a mut OpInstance,
    failures: &'a mut Failures,
    quarantine: &Quarantine<'a>,
) -> Caller<'a> {
    Caller {
        pool: &op.pool,
        fallbacks: &op.fallbacks,
        slot,
        failures,
        breaker: quarantine.breaker,
    }
}

/// Cuts rows into batches of the usual size: a mapper may have made any number, and the writer
/// copies a batch as a whole.
fn cut(made: &Batch, batch_bytes: u64, out: &mut Vec<Batch>) {
    let sizes = row_sizes(made);
    let mut start = 0;
    while start < made.rows() {
        let (mut end, mut bytes) = (start, 0);
        while end < made.rows() && (bytes < batch_bytes || end == start) {
            bytes += sizes[end];
            end += 1;
        }
        out.push(made.slice(start, end - start));
        start = end;
    }
}

/// The rows with an answer; rejected and failed ones go to quarantine.
fn answered(
    op: &PlannedOp,
    done: &mut OpDone,
    (piece, pieces): (Piece, &Pieces),
    keeps_columns: bool,
    quarantine: &mut Quarantine<'_>,
) -> Result<Option<(Batch, Reply)>> {
    let name = (op.index, op.name.as_str());
    match piece {
        Piece::Answered(part, mut reply) => {
            done.output_beyond += reply.beyond;
            quarantine
                .breaker
                .tally
                .made(op, reply.beyond, quarantine.breaker.dataset)?;
            if keeps_columns {
                reject_unheld(&part, &mut reply)?;
            }
            for (at, row, reason) in rejected_rows(&part, &reply.rejected) {
                done.quarantined_rows += 1;
                quarantine.rejected(name, (&row, pieces.of(at)), reason, op.on_error)?;
            }
            Ok(Some((part, reply)))
        }
        Piece::Failed(row, reason) => {
            done.quarantined_rows += 1;
            quarantine.rejected(name, (&row, pieces.of(0)), reason, op.on_error)?;
            Ok(None)
        }
    }
}

/// A global op with an instance, for one partition.
pub(crate) struct Keyer<'a> {
    link: Link<'a>,
}

impl<'a> Keyer<'a> {
    pub(crate) fn new(op: &'a PlannedOp, partition: usize) -> Result<Self> {
        let link = Link::new(op, partition)?;
        Ok(Self { link })
    }

    /// Returns the keys of all rows of the batch, in order.
    pub(crate) fn process(
        &mut self,
        batch: &Batch,
        quarantine: &mut Quarantine<'_>,
    ) -> Result<Vec<KeyedRows>> {
        let link = &mut self.link;
        quarantine.breaker.tally.at(link.op.index);
        let timer = Timer::start();
        link.done.input_rows += batch.rows() as u64;
        let mut keyed = Vec::new();
        let pieces = link.pieces(batch, quarantine);
        if link.op.refreshes.is_empty() {
            link.key((batch, &pieces), quarantine, &mut keyed)?;
        } else {
            for (piece, start) in link.refreshed((batch, &pieces), quarantine)? {
                match piece {
                    Some(batch) => {
                        link.key((&batch, &pieces.from(start)), quarantine, &mut keyed)?;
                    }
                    None => keyed.push(KeyedRows::failed(link.op)),
                }
            }
        }
        let (wall, cpu) = timer.seconds();
        link.done.duration += wall;
        link.done.cpu_seconds += cpu;
        Ok(keyed)
    }

    /// The op's numbers so far: rows in and quarantined; what it keeps is known later.
    pub(crate) fn finish(self, log: &EventLog) -> OpDone {
        self.link.report(log);
        self.link.finish()
    }
}
