//! The plan as JSON, for `dag_execution_plan.json` and `djhost plan --json`.

use serde_json::{Value, json};

use super::{End, Prepared};
use crate::rundir::events::now;
use crate::wasm::Seen;

/// Most nodes that the document has. They differ only in the number of their partition, and
/// thousands of partitions would make a document that nobody can open.
const MOST_NODES: usize = 10_000;

/// Number of nodes that a plan with `partitions` partitions has.
pub(crate) fn count_nodes(prepared: &Prepared, partitions: usize) -> usize {
    let ops = &prepared.plan.ops;
    ops.len() * partitions + ops.iter().filter(|op| op.is_global()).count()
}

/// Returns nodes in Data-Juicer's shape (ids count ops from 1, `operation_idx` from 0), then what
/// that shape has no place for. Where these would be more than [`MOST_NODES`], they are those of the
/// first partition, and `metadata` says so.
pub(crate) fn document(prepared: &Prepared, partitions: usize, why: &[String]) -> Value {
    let ops = &prepared.plan.ops;
    let total = count_nodes(prepared, partitions);
    let shown = if total > MOST_NODES { 1 } else { partitions };
    let mut nodes = serde_json::Map::new();
    for op in ops {
        for p in 0..shown {
            let id = |i: usize| format!("op_{:03}_{}_partition_{p}", i + 1, ops[i].name);
            let before = op.index.checked_sub(1);
            // After a global op, a partition depends on all partitions.
            let dependencies: Vec<String> = match before {
                Some(before) if ops[before].is_global() => {
                    vec![format!("sg_{before:03}_{}", ops[before].name)]
                }
                before => before.map(id).into_iter().collect(),
            };
            nodes.insert(
                id(op.index),
                json!({
                    "node_id": id(op.index), "operation_name": op.name, "node_type": "partition_operation", "partition_id": p,
                    "operation_idx": op.index, "config": serde_json::from_str::<Value>(op.pool.params()).unwrap_or(Value::Null),
                    "dependencies": dependencies, "execution_order": op.index, "estimated_duration": 0.0,
                    "metadata": { "checkpoint": op.checkpoint },
                }),
            );
        }
        if op.is_global() {
            let id = format!("sg_{:03}_{}", op.index, op.name);
            let from: Vec<String> = (0..shown)
                .map(|p| format!("op_{:03}_{}_partition_{p}", op.index + 1, op.name))
                .collect();
            nodes.insert(
                id.clone(),
                json!({ "node_id": id, "operation_name": op.name, "node_type": "scatter_gather", "partition_id": null, "config": {},
                    "dependencies": from, "execution_order": op.index, "estimated_duration": 0.0, "metadata": {} }),
            );
        }
    }
    let components: Vec<Value> = ops
        .iter()
        .map(|op| {
            let c = op.pool.component();
            let grants = op.pool.grants();
            let dirs: Vec<Value> = grants.dirs.iter().map(|d| json!({ "guest": d.guest, "host": d.host.to_string_lossy(), "leads_to": d.leads_to, "why": d.why })).collect();
            // Only names: values may be secret.
            let env: Vec<&str> = grants.env.iter().map(|(name, _)| name.as_str()).collect();
            let models: Vec<Value> = grants
                .models
                .iter()
                .map(|granted| {
                    let model = &granted.model;
                    json!({ "parameter": granted.parameter, "kind": model.info.kind.name(), "path": model.path.to_string_lossy(), "address": granted.address,
                        "bytes": model.info.bytes, "memory_bytes": model.info.resident, "digest": model.digest,
                        "onnxruntime": model.info.runtime })
                })
                .collect();
            json!({ "operation_idx": op.index, "operation_name": op.name, "kind": op.kind(), "identity": op.identity, "source": c.source.to_string(),
                "digest": c.digest, "bytes": c.bytes, "wit_version": c.wit_version, "interruptible": c.is_interruptible(),
                "needs": op.pool.descriptor().needs.names().collect::<Vec<_>>(), "imports": c.services().collect::<Vec<_>>(),
                "fallbacks": op.fallbacks.iter().map(|f| json!({ "source": f.component().source.to_string(), "digest": f.component().digest })).collect::<Vec<_>>(),
                "reads": op.pool.signature().reads, "writes": op.pool.signature().writes, "writes_stats": op.pool.signature().writes_stats,
                "bloom_filter_bytes": op.pool.seen().map(Seen::bytes),
                "limits": { "memory": op.pool.limits().memory, "seconds": op.pool.limits().time.as_secs_f64(), "row_seconds": op.pool.limits().row_time.as_secs_f64(), "reply": op.pool.limits().reply },
                "grants": { "read_dirs": dirs, "env": env, "models": models, "seed": op.pool.seed() } })
        })
        .collect();
    let segments: Vec<Value> = prepared
        .plan
        .segments
        .iter()
        .map(|s| {
            let end = match s.end {
                End::Keys(op) => format!("keys of op {op}"),
                End::Export => "export".to_owned(),
            };
            json!({ "ops": s.ops.clone().collect::<Vec<_>>(), "stored_after": s.stored, "end": end })
        })
        .collect();
    let mut metadata = json!({ "created_at": now(), "total_nodes": total });
    if shown < partitions {
        metadata["shown"] =
            format!("the nodes of partition 0; all {partitions} partitions have the same").into();
    }
    json!({
        "format_version": 1, "nodes": nodes, "edges": [], "parallel_groups": [], "execution_plan": [],
        "metadata": metadata,
        "operations": components, "segments": segments,
        "partitions": { "count": partitions, "why": why },
    })
}
