//! Which stats an op is given in place of computing them: those that are surely what it would
//! compute.

use super::PlannedOp;
use super::lineage_key::KeyBuilder;
use crate::data::STATS;

/// Where the stats come from that an op is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsFrom {
    /// An op before it: the same operator with the same parameters, and no field that it reads has
    /// changed since.
    Op(usize),
    /// The rows of the input, which nobody has changed: the recipe says `reuse_input_stats`.
    Input,
}

/// Decides for each op, and makes the decision a part of its identity.
pub(crate) fn decide(ops: &mut [PlannedOp], from_input: bool) {
    let decided: Vec<_> = (0..ops.len())
        .map(|at| given(ops, at, from_input))
        .collect();
    for (op, from) in ops.iter_mut().zip(decided) {
        op.stats_from = from;
        op.pool.give_stats(from.is_some());
        if !op.pool.signature().writes_stats.is_empty() {
            let word = match from {
                None => "computed",
                Some(StatsFrom::Op(_)) => "of an op",
                Some(StatsFrom::Input) => "of the input",
            };
            op.identity = KeyBuilder::new("op-stats")
                .with(op.identity.as_str())
                .with(word)
                .key();
        }
    }
}

fn given(ops: &[PlannedOp], at: usize, from_input: bool) -> Option<StatsFrom> {
    let op = &ops[at];
    let stats = &op.pool.signature().writes_stats;
    let last_writer = |key: &str| {
        ops[..at].iter().rposition(|before| {
            before
                .pool
                .signature()
                .writes_stats
                .iter()
                .any(|s| s.path == key)
        })
    };
    let writer = last_writer(&stats.first()?.path);
    // All of them from one place, or none: an operator computes them together.
    if stats.iter().any(|stat| last_writer(&stat.path) != writer) {
        return None;
    }
    let (from, since) = match writer {
        Some(writer) if ops[writer].identity == op.identity => (StatsFrom::Op(writer), writer),
        None if from_input => (StatsFrom::Input, 0),
        _ => return None,
    };
    let is_changed = ops[since..at].iter().any(|between| {
        between.changes_shape()
            || op
                .pool
                .signature()
                .reads
                .iter()
                .any(|read| changes(between, &read.path))
    });
    (!is_changed).then_some(from)
}

/// Whether `op` may change what stands at `path`.
fn changes(op: &PlannedOp, path: &str) -> bool {
    let signature = op.pool.signature();
    let stats = signature
        .writes_stats
        .iter()
        .map(|stat| format!("{STATS}.{}", stat.path));
    signature
        .writes
        .iter()
        .map(|write| write.path.clone())
        .chain(stats)
        .any(|written| overlap(&written, path))
}

/// Whether one path is the other, or lies inside of it.
pub(crate) fn overlap(a: &str, b: &str) -> bool {
    is_in(a, b) || is_in(b, a)
}

/// Whether `inner` is `outer`, or lies inside of it.
pub(crate) fn is_in(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What the user should know where the result has stats: of two ops that compute the same one it
/// has the later op's.
pub(crate) fn overwritten(ops: &[PlannedOp]) -> Vec<String> {
    let mut notes = Vec::new();
    for (at, op) in ops
        .iter()
        .enumerate()
        .filter(|(_, op)| op.stats_from.is_none())
    {
        for stat in &op.pool.signature().writes_stats {
            let writes = |before: &&PlannedOp| {
                before
                    .pool
                    .signature()
                    .writes_stats
                    .iter()
                    .any(|s| s.path == stat.path)
            };
            if let Some(before) = ops[..at].iter().rev().find(writes) {
                notes.push(format!(
                    "op {} `{}` computes the stat `{}` again, which op {} `{}` has computed: the result has the later one",
                    op.index, op.name, stat.path, before.index, before.name
                ));
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn paths_that_overlap() {
        for (a, b, expected) in [
            ("text", "text", true),
            ("meta", "meta.lang", true),
            ("meta.lang", "meta", true),
            ("meta.lang", "meta.language", false),
            ("a", "b", false),
        ] {
            assert_eq!(overlap(a, b), expected, "{a} {b}");
        }
    }
}
