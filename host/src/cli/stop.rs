//! `djhost stop`: asks a job to stop.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::jobs;
use crate::error::exit;
use crate::jobs::{StopOutcome, StopReport, list_jobs, stop_job_in};
use crate::term::Style;

/// Exit codes of `djhost stop` in addition to the common ones.
pub mod code {
    /// The job still runs after the timeout.
    pub const STILL_RUNNING: u8 = 10;
    /// The job was not running: it had completed, failed or been stopped before, or it completed or
    /// failed before it saw the request.
    pub const NOT_RUNNING: u8 = 11;
    /// The job was not running: its process had died.
    pub const DIED: u8 = 12;
    /// There is no such job, or several match.
    pub const UNKNOWN: u8 = 13;
}

/// Stops a running job: it finishes the batches in flight, commits what is complete, and can be
/// continued.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 stopped (or killed) · 1 it cannot be stopped · 2 bad usage · 10 it still runs when the time is over · \
                        11 it was not running · 12 it was not running, its process had died · 13 there is no such job"
)]
pub struct StopArgs {
    /// Job id, the beginning of one, or the path or address of a run directory.
    #[arg(required_unless_present = "list")]
    pub job: Option<String>,
    /// Kill the process at once. What is committed stays; work since the last checkpoints is lost.
    #[arg(long)]
    pub force: bool,
    /// Seconds to wait for the job to end.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub timeout: u64,
    /// List the jobs that can be stopped.
    #[arg(long, conflicts_with_all = ["job", "force"])]
    pub list: bool,
    /// Look for the job in this directory only.
    #[arg(long, value_name = "DIR")]
    pub base_dir: Option<PathBuf>,
}

/// Runs the subcommand. Returns [`exit::DONE`] or one of [`code`].
pub fn run(args: &StopArgs) -> Result<u8> {
    let base_dir = args.base_dir.as_deref();
    let Some(job) = args.job.as_deref().filter(|_| !args.list) else {
        super::print(&jobs::text(
            &list_jobs(base_dir, false)?,
            false,
            Style::for_stdout(),
        ))?;
        return Ok(exit::DONE);
    };
    if let Err(error) = crate::jobs::Job::find(job, base_dir) {
        if !error.is::<crate::error::UserError>() {
            return Err(error);
        }
        super::complain(&format!("{error}"));
        return Ok(code::UNKNOWN);
    }
    let report = stop_job_in(job, base_dir, args.force, Duration::from_secs(args.timeout))?;
    super::print(&text(&report, args.timeout))?;
    Ok(match report.outcome {
        StopOutcome::Stopped | StopOutcome::Killed => exit::DONE,
        StopOutcome::StillRunning => code::STILL_RUNNING,
        StopOutcome::Finished | StopOutcome::NotRunning => code::NOT_RUNNING,
        StopOutcome::Died => code::DIED,
    })
}

fn text(report: &StopReport, timeout: u64) -> String {
    let job = &report.job_id;
    let pid = report
        .process_id
        .map(|pid| format!(" (process {pid})"))
        .unwrap_or_default();
    let mut text = match report.outcome {
        StopOutcome::Stopped => {
            format!("job `{job}`{pid} stopped; what was complete is committed\n")
        }
        StopOutcome::Killed => {
            format!("job `{job}`{pid} killed; what was committed before stays\n")
        }
        StopOutcome::Finished => format!(
            "job `{job}`{pid} had {} before it saw the request\n",
            report.status
        ),
        StopOutcome::StillRunning => {
            let mut text = format!(
                "job `{job}`{pid} still runs after {timeout} s; it stops once it has finished what it has begun\n"
            );
            if !report.at_work.is_empty() {
                text += "`--force` would lose:\n";
                report
                    .at_work
                    .iter()
                    .for_each(|line| text += &format!("  {line}\n"));
            }
            text
        }
        StopOutcome::NotRunning => format!("job `{job}` is not running: it is {}\n", report.status),
        StopOutcome::Died => format!("job `{job}` is not running: its process died\n"),
    };
    if let Some(command) = &report.resumption_command {
        text += &format!("to continue: `{command}`\n");
    }
    text
}
