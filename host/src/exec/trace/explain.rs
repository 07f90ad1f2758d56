//! The stats of rows that a filter dropped without computing them.

use anyhow::Result;

use crate::data::{Batch, Stat};
use crate::plan::PlannedOp;
use crate::wasm::OpInstance;

/// Calls `each` with pieces of `rows` in order, and all stats that `op` computes of them; none for a
/// row of which it cannot. `slot` has an instance between calls.
pub(super) fn explain(
    op: &PlannedOp,
    slot: &mut Option<OpInstance>,
    rows: &Batch,
    each: &mut impl FnMut(usize, Vec<Stat>),
) -> Result<()> {
    if let Ok(stats) = op.pool.stats_of(slot, rows)? {
        each(rows.rows(), stats);
        return Ok(());
    }
    if rows.rows() > 1 {
        // A row of which it cannot compute a stat must not cost the others theirs.
        let middle = rows.rows() / 2;
        explain(op, slot, &rows.slice(0, middle), each)?;
        return explain(op, slot, &rows.slice(middle, rows.rows() - middle), each);
    }
    // A fallback may have judged it.
    for pool in &op.fallbacks {
        if let Ok(stats) = pool.stats_of(&mut None, rows)? {
            each(1, stats);
            return Ok(());
        }
    }
    each(1, Vec::new());
    Ok(())
}
