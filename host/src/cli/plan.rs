//! `djhost plan`: what `djhost run` would do.

mod ops;

use std::fmt::Write;

use anyhow::Result;

use super::config::RecipeArg;
use super::loading::while_loading;
use crate::config::{Override, Strategy};
use crate::plan::End;
use crate::plan::advice::{JobFacts, advice};
use crate::run::{Prepared, planned_partitions, planned_reuse, prepare, unmet_fields};
use crate::term::{bytes, counted};

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
    let mut prepared = while_loading(args.json, || prepare(args.recipe.path(), overrides))?;
    let reused = planned_reuse(&mut prepared)?;
    let chosen = planned_partitions(&prepared)?;
    if args.json {
        super::print(&format!("{:#}\n", crate::run::plan_document(&prepared, &chosen)))?;
    } else {
        super::print(&text(&prepared, &chosen, reused.as_deref()))?;
    }
    Ok(0)
}

fn text(prepared: &Prepared, chosen: &crate::partition::Chosen, reused: Option<&str>) -> String {
    let (resolved, plan) = (&prepared.resolved, &prepared.plan);
    let config = &resolved.config;
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!("job        {}  in {}", resolved.dirs.job_id, resolved.dirs.run_dir.display()));
    line(format!(
        "dataset    {}  ({}, {})",
        resolved.sources.join(" "),
        counted(prepared.dataset.files.len() as u64, "file"),
        bytes(prepared.dataset.bytes())
    ));
    line(format!("export     {}", prepared.target.path.display()));
    line(format!("workers    {}", config.workers()));
    line(format!("partitions {}", chosen.partitions.len()));
    chosen.why.iter().for_each(|why| line(format!("           {why}")));
    if let Some(reused) = reused {
        line(format!("reuses     {reused}"));
    }
    line(String::new());
    ops::lines(&plan.ops).into_iter().for_each(&mut line);
    line(String::new());
    line(format!(
        "checkpoints ({}, {}/{})",
        config.strategy().word(),
        config.intermediate_storage.format.word(),
        config.intermediate_storage.compression().word()
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
