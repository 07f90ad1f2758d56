//! `djhost plan`: what `djhost run` would do.

use std::fmt::Write;

use anyhow::Result;

use super::config::RecipeArg;
use crate::config::{Override, Strategy};
use crate::plan::End;
use crate::plan::advice::{JobFacts, advice};
use crate::run::{Prepared, planned_partitions, prepare, unmet_fields};

/// Show what `djhost run` would do: ops, partitions, checkpoints, with the reasons
///
/// Checks everything that `djhost run` checks, and writes nothing.
#[derive(Debug, Clone, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    recipe: RecipeArg,
    /// Print the plan as JSON, in the form of dag_execution_plan.json
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand; gives the exit code.
pub fn run(args: &PlanArgs, overrides: &[Override]) -> Result<u8> {
    let prepared = prepare(args.recipe.path(), overrides)?;
    let chosen = planned_partitions(&prepared)?;
    if args.json {
        super::print(&format!("{:#}\n", crate::run::plan_document(&prepared, &chosen)))?;
    } else {
        super::print(&text(&prepared, &chosen))?;
    }
    Ok(0)
}

fn text(prepared: &Prepared, chosen: &crate::run::Chosen) -> String {
    let (resolved, plan) = (&prepared.resolved, &prepared.plan);
    let config = &resolved.config;
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!("job        {}  in {}", resolved.dirs.job_id, resolved.dirs.run_dir.display()));
    line(format!(
        "dataset    {}  ({} files, {:.1} MB)",
        resolved.sources.join(" "),
        prepared.dataset.files.len(),
        prepared.dataset.bytes() as f64 / 1e6
    ));
    line(format!("export     {}", prepared.target.path.display()));
    line(format!("workers    {}", config.workers()));
    line(format!("partitions {}", chosen.partitions.len()));
    chosen.why.iter().for_each(|why| line(format!("           {why}")));
    line(String::new());
    line("ops".into());
    for op in &plan.ops {
        let component = op.pool.component();
        let guard = if component.is_interruptible() { "interruptible" } else { "trusted, no interruption checks" };
        line(format!("{:>4} {}  {}, {}", op.index, op.name, op.kind().as_str(), op.pool.descriptor().cost.as_str()));
        line(format!("       {}", own_params(op)));
        line(format!(
            "       from {} (sha256 {}…, {} bytes, contract {}, {guard}); may use {} MB, {:?} per batch, {:?} per row; {}",
            component.source,
            &component.digest[..12],
            component.bytes,
            component.wit_version,
            op.pool.limits().memory >> 20,
            op.pool.limits().time,
            op.pool.limits().row_time,
            op.pool.grants(),
        ));
    }
    line(String::new());
    line(format!(
        "checkpoints ({}, {}/{})",
        config.strategy().word(),
        config.intermediate_storage.format.word(),
        config.intermediate_storage.compression.word()
    ));
    let mut any = false;
    for segment in &plan.segments {
        for op in &segment.stored {
            any = true;
            let op = &plan.ops[*op];
            let why = op.checkpoint.as_deref().unwrap_or("the global op after it needs these rows again");
            line(format!("  after op {} {}: {why}", op.index, op.name));
        }
        if let End::Keys(op) = segment.end {
            any = true;
            let what = if plan.ops[op].is_grouper() { "its keys, and the rows that it makes" } else { "its keys and what it keeps" };
            line(format!("  at op {op} {}: {what}, always", plan.ops[op].name));
        }
    }
    if config.strategy() == Strategy::Adaptive {
        line("  adaptive: after an op when losing the work since the last checkpoint would cost more than storing the rows, as measured while".into());
        line("  the job runs; what stands above is for the first partitions".into());
    } else if !any {
        line("  none".into());
    }
    // Global ops keep their keys and masks whatever the strategy is: there is nothing to advise about them.
    let names: Vec<&str> = plan.ops.iter().map(|o| if o.is_global() { "(global op)" } else { o.name.as_str() }).collect();
    let facts = JobFacts {
        ops: &names,
        strategy: config.strategy(),
        n_ops: config.checkpoint.n_ops,
        op_names: &config.checkpoint.op_names.0,
        seconds: None,
    };
    let advice = advice(&facts);
    if !advice.is_empty() && config.strategy() != Strategy::Adaptive {
        line(String::new());
        line("advice".into());
        advice.iter().for_each(|a| line(format!("  {a}")));
    }
    let unmet = unmet_fields(resolved, plan, &prepared.dataset);
    for note in resolved.notes.iter().chain(&plan.notes).chain(&prepared.dataset.notes).chain(&unmet) {
        line(format!("note: {note}"));
    }
    out
}

/// The parameters that the operator declares itself, with their values.
fn own_params(op: &crate::plan::PlannedOp) -> String {
    let given: serde_json::Map<String, serde_json::Value> = serde_json::from_str(op.pool.params()).unwrap_or_default();
    let properties = op.pool.descriptor().params_schema.get("properties").and_then(serde_json::Value::as_object);
    let own: Vec<String> =
        given.iter().filter(|(name, _)| properties.is_some_and(|p| p.contains_key(*name))).map(|(n, v)| format!("{n}={v}")).collect();
    if own.is_empty() { "no parameters".to_owned() } else { own.join(" ") }
}
