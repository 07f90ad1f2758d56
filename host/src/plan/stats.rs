//! Decides which stats an op is given instead of computing them: those that are certain to be what
//! it would compute.

use super::PlannedOp;
use super::lineage_key::KeyBuilder;
use crate::data::STATS;
use crate::error::UserError;

/// Where the stats that an op is given come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsFrom {
    /// An earlier op: the same operator with the same parameters, and no field that it reads has
    /// changed since.
    Op(usize),
    /// The rows of the input, which the recipe declares to be trusted (`reuse_input_stats`).
    Input,
}

/// Decides for each op, and makes the decision part of its identity.
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

/// Tells the ops that take it which of their stats someone reads: the result or the trace if it keeps
/// them (`kept`), a later op, or what the recipe expects of `expected` stats. Makes it part of the identity of those that leave out some: their rows lack these stats.
pub(crate) fn leave_out(ops: &mut [PlannedOp], kept: bool, expected: &[String]) {
    for at in 0..ops.len() {
        let op = &ops[at];
        let stats = &op.pool.signature().writes_stats;
        if kept || !op.pool.descriptor().traits.leaves_out_stats {
            continue;
        }
        let wanted: Vec<String> = stats
            .iter()
            .map(|stat| stat.path.clone())
            .filter(|key| expected.contains(key) || is_read(&ops[at + 1..], at, key))
            .collect();
        if wanted.len() == stats.len() {
            continue;
        }
        let op = &mut ops[at];
        op.identity = KeyBuilder::new("op-wanted-stats")
            .with(op.identity.as_str())
            .with(wanted.join("\n"))
            .key();
        op.pool.want_stats(wanted.clone());
        op.wanted_stats = Some(wanted);
    }
}

/// Whether one of `later` reads the stat `key` of op `at`, as a field or in place of computing it.
fn is_read(later: &[PlannedOp], at: usize, key: &str) -> bool {
    let path = format!("{STATS}.{key}");
    later.iter().any(|op| {
        let mut reads = op.pool.signature().reads.iter();
        op.stats_from == Some(StatsFrom::Op(at)) || reads.any(|read| overlap(&read.path, &path))
    })
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
    // Take all of them from one place, or none: an operator computes them together.
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

/// Returns whether `op` may change the value at `path`.
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

/// Returns whether the two paths are equal or one lies inside the other.
pub(crate) fn overlap(a: &str, b: &str) -> bool {
    is_in(a, b) || is_in(b, a)
}

/// Whether `inner` is `outer`, or lies inside of it.
pub(crate) fn is_in(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Returns notes about stats in the result that two ops compute: it keeps those of the later op.
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

/// Stats that ops read as fields must be those that an earlier op computed, or with `from_input`
/// those of the dataset. Gives what is refused, and notes on stats that are older than the fields
/// that they are of.
pub(crate) fn reads(ops: &[PlannedOp], from_input: bool) -> (Vec<UserError>, Vec<String>) {
    let (mut errors, mut notes) = (Vec::new(), Vec::new());
    for (at, op) in ops.iter().enumerate() {
        for read in &op.pool.signature().reads {
            let inside = read.path.strip_prefix(STATS);
            let Some(stat) = inside.and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            let computes = |op: &PlannedOp| {
                let stats = &op.pool.signature().writes_stats;
                stats.iter().any(|computed| is_in(stat, &computed.path))
            };
            match ops[..at].iter().rposition(computes) {
                Some(writer) => notes.extend(stale(ops, writer, at, stat)),
                None if from_input => {}
                None => errors.push(unknown(op, stat, ops[at..].iter().find(|op| computes(op)))),
            }
        }
    }
    (errors, notes)
}

/// A stat that no op before `op` computes.
fn unknown(op: &PlannedOp, stat: &str, later: Option<&PlannedOp>) -> UserError {
    let message = format!(
        "`{}` reads the field `{STATS}.{stat}`, a stat that no operator before it computes",
        op.name
    );
    let computed = match later {
        Some(later) => format!("put `{}` (op {}) before it", later.name, later.index),
        None => format!("put a filter that computes `{stat}` before it"),
    };
    UserError::new(&op.place, message).hint(format!(
        "{computed}; stats that rows of the dataset bring count only with `reuse_input_stats: true`"
    ))
}

/// That what the stat was computed of has changed until op `at` reads it.
fn stale(ops: &[PlannedOp], writer: usize, at: usize, stat: &str) -> Option<String> {
    let (op, computed) = (&ops[at], &ops[writer]);
    let reads = &computed.pool.signature().reads;
    let changed = ops[writer + 1..at].iter().find_map(|between| {
        let field = reads.iter().find(|read| changes(between, &read.path));
        match field {
            Some(field) => Some((between, format!("may have changed `{}` since", field.path))),
            None if between.changes_shape() => Some((between, "makes other rows".to_owned())),
            None => None,
        }
    });
    let (between, what) = changed?;
    Some(format!(
        "op {} `{}` reads the stat `{stat}` as op {} `{}` has computed it, but op {} `{}` {what}: for the stat of what is there \
         by then, put `{}` behind op {}",
        op.index,
        op.name,
        computed.index,
        computed.name,
        between.index,
        between.name,
        computed.name,
        between.index
    ))
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
