//! Row-level fault isolation: when an operator fails on a batch, the batch is halved on fresh instances until the guilty rows are found.

use anyhow::Result;

use crate::dataset::Batch;
use crate::op::{CallError, OpInstance, OpPool, Rejection, Reply};

/// The answers to the parts of a batch, in order; most often one part, the whole.
pub(super) struct Isolated {
    /// Consecutive parts of the batch, each with its answer.
    pub(super) parts: Vec<(Batch, Reply)>,
    /// Single rows on which the operator failed.
    pub(super) failed: Vec<(Batch, String)>,
}

/// Asks the operator about `batch`. A guilty row among `n` costs at most `2 * log2(n)` calls more.
pub(super) fn process(pool: &OpPool, slot: &mut OpInstance, batch: &Batch) -> Result<Isolated> {
    let mut isolated = Isolated { parts: Vec::new(), failed: Vec::new() };
    halve(pool, slot, batch, &mut isolated)?;
    Ok(isolated)
}

fn halve(pool: &OpPool, slot: &mut OpInstance, batch: &Batch, isolated: &mut Isolated) -> Result<()> {
    match pool.process(slot, batch)? {
        Ok(reply) => isolated.parts.push((batch.clone(), reply)),
        Err(CallError::Failed(reason) | CallError::Dead(reason)) if batch.rows() == 1 => isolated.failed.push((batch.clone(), reason)),
        Err(_) => {
            let middle = batch.rows() / 2;
            halve(pool, slot, &batch.slice(0, middle), isolated)?;
            halve(pool, slot, &batch.slice(middle, batch.rows() - middle), isolated)?;
        }
    }
    Ok(())
}

/// The rows of a part that have an answer, as bits, and the rejected ones with their reasons.
pub(super) fn split_rejected(rows: usize, rejected: &[Rejection]) -> Option<Vec<bool>> {
    if rejected.is_empty() {
        return None;
    }
    let mut good = vec![true; rows];
    rejected.iter().for_each(|r| good[r.row as usize] = false);
    Some(good)
}
