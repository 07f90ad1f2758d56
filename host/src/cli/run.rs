//! `djhost run`: starts or continues a job.

use anyhow::Result;

use super::allocator;
use super::config::RecipeArg;
use super::loading::while_loading;
use crate::config::{Need, Override, Recipe};
use crate::run::logs::Logs;
use crate::run::{Draft, Prepared, RunOptions, TaskList, run as run_job, submit};
use crate::rundir::StopFlag;

/// Run a recipe over a dataset, or continue a job
///
/// Everything that can be wrong with the recipe, the operators or the dataset is found before
/// anything is written. A job with the same --job_id continues; Ctrl-C stops it without losing
/// anything committed, a second Ctrl-C ends it at once.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    recipe: RecipeArg,
    /// Forget what earlier attempts of this job left, and start over
    #[arg(long)]
    fresh: bool,
    /// Exit with 4 if rows are in quarantine
    #[arg(long)]
    strict: bool,
    /// Print no progress and no table
    #[arg(long, short)]
    quiet: bool,
    /// Print the tasks that can run now, one a line, instead of running them, and exit with 3; when none
    /// is left, do what needs all partitions, and go on
    ///
    /// Each line is an ID for `djhost task --run DIR --id ID`, in any process on any machine that sees
    /// the run directory.
    #[arg(long)]
    list_tasks: bool,
}

/// What is known of the job before it begins.
enum Loaded {
    /// It runs here.
    Job(Box<Prepared>),
    /// It runs elsewhere.
    Draft(Box<Draft>),
}

/// Runs the subcommand and returns the exit code.
pub fn run(args: &RunArgs, overrides: &[Override]) -> Result<u8> {
    allocator::keep_freed();
    let level = overrides.iter().rev().find(|o| o.key == "log_level");
    let on_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let logs = Logs::init(level.and_then(Override::as_text), args.quiet || on_terminal)?;
    let stop = StopFlag::new();
    let recipe = Recipe::in_file(args.recipe.path());
    let loaded = while_loading(args.quiet, || {
        let draft = Draft::new(&recipe, overrides, Need::Runnable)?;
        anyhow::Ok(match draft.is_for_submitting() {
            true => Loaded::Draft(Box::new(draft)),
            false => Loaded::Job(Box::new(draft.prepare()?)),
        })
    })?;
    stop.watch_signals()?;
    let list = args.list_tasks.then(TaskList::default);
    let options = RunOptions {
        list_tasks: list.clone(),
        fresh: args.fresh,
        strict: args.strict,
        quiet: args.quiet,
        scratch: false,
        ..RunOptions::default()
    };
    let ended = match loaded {
        Loaded::Draft(draft) => submit(*draft, &options, &stop),
        Loaded::Job(prepared) => {
            prepared.notes().iter().for_each(|n| tracing::warn!("{n}"));
            run_job(*prepared, &options, &logs, &stop)
        }
    };
    let ids = list.map(|list| list.ids()).unwrap_or_default();
    super::print(&ids.iter().map(|id| format!("{id}\n")).collect::<String>())?;
    Ok(ended?.code)
}
