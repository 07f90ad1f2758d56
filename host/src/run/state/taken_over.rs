//! Repeats in today's event file what earlier attempts did.

use crate::checkpoint::Artifact;
use crate::exec::Index;
use crate::plan::Plan;
use crate::rundir::RunPaths;
use crate::rundir::events::{CheckpointDone, Event, EventLog, OpDone, OpRef};

/// Emits events for what earlier attempts did to a partition, for readers that only look at the
/// newest event file.
pub(super) fn take_over(
    partition_id: usize,
    plan: &Plan,
    index: &Index,
    paths: &RunPaths,
    log: &EventLog,
) {
    let part = index.get(Artifact::Part, 0, partition_id);
    let stored = |artifact| {
        plan.ops
            .iter()
            .rev()
            .find_map(move |op| index.get(artifact, op.index, partition_id))
    };
    let deepest = part
        .clone()
        .into_iter()
        .chain(stored(Artifact::Rows))
        .chain(stored(Artifact::Mask))
        .max_by_key(|m| m.account.ops.len());
    let Some(deepest) = deepest else { return };
    for done in deepest.account.ops.values() {
        log.emit(Event::OpCompleted(OpDone {
            partition_id,
            taken_over: true,
            ..done.clone()
        }));
    }
    for manifest in plan
        .ops
        .iter()
        .filter_map(|op| index.get(Artifact::Rows, op.index, partition_id))
    {
        let op = manifest
            .op
            .map(|op| OpRef::new(op, &plan.ops[op].name))
            .unwrap_or_default();
        log.emit(Event::CheckpointSaved(CheckpointDone {
            partition_id,
            op,
            checkpoint_path: paths
                .checkpoints()
                .join(&manifest.data)
                .display()
                .to_string(),
            output_rows: manifest.rows,
            bytes: manifest.bytes,
            taken_over: true,
            ..CheckpointDone::default()
        }));
    }
    if let Some(part) = part {
        log.emit(Event::PartitionCompleted {
            partition_id,
            duration: part.account.ops.values().map(|done| done.duration).sum(),
            input_rows: part.account.read,
            output_rows: part.rows,
            output_bytes: part.bytes,
            output_path: part.data,
            taken_over: true,
        });
    }
}
