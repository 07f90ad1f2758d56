//! Row-level fault isolation: when an operator fails on a batch, the batch is halved on fresh
//! instances until the guilty rows are found.

use anyhow::Result;

use super::breaker::Breaker;
use super::places::{misplaced, reject};
use crate::data::Batch;
use crate::error::{Final, Stopped};
use crate::wasm::{CallError, OpInstance, OpPool, Rejection, Reply};

/// A part of a batch.
pub(crate) enum Piece {
    /// Rows with their answer.
    Answered(Batch, Reply),
    /// A single row on which the operator failed, and why.
    Failed(Batch, String),
}

impl Piece {
    /// Number of its rows.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Answered(rows, _) | Self::Failed(rows, _) => rows.rows(),
        }
    }
}

/// The cost of an operator's failures in one task.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Calls without a usable answer.
    pub(crate) calls: u64,
    timeouts: u64,
    answered: u64,
    /// Rows that ended without an answer.
    pub(crate) failed: u64,
    /// The reason for the first of them.
    pub(crate) first: Option<String>,
}

/// Timeouts that one operator may have in a task before its rows so far are judged. Isolating one
/// row of a batch takes ten to sixteen of them.
const MAX_TIMEOUTS: u64 = 32;

impl Failures {
    /// Timeouts are so expensive that an operator which hangs on row after row must not wait for
    /// the job's breaker, which needs more rows.
    fn judge(&self, limit: f64, name: &str, reason: &str) -> Result<()> {
        let rows = self.failed + self.answered;
        if self.timeouts >= MAX_TIMEOUTS && self.failed as f64 > limit * rows as f64 {
            let message = format!(
                "operator `{name}` ran out of time {} times, and {} of the {rows} rows that it is done with could not be processed, more than \
                 max_quarantine_ratio {limit} allows; the last reason: {reason}",
                self.timeouts, self.failed
            );
            return Err(Final(message).into());
        }
        Ok(())
    }
}

/// An operator's instance in a task, with its failures.
pub(crate) struct Caller<'a> {
    pub(crate) pool: &'a OpPool,
    /// Operators that get the rows that it cannot process, in turn.
    pub(crate) fallbacks: &'a [OpPool],
    pub(crate) slot: &'a mut OpInstance,
    pub(crate) failures: &'a mut Failures,
    pub(crate) breaker: Breaker<'a>,
}

impl Caller<'_> {
    /// Asks the operator about `batch`. Passes each piece to `take` as soon as it is known, in the
    /// order of the rows; mostly there is one, the whole batch. A guilty row among `n` costs at
    /// most `2 * log2(n)` more calls.
    pub(crate) fn ask(
        &mut self,
        batch: &Batch,
        take: &mut impl FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        let (rows, most) = (batch.rows(), self.pool.rows_per_call());
        if rows <= most {
            return self.ask_together(batch, take);
        }
        for from in (0..rows).step_by(most) {
            self.ask_together(&batch.slice(from, most.min(rows - from)), take)?;
        }
        Ok(())
    }

    fn ask_together(
        &mut self,
        batch: &Batch,
        take: &mut impl FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        let error = match self.pool.process(self.slot, batch)? {
            Ok(mut reply) => {
                let bad = misplaced(batch, &reply);
                // Isolates a rejected row like one that makes the operator fail: the others are
                // answered without it.
                let is_rejected = !reply.rejected.is_empty() || !bad.is_empty();
                if is_rejected && !self.fallbacks.is_empty() {
                    if batch.rows() > 1 {
                        return self.halves(batch, take);
                    }
                    reject(&mut reply, bad);
                    return self.fall_back(batch, Piece::Answered(batch.clone(), reply), take);
                }
                self.failures.answered += batch.rows() as u64;
                if let Some(found) = self
                    .breaker
                    .tally
                    .determinism
                    .compare(self.pool, batch, &reply)?
                {
                    tracing::warn!("{found}");
                }
                reject(&mut reply, bad);
                return take(Piece::Answered(batch.clone(), reply));
            }
            Err(error) => error,
        };
        self.failures.calls += 1;
        self.failures.timeouts += u64::from(matches!(error, CallError::TimedOut(_)));
        if self.breaker.stop.requested() {
            return Err(Stopped.into());
        }
        if batch.rows() == 1 {
            self.failures.failed += 1;
            let reason = error.to_string();
            self.failures.first.get_or_insert_with(|| reason.clone());
            self.failures.judge(
                self.breaker.ratios.operators,
                &self.pool.descriptor().name,
                &reason,
            )?;
            return self.fall_back(batch, Piece::Failed(batch.clone(), reason), take);
        }
        self.halves(batch, take)
    }

    fn halves(&mut self, batch: &Batch, take: &mut impl FnMut(Piece) -> Result<()>) -> Result<()> {
        let middle = batch.rows() / 2;
        self.ask_together(&batch.slice(0, middle), take)?;
        self.ask_together(&batch.slice(middle, batch.rows() - middle), take)
    }

    /// Asks the fallbacks about a row. Without a good answer from any the last one's result counts.
    fn fall_back(
        &mut self,
        row: &Batch,
        mut piece: Piece,
        take: &mut impl FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        for pool in self.fallbacks {
            let mut instance = pool.checkout()?;
            match pool.process(&mut instance, row)? {
                Ok(mut reply) => {
                    let bad = misplaced(row, &reply);
                    reject(&mut reply, bad);
                    let wrong = self.pool.check(&reply.output, row).err();
                    let good = reply.rejected.is_empty() && wrong.is_none();
                    piece = match wrong {
                        Some(message) => {
                            Piece::Failed(row.clone(), format!("invalid answer: {message}"))
                        }
                        None => Piece::Answered(row.clone(), reply),
                    };
                    if good {
                        self.failures.answered += 1;
                        break;
                    }
                }
                Err(error) => {
                    self.failures.calls += 1;
                    piece = Piece::Failed(row.clone(), error.to_string());
                }
            }
        }
        take(piece)
    }
}

/// One bit per row of a part, clear where it was rejected; None if none was.
pub(crate) fn split_rejected(rows: usize, rejected: &[Rejection]) -> Option<Vec<bool>> {
    if rejected.is_empty() {
        return None;
    }
    let mut good = vec![true; rows];
    rejected.iter().for_each(|r| good[r.row as usize] = false);
    Some(good)
}
