//! Cuts ops into segments and places checkpoints.

use std::ops::Range;

use super::PlannedOp;
use super::advice::{Category, category};
use super::names::unknown_op;
use crate::config::{Config, Strategy};
use crate::error::UserError;

/// What ends a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// This global op, which needs the keys of all partitions' rows.
    Keys(usize),
    /// The export.
    Export,
}

/// A run of filters and mappers between global ops. Within a segment, partitions are independent of
/// each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its number.
    pub index: usize,
    /// Its ops; may be empty.
    pub ops: Range<usize>,
    /// Ops after which the rows are stored, ascending.
    pub stored: Vec<usize>,
    /// What ends it.
    pub end: End,
}

impl Segment {
    /// The most steps that a partition takes through it: one to each place where rows can be stored,
    /// and one to its end.
    pub(crate) fn steps(&self) -> usize {
        self.ops.len() + 1
    }
}

/// Cuts the ops into segments. A segment before a global op stores its rows at its end whatever the
/// strategy is: they are needed again once it is known which of them stay. A grouper stores its
/// rows with its keys.
pub(crate) fn cut(ops: &[PlannedOp]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut start = 0;
    let mut push = |range: Range<usize>, end: End| {
        let mut stored: Vec<usize> = range
            .clone()
            .filter(|i| ops[*i].checkpoint.is_some())
            .collect();
        if matches!(end, End::Keys(op) if !ops[op].is_grouper())
            && !range.is_empty()
            && stored.last() != Some(&(range.end - 1))
        {
            stored.push(range.end - 1);
        }
        segments.push(Segment {
            index: segments.len(),
            ops: range,
            stored,
            end,
        });
    };
    for (i, op) in ops.iter().enumerate() {
        if op.is_global() {
            push(start..i, End::Keys(i));
            start = i + 1;
        }
    }
    push(start..ops.len(), End::Export);
    segments
}

/// Returns for each op why a checkpoint follows it, by the recipe's strategy; positions count over
/// the whole recipe, from 0.
pub(crate) fn positions(
    config: &Config,
    names: &[String],
) -> Result<Vec<Option<String>>, UserError> {
    let every = |n: usize| {
        names
            .iter()
            .enumerate()
            .map(|(i, _)| ((i + 1) % n == 0).then(|| format!("every {n} ops")))
            .collect()
    };
    Ok(match config.strategy() {
        Strategy::Disabled => vec![None; names.len()],
        Strategy::EveryOp => names.iter().map(|_| Some("every op".to_owned())).collect(),
        Strategy::EveryNOps => {
            every(usize::try_from(config.checkpoint.n_ops).unwrap_or(usize::MAX))
        }
        Strategy::Manual => {
            let wanted = &config.checkpoint.op_names.0;
            if let Some(unknown) = wanted.iter().find(|w| !names.contains(w)) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                return Err(unknown_op("checkpoint.op_names", unknown, &names));
            }
            names
                .iter()
                .map(|n| {
                    wanted
                        .contains(n)
                        .then(|| "named in checkpoint.op_names".to_owned())
                })
                .collect()
        }
        Strategy::Adaptive => names
            .iter()
            .map(|n| (category(n) == Category::Expensive).then(|| "expensive to redo".to_owned()))
            .collect(),
    })
}
