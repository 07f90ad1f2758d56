//! `dag_execution_plan.json`, `metadata/config.yaml`, `metadata/environment.json`: the plan and what it was made of, for the record.

use anyhow::Result;
use serde_json::{Value, json};

use super::Prepared;
use crate::partition::Chosen;
use crate::plan::End;
use crate::rundir::events::{Event, EventLog, now};
use crate::rundir::{RunPaths, Storage};

/// Writes the documents and says so.
pub(crate) fn save(prepared: &Prepared, chosen: &Chosen, paths: &RunPaths, log: &EventLog) -> Result<()> {
    let started = std::time::Instant::now();
    log.emit(Event::DagBuildStarted { ast_node_count: prepared.plan.ops.len() });
    let document = plan(prepared, chosen);
    let nodes = document["nodes"].as_object().map_or(0, serde_json::Map::len);
    log.emit(Event::DagBuildCompleted { dag_node_count: nodes, build_duration: started.elapsed().as_secs_f64() });
    let storage = Storage::new();
    storage.write_json(&paths.plan(), &document)?;
    storage.replace(&paths.resolved_config(), prepared.resolved.to_yaml().as_bytes())?;
    storage.replace_json(&paths.environment(), &environment())?;
    log.emit(Event::DagExecutionPlanSaved { plan_path: paths.plan().display().to_string(), node_count: nodes });
    Ok(())
}

/// Nodes in Data-Juicer's shape (ids count ops from 1, `operation_idx` from 0), then what it has no place for.
pub(crate) fn plan(prepared: &Prepared, chosen: &Chosen) -> Value {
    let ops = &prepared.plan.ops;
    let mut nodes = serde_json::Map::new();
    for op in ops {
        for p in 0..chosen.partitions.len() {
            let id = |i: usize| format!("op_{:03}_{}_partition_{p}", i + 1, ops[i].name);
            let before = op.index.checked_sub(1);
            // Behind a global op a partition waits for all of them.
            let dependencies: Vec<String> = match before {
                Some(before) if ops[before].is_global() => vec![format!("sg_{before:03}_{}", ops[before].name)],
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
            let from: Vec<String> =
                (0..chosen.partitions.len()).map(|p| format!("op_{:03}_{}_partition_{p}", op.index + 1, op.name)).collect();
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
            // Values may be secret.
            let env: Vec<&str> = grants.env.iter().map(|(name, _)| name.as_str()).collect();
            json!({ "operation_idx": op.index, "operation_name": op.name, "kind": op.kind(), "identity": op.identity, "source": c.source.to_string(),
                "digest": c.digest, "bytes": c.bytes, "wit_version": c.wit_version, "interruptible": c.is_interruptible(),
                "fallbacks": op.fallbacks.iter().map(|f| json!({ "source": f.component().source.to_string(), "digest": f.component().digest })).collect::<Vec<_>>(),
                "reads": op.pool.signature().reads, "writes": op.pool.signature().writes, "writes_stats": op.pool.signature().writes_stats,
                "limits": { "memory": op.pool.limits().memory, "seconds": op.pool.limits().time.as_secs_f64(), "row_seconds": op.pool.limits().row_time.as_secs_f64(), "reply": op.pool.limits().reply },
                "grants": { "read_dirs": dirs, "env": env, "seed": op.pool.seed() } })
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
    let total = nodes.len();
    json!({
        "format_version": 1, "nodes": nodes, "edges": [], "parallel_groups": [], "execution_plan": [],
        "metadata": { "created_at": now(), "total_nodes": total },
        "operations": components, "segments": segments,
        "partitions": { "count": chosen.partitions.len(), "why": chosen.why },
    })
}

fn environment() -> Value {
    json!({
        "format_version": 1,
        "djhost": env!("CARGO_PKG_VERSION"),
        "command_line": std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "working_directory": std::env::current_dir().map(|d| d.display().to_string()).unwrap_or_default(),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "os": std::env::consts::OS, "arch": std::env::consts::ARCH,
    })
}
