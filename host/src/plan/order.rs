//! The order in which ops run: within a run of filters, those that declare less work per row come
//! first, so that the costly ones see only what is left.
//!
//! The filters of a run commute: they judge the same text, none changes a row, and a row stays if all
//! keep it. What differs is which filter is named for a row that several would drop. The order comes from what operators declare and not from measured
//! times: the account of a job must not depend on the machine, or on how often it was continued.

use super::PlannedOp;
use crate::config::{Config, OnError, OpSpec, Strategy};
use crate::data::FieldType;
use crate::wasm::Kind;

/// Puts the ops, and the entries of the recipe that they come from, in the order in which they run,
/// and numbers them anew. Returns a note for each run of filters that is not as in the recipe.
pub(crate) fn reorder(
    config: &Config,
    specs: &mut Vec<OpSpec>,
    ops: &mut [PlannedOp],
) -> Vec<String> {
    if !config.reorder || config.keep_stats_in_res_ds {
        return Vec::new();
    }
    let (mut notes, mut start) = (Vec::new(), 0);
    while start < ops.len() {
        let field = judged_text(&ops[start]).map(str::to_owned);
        let same = |op: &&PlannedOp| field.is_some() && judged_text(op) == field.as_deref();
        let mut end = start + ops[start..].iter().take_while(same).count();
        if let Some(stored) = (start..end).find(|at| is_stored_by_name(config, &ops[*at])) {
            end = stored + 1;
        }
        notes.extend(sort(&mut ops[start..end], start));
        start = end.max(start + 1);
    }
    let mut written: Vec<Option<OpSpec>> = specs.drain(..).map(Some).collect();
    for (at, op) in ops.iter_mut().enumerate() {
        specs.extend(
            written[op.index]
                .take()
                .map(|spec| OpSpec { index: at, ..spec }),
        );
        op.index = at;
    }
    notes
}

/// The one field of texts that the op judges, if it makes no difference for the rows that stay, and
/// none for those in quarantine, whether it comes before or after others of that field. Only built-in
/// filters: they can process every text. A filter of other fields, or of a plugin, may be one that
/// only rows which the filters before it keep are meant for.
fn judged_text(op: &PlannedOp) -> Option<&str> {
    let signature = op.pool.signature();
    let commutes = op.kind() == Kind::Filter
        && signature.writes.is_empty()
        && !op.changes_shape()
        && op.pool.component().comes_with_djhost()
        && op.on_error != OnError::Fail;
    match &signature.reads[..] {
        [read] if commutes && read.ty == FieldType::Utf8 && read.required => Some(&read.path),
        _ => None,
    }
}

/// Whether the recipe asks for the rows after this op.
fn is_stored_by_name(config: &Config, op: &PlannedOp) -> bool {
    config.strategy() == Strategy::Manual && config.checkpoint.op_names.0.contains(&op.name)
}

/// Sorts a run that begins at op `start` by cost; ops of one cost keep their order. Says what has
/// moved.
fn sort(run: &mut [PlannedOp], start: usize) -> Option<String> {
    run.sort_by_key(|op| op.pool.descriptor().cost);
    let first = (0..run.len()).find(|at| run[*at].index != start + at)?;
    let at = start + first;
    Some(format!(
        "from op {at} on, filters run cheapest first; what each removes is counted in this order (`reorder: false` keeps that of the recipe)"
    ))
}
