//! Records the plan and what it was made from: `dag_execution_plan.json`, `metadata/config.yaml`
//! and `metadata/environment.json`.

use anyhow::Result;
use serde_json::{Value, json};

use super::Prepared;
use crate::partition::Chosen;
use crate::plan::document::{count_nodes, document};
use crate::rundir::RunPaths;
use crate::rundir::events::{Event, EventLog};

/// Writes the three documents and emits the events about the plan.
pub(crate) fn save(
    prepared: &Prepared,
    chosen: &Chosen,
    paths: &RunPaths,
    log: &EventLog,
) -> Result<()> {
    let started = std::time::Instant::now();
    log.emit(Event::DagBuildStarted {
        ast_node_count: prepared.plan.ops.len(),
    });
    let document = document(prepared, chosen.partitions.len(), &chosen.why);
    let nodes = count_nodes(prepared, chosen.partitions.len());
    log.emit(Event::DagBuildCompleted {
        dag_node_count: nodes,
        build_duration: started.elapsed().as_secs_f64(),
    });
    let storage = paths.storage();
    storage.write_json(&paths.plan(), &document)?;
    storage.replace(
        &paths.resolved_config(),
        prepared.resolved.to_yaml().as_bytes(),
    )?;
    storage.replace_json(&paths.environment(), &environment())?;
    log.emit(Event::DagExecutionPlanSaved {
        plan_path: paths.plan().display().to_string(),
        node_count: nodes,
    });
    Ok(())
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
