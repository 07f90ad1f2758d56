//! What deserves a look when a job is done, from its accounts.
//!
//! A filter that drops nothing is common on small data and no mistake, so these findings are told in
//! few lines below the table, not as warnings in the log; what can hardly be right is warned of where
//! it is found ([`emptied`](super::state::State::emptied), [`unmet_fields`](super::unmet_fields)).

use crate::jobs::{Bounds, number};
use crate::plan::{Plan, PlannedOp, bounds};
use crate::rundir::summary::{Finding, OpTotals};
use crate::rundir::{JobSummary, Ledger};
use crate::term::{count, counted};
use crate::wasm::Kind;

/// The findings of a job, in the order of the ops. `emptied` are the sentences on ops that removed
/// every row, `unmet` those on fields that no row has.
pub(super) fn findings(
    summary: &JobSummary,
    plan: &Plan,
    emptied: &[(usize, String)],
    unmet: &[String],
) -> Vec<Finding> {
    let finding = |kind: &str, op: Option<usize>, message: String| Finding {
        kind: kind.to_owned(),
        op,
        message,
    };
    let mut found = Vec::new();
    if let Some(message) = empty(&summary.ledger) {
        found.push(finding("empty_result", None, message));
    }
    let fields = unmet.iter().cloned();
    found.extend(fields.map(|message| finding("field_missing", None, message)));
    for (op, message) in emptied {
        found.push(finding("dropped_everything", Some(*op), message.clone()));
    }
    for (op, totals) in plan.ops.iter().zip(&summary.ops) {
        for (kind, message) in of_op(op, totals) {
            found.push(finding(kind, Some(op.index), message));
        }
    }
    found
}

fn empty(ledger: &Ledger) -> Option<String> {
    (ledger.output == 0 && ledger.read > 0).then(|| {
        format!(
            "the result is empty: none of the {} is left",
            counted(ledger.read, "row")
        )
    })
}

fn of_op(op: &PlannedOp, totals: &OpTotals) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let who = format!("op {} `{}`", op.index, op.name);
    let rows = totals.rows_in;
    if rows < 2 {
        // One row tells nothing.
        return found;
    }
    match op.kind() {
        Kind::Filter | Kind::Deduplicator | Kind::Selector => {
            let gone = (totals.rows_in + totals.created)
                .saturating_sub(totals.rows_out + totals.quarantined);
            if gone == 0 && totals.quarantined < rows && op.pool.field_of_found().is_none() {
                let range = demanded(op, totals).unwrap_or_default();
                found.push((
                    "dropped_nothing",
                    format!("{who} dropped none of {} rows{range}", count(rows)),
                ));
            }
        }
        Kind::Mapper => {
            if totals.changed == Some(0)
                && totals.created == 0
                && totals.rows_out + totals.quarantined == rows
            {
                let message = format!("{who} changed none of {} rows", count(rows));
                found.push(("changed_nothing", message));
            }
        }
        Kind::Grouper => {}
    }
    for (key, range) in &totals.stats {
        if range.min == range.max {
            let value = number(range.min);
            let message = format!("{who}: `{key}` is {value} in all of {} rows", count(rows));
            found.push(("constant_stat", message));
        }
    }
    found
}

/// What the stats were, and what was demanded of them, where both are known.
fn demanded(op: &PlannedOp, totals: &OpTotals) -> Option<String> {
    let bounds = bounds(op);
    let (key, bounds, range) = totals
        .stats
        .iter()
        .find_map(|(key, range)| Some((key, *bounds.get(key)?, range)))?;
    let Bounds { min, max, .. } = bounds;
    let demand = match (min, max) {
        (Some(min), Some(max)) => format!("{} to {}", number(min), number(max)),
        (Some(min), None) => format!("at least {}", number(min)),
        (None, Some(max)) => format!("at most {}", number(max)),
        (None, None) => return None,
    };
    Some(format!(
        ": `{key}` was {} to {}, and {demand} is demanded",
        number(range.min),
        number(range.max)
    ))
}
