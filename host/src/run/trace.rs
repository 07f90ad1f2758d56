//! What a job records of its rows, and whether it knows of all of them.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Prepared;
use crate::checkpoint::Manifest;
use crate::config::TraceMode;
use crate::data::Dataset;
use crate::exec::trace::Tracing;
use crate::plan::{PlannedOp, bound_params, bounds};
use crate::rundir::RunPaths;
use crate::rundir::trace::{Missing, TraceDocument, TracedFile, TracedOp};
use crate::term::counted;

/// What the recipe asks to record; None: nothing.
pub(super) fn tracing(prepared: &Prepared) -> Option<Tracing> {
    let config = &prepared.resolved.config;
    let all = match config.trace {
        _ if prepared.plan.analysis.is_some() => true,
        TraceMode::Off => return None,
        TraceMode::Dropped => false,
        TraceMode::All | TraceMode::Stats => true,
    };
    let (samples, ops) = (config.trace_samples, &config.trace_ops.0);
    Some(Tracing::new(&prepared.plan, all, samples, ops))
}

/// Describes the trace that the job will have. The recipe of a retry comes from the run directory,
/// in the order in which ops run: where they were written, the earlier document knows.
pub(super) fn document(
    prepared: &Prepared,
    dataset: &Dataset,
    is_retry: bool,
    paths: &RunPaths,
) -> Result<TraceDocument> {
    let earlier = match is_retry {
        true => TraceDocument::load(paths)?.unwrap_or_default(),
        false => TraceDocument::default(),
    };
    let written = |op: &PlannedOp| {
        let known = earlier.ops.iter().find(|known| known.op == op.index);
        known.map_or(op.position, |known| known.position)
    };
    let config = &prepared.resolved.config;
    let ops = prepared.plan.ops.iter().map(|op| TracedOp {
        op: op.index,
        name: op.name.clone(),
        position: written(op),
        kind: op.kind().as_str().to_owned(),
        stats: op
            .pool
            .signature()
            .writes_stats
            .iter()
            .map(|stat| stat.path.clone())
            .collect(),
        left_out: left_out(op),
        bounds: bounds(op),
        bound_params: bound_params(op),
        params: serde_json::from_str(op.pool.params()).unwrap_or_default(),
    });
    let files = dataset.files.iter().map(|file| TracedFile {
        path: file.shown().to_string(),
        bytes: file.bytes,
    });
    Ok(TraceDocument {
        mode: match prepared.plan.analysis {
            Some(_) => TraceMode::Stats.word().to_owned(),
            None => config.trace.word().to_owned(),
        },
        analysis: prepared.plan.analysis,
        samples: config.trace_samples,
        files: files.collect(),
        by_number: dataset.is_columnar(),
        ops: ops.collect(),
        ..TraceDocument::default()
    })
}

/// The stats that a filter does not compute of rows where it can decide without them.
fn left_out(op: &PlannedOp) -> Vec<String> {
    let Some(wanted) = &op.wanted_stats else {
        return Vec::new();
    };
    let computed = op.pool.signature().writes_stats.iter();
    computed
        .map(|stat| stat.path.clone())
        .filter(|key| !wanted.contains(key))
        .collect()
}

/// Completes the document with what the parts' accounts do not know: of ops that an attempt without
/// a trace had done. Says so to the user.
pub(super) fn complete(
    mut document: TraceDocument,
    manifests: &[Manifest],
    paths: &RunPaths,
) -> Result<()> {
    if document.mode != TraceMode::Off.word() {
        let all = document.has_kept();
        document.missing = missing(document.ops.len(), all, manifests);
        if let Some(sentence) = sentence(&document) {
            tracing::warn!("{sentence}");
        }
    }
    document.complete = true;
    document.save(paths, &paths.storage())
}

fn missing(ops: usize, all: bool, manifests: &[Manifest]) -> Vec<Missing> {
    let mut missing: BTreeMap<usize, usize> = BTreeMap::new();
    for manifest in manifests {
        let mut known = vec![false; ops];
        for traced in manifest.account.trace.iter().filter(|t| t.all || !all) {
            let range = traced.ops.start.min(ops)..traced.ops.end.min(ops);
            known[range].fill(true);
        }
        let unknown = (0..ops).filter(|op| !known[*op]);
        unknown.for_each(|op| *missing.entry(op).or_default() += 1);
    }
    let entry = |(op, partitions)| Missing { op, partitions };
    missing.into_iter().map(entry).collect()
}

/// Says what the trace lacks; None: nothing.
fn sentence(document: &TraceDocument) -> Option<String> {
    let most = document.missing.iter().map(|m| m.partitions).max()?;
    let names: Vec<String> = document
        .missing
        .iter()
        .map(|m| format!("{} `{}`", m.op, document.ops[m.op].name))
        .collect();
    Some(format!(
        "the trace does not know what became of rows in {} at op {}: an earlier attempt, which recorded less, had done that work; `--fresh` starts the job over",
        counted(most as u64, "partition"),
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Account, Artifact, Store, Traced};
    use crate::plan::lineage_key::KeyBuilder;

    #[test]
    fn work_of_attempts_without_a_trace_is_missing() {
        let manifest = |tasks: &[(std::ops::Range<usize>, bool)]| {
            let trace = tasks.iter().map(|(ops, all)| Traced {
                name: None,
                ops: ops.clone(),
                all: *all,
            });
            let account = Account {
                trace: trace.collect(),
                ..Account::default()
            };
            let key = KeyBuilder::new("k").key();
            Store::manifest(Artifact::Part, key, None, 0, 0, account)
        };
        let manifests = [
            manifest(&[(0..2, false), (2..3, true)]),
            manifest(&[(2..3, true)]),
        ];
        let found = |all| {
            let missing = missing(3, all, &manifests);
            missing
                .iter()
                .map(|m| (m.op, m.partitions))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(false), [(0, 1), (1, 1)]);
        assert_eq!(found(true), [(0, 2), (1, 2)]);
    }
}
