//! `djhost plan`: shows what `djhost run` would do.

use anyhow::Result;

use super::config::RecipeArg;
use super::loading::while_loading;
use crate::config::Override;
use crate::run::{plan_document, plan_text, planned_partitions, planned_reuse, prepare};
use crate::term::{Style, fold};

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

/// Runs the subcommand and returns the exit code.
pub fn run(args: &PlanArgs, overrides: &[Override]) -> Result<u8> {
    let mut prepared = while_loading(args.json, || prepare(args.recipe.path(), overrides))?;
    let reused = planned_reuse(&mut prepared)?;
    let chosen = planned_partitions(&prepared)?;
    if args.json {
        super::print(&format!("{:#}\n", plan_document(&prepared, &chosen)))?;
    } else {
        let text = plan_text(&prepared, &chosen, reused.as_deref());
        super::print(&fold(&text, Style::for_stdout().width))?;
    }
    Ok(0)
}
