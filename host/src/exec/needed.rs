//! Which committed files a run will read. Where they are in a bucket, the others stay there.

use std::collections::BTreeMap;

use super::context::TaskContext;
use super::gather;
use super::index::Index;
use super::segment::plan_base;
use crate::checkpoint::{Artifact, Manifest};

/// Returns the manifests of the files that the tasks, the global ops and the export begin with, and
/// perhaps of some more: a task that misses one fetches it.
pub(super) fn needed(env: &TaskContext<'_>, partitions: usize, index: &Index) -> Vec<Manifest> {
    let mut needed = BTreeMap::new();
    let mut add = |artifact, op, p| {
        if let Some(manifest) = index.get(artifact, op, p) {
            needed.insert((artifact, op, p), manifest);
        }
    };
    (0..partitions).for_each(|p| add(Artifact::Part, 0, p));
    let ops = &env.plan.ops;
    let is_exported = |p: usize| index.has(Artifact::Part, 0, p);
    let is_answered = |op: usize| match ops[op].is_grouper() {
        true => gather::is_done(index, 0..partitions, op),
        false => (0..partitions).all(|p| index.has(Artifact::Mask, op, p)),
    };
    // Ops from which rows go on: those of the last segment, and of each that a global op still needs.
    let mut starts = BTreeMap::new();
    for p in (0..partitions).filter(|p| !is_exported(*p)) {
        starts.insert((p, ops.len()), 0);
    }
    for op in (0..ops.len()).filter(|op| ops[*op].is_global() && !is_answered(*op)) {
        for p in 0..partitions {
            add(Artifact::Keys, op, p);
            if ops[op].is_grouper() {
                // The groups that begin in the partition.
                add(Artifact::Mask, op, p);
            }
            if !is_exported(p) || !index.has(Artifact::Keys, op, p) {
                starts.insert((p, op), 0);
            }
        }
    }
    for (p, last) in starts.into_keys() {
        let held = index.of(p);
        let base = (0..=last)
            .rev()
            .find_map(|at| plan_base(env, &held, at.checked_sub(1)));
        let Some(base) = base else { continue };
        base.rows_after
            .into_iter()
            .for_each(|op| add(Artifact::Rows, op, p));
        base.masks
            .into_iter()
            .for_each(|op| add(Artifact::Mask, op, p));
    }
    needed.into_values().collect()
}
