//! `djhost jobs`: lists jobs.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::error::exit;
use crate::job::show::{seconds, table, time};
use crate::job::{JobEntry, list_jobs, list_running_jobs};

/// Lists the jobs that run, newest first.
#[derive(Debug, Args)]
pub struct JobsArgs {
    /// Also those that are done, failed, stopped or dead.
    #[arg(long)]
    pub all: bool,
    /// Print a JSON list.
    #[arg(long)]
    pub json: bool,
    /// Look in this directory only. Otherwise: all jobs that this user started, and below `./outputs`.
    #[arg(long, value_name = "DIR")]
    pub base_dir: Option<PathBuf>,
}

/// Runs the subcommand; the exit code is [`exit::DONE`], also if there are no jobs.
pub fn run(args: &JobsArgs) -> Result<u8> {
    let jobs = match (&args.base_dir, args.all) {
        (None, false) => list_running_jobs()?,
        (base_dir, all) => list_jobs(base_dir.as_deref(), all)?,
    };
    let text = if args.json { serde_json::to_string_pretty(&jobs)? + "\n" } else { text(&jobs, args.all) };
    super::print(&text)?;
    Ok(exit::DONE)
}

pub(super) fn text(jobs: &[JobEntry], all: bool) -> String {
    if jobs.is_empty() {
        return if all { "no jobs\n" } else { "no job is running (`djhost jobs --all` lists the others)\n" }.to_owned();
    }
    let mut text = String::new();
    let rows = jobs
        .iter()
        .map(|job| {
            vec![
                job.job_id.clone(),
                job.status.to_string(),
                format!("{:.0} %", 100.0 * job.fraction),
                job.start_time.map_or_else(String::new, time),
                seconds(job.duration),
                job.process_id.filter(|_| job.status.is_running()).map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
                job.work_dir.clone(),
            ]
        })
        .collect();
    table(&mut text, &["job", "state", "done", "started", "at work", "process", "directory"], "llrlrrl", rows);
    text
}
