//! Row-level fault isolation: when an operator fails on a batch, the batch is halved on fresh instances until the guilty rows are found.

use anyhow::Result;

use crate::dataset::Batch;
use crate::op::{CallError, OpInstance, OpPool, Rejection, Reply};

/// A part of a batch.
pub(super) enum Piece {
    /// Rows with their answer.
    Answered(Batch, Reply),
    /// A single row on which the operator failed, and why.
    Failed(Batch, String),
}

/// Asks the operator about `batch`. A guilty row among `n` costs at most `2 * log2(n)` calls more.
/// The pieces are in the order of the rows; most often there is one, the whole.
pub(super) fn process(pool: &OpPool, slot: &mut OpInstance, batch: &Batch) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    halve(pool, slot, batch, &mut pieces)?;
    Ok(pieces)
}

fn halve(pool: &OpPool, slot: &mut OpInstance, batch: &Batch, pieces: &mut Vec<Piece>) -> Result<()> {
    match pool.process(slot, batch)? {
        Ok(reply) => pieces.push(Piece::Answered(batch.clone(), reply)),
        Err(CallError::Failed(reason) | CallError::Dead(reason)) if batch.rows() == 1 => pieces.push(Piece::Failed(batch.clone(), reason)),
        Err(_) => {
            let middle = batch.rows() / 2;
            halve(pool, slot, &batch.slice(0, middle), pieces)?;
            halve(pool, slot, &batch.slice(middle, batch.rows() - middle), pieces)?;
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
