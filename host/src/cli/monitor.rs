//! `djhost monitor`: shows the progress of a job.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::report::{absolute, document};
use super::watch;
use crate::error::exit;
use crate::jobs::show::{bar, render};
use crate::jobs::{Job, JobState};
use crate::report::{Depth, Document, LiveStats, Server};
use crate::term::{Style, about, count, say};

/// Shows the progress of a job: while it runs, after it has ended, and after it has died.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the job is shown, whatever its state · 1 its run directory cannot be read · 2 there is no such job"
)]
pub struct MonitorArgs {
    /// Job id, the beginning of one, or the path or address of a run directory.
    pub job: String,
    /// Also show the ops and checkpoints of each partition.
    #[arg(long)]
    pub detailed: bool,
    /// Keep showing it until the job ends. On a terminal: a live view (keys: q quits, s stops the
    /// job, d details). Otherwise: a line per interval.
    #[arg(long)]
    pub watch: bool,
    /// Seconds between updates with --watch.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=86_400), requires = "watch")]
    pub interval: u64,
    /// Print one JSON object (with --watch: one line per update); the fields are described in
    /// `host/src/jobs/PROGRESS.md`.
    #[arg(long)]
    pub json: bool,
    /// Show a page that keeps itself up to date, in a browser of this machine: prints its address, and
    /// serves it until Ctrl-C. When the job ends, the page becomes that of `djhost report`.
    #[arg(long, conflicts_with_all = ["watch", "json", "detailed"])]
    pub web: bool,
    /// The port of 127.0.0.1 that --web listens on; 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0, requires = "web")]
    pub port: u16,
    /// Look for the job in this directory only. Otherwise: all jobs that this user started, and
    /// below `./outputs`.
    #[arg(long, value_name = "DIR")]
    pub base_dir: Option<PathBuf>,
}

/// Runs the subcommand. Returns [`exit::DONE`].
pub fn run(args: &MonitorArgs) -> Result<u8> {
    let job = Job::find(&args.job, args.base_dir.as_deref())?;
    if args.web {
        return web(&job, args.port);
    }
    if !args.watch {
        let progress = job.overall_progress()?;
        let text = if args.json {
            serde_json::to_string_pretty(&progress)? + "\n"
        } else {
            render(&progress, args.detailed, Style::for_stdout())
        };
        super::print(&text)?;
        return Ok(exit::DONE);
    }
    let interval = Duration::from_secs(args.interval);
    if !args.json
        && std::io::IsTerminal::is_terminal(&std::io::stdout())
        && std::io::IsTerminal::is_terminal(&std::io::stdin())
    {
        watch::run(&job, interval, args.detailed)?;
        // The last view stays on the screen.
        super::print(&render(
            &job.overall_progress()?,
            args.detailed,
            Style::for_stdout(),
        ))?;
        return Ok(exit::DONE);
    }
    loop {
        let progress = job.overall_progress()?;
        let line = if args.json {
            serde_json::to_string(&progress)?
        } else {
            line(&progress)
        };
        super::print(&(line + "\n"))?;
        if !progress.status.is_running() {
            return Ok(exit::DONE);
        }
        std::thread::sleep(interval);
    }
}

/// Serves the page of a job until the process ends.
fn web(job: &Job, port: u16) -> Result<u8> {
    let job = absolute(job)?;
    let stats = Mutex::new(LiveStats::default());
    // While it runs only what takes little time; its rows when all are known.
    let describe = || match Document::of_job(&job, None, Depth::Progress)? {
        mut running if running.job.is_running => {
            let mut stats = stats.lock().unwrap_or_else(PoisonError::into_inner);
            stats.add_to(&mut running, &job)?;
            Ok(running)
        }
        _ => document(&job, Depth::ALL),
    };
    let server = Server::new(port, &describe)?;
    super::print(&format!("{}\n", server.url()))?;
    say("open this address in a browser on this machine; Ctrl-C ends it\n");
    server.serve()?;
    Ok(exit::DONE)
}

/// Returns the progress in one line, for logs and pipes.
fn line(p: &crate::jobs::JobProgress) -> String {
    let c = &p.partitions;
    let mut text = format!(
        "{} {} {:>5.1} % partitions {}/{} rows {} out {} quarantine {}",
        p.status,
        bar(p.fraction, 20),
        100.0 * p.fraction,
        c.done,
        c.total,
        count(p.rows.read),
        count(p.rows.output),
        count(p.rows.quarantined)
    );
    if c.failed > 0 {
        text += &format!(" failed {}", c.failed);
    }
    if p.status.is_running() && p.rates.rows_per_second > 0.0 {
        text += &format!(" rows/s {}", count(p.rates.rows_per_second as u64));
    }
    if let Some(eta) = p.eta_seconds.filter(|s| *s >= 0.5) {
        text += &format!(" to go {}", about(eta));
    }
    if let (JobState::Died | JobState::Failed | JobState::Stopped, Some(command)) =
        (p.status, &p.resumption_command)
    {
        text += &format!(" to continue: `{command}`");
    }
    text
}
