//! `djhost task`: runs tasks of a job, whoever runs the job.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::allocator;
use crate::error::exit;
use crate::run::logs::Logs;
use crate::run::worker;
use crate::rundir::StopFlag;
use crate::term::say;

/// Run tasks of a job in this process
///
/// With --stdio, tasks come in lines of JSON on standard input, and the answers go to standard output:
/// `djhost run` starts such processes with the option `worker_processes`. With --run and --id, one task of a
/// job runs that no process runs just now: `djhost run CONFIG --list-tasks` prints the tasks that can.
/// host/src/exec/workers/README.md describes both.
#[derive(Debug, Clone, Args)]
pub struct TaskArgs {
    /// Take tasks from standard input
    #[arg(long, conflicts_with_all = ["run", "id", "plan"], required_unless_present = "run")]
    stdio: bool,
    /// The run directory of the job
    #[arg(long, value_name = "DIR", requires = "id")]
    run: Option<PathBuf>,
    /// The task, such as steps.0.17
    #[arg(long, value_name = "ID", requires = "run")]
    id: Option<String>,
    /// The digest of the plan that the task is of; with another one it is refused
    #[arg(long, value_name = "DIGEST", requires = "run")]
    plan: Option<String>,
}

/// Runs the subcommand and returns the exit code.
pub fn run(args: &TaskArgs) -> Result<u8> {
    allocator::keep_freed();
    let (Some(run), Some(id)) = (&args.run, &args.id) else {
        return worker::serve(std::io::stdin(), std::io::stdout());
    };
    Logs::init(None, true)?;
    let stop = StopFlag::new();
    stop.watch_signals()?;
    if !worker::run_task(run, args.plan.as_deref(), id, &stop)? {
        say(&format!("{id} is done already\n"));
    }
    Ok(exit::DONE)
}
