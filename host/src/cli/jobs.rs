//! `djhost jobs`: lists jobs.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::error::{UserError, exit};
use crate::jobs::show::color;
use crate::jobs::{JobEntry, list_some_jobs};
use crate::term::{Cell, Column, Style, Table, count, counted, fold, seconds, time};

/// Jobs on a page.
const PAGE: usize = 20;

/// Lists the jobs that run, newest first.
#[derive(Debug, Args)]
pub struct JobsArgs {
    /// Also list jobs that are done, failed, stopped or dead.
    #[arg(long)]
    pub all: bool,
    /// Print a JSON list, of all jobs unless --limit or --page is given.
    #[arg(long)]
    pub json: bool,
    /// Number of jobs on a page [default: 20].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Show this page [default: 1, the newest jobs].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub page: Option<u32>,
    /// Look in this directory only. Otherwise: all jobs that this user started, and below
    /// `./outputs`. May be `s3://BUCKET/PREFIX`.
    #[arg(long, value_name = "DIR")]
    pub base_dir: Option<PathBuf>,
}

/// Runs the subcommand. Returns [`exit::DONE`], also if there are no jobs.
pub fn run(args: &JobsArgs) -> Result<u8> {
    let all = args.json && args.limit.is_none() && args.page.is_none();
    let limit = if all {
        usize::MAX
    } else {
        args.limit.map_or(PAGE, |n| n as usize)
    };
    let page = args.page.map_or(1, |n| n as usize);
    let skip = (page - 1).saturating_mul(limit);
    let found = list_some_jobs(args.base_dir.as_deref(), args.all, skip, limit)?;
    if skip > 0 && skip >= found.total {
        let pages = found.total.div_ceil(limit).max(1);
        return Err(UserError::new("--page", format!("there is no page {page}"))
            .hint(format!(
                "with {limit} on a page, {} take pages 1 to {pages}",
                counted(found.total as u64, "job")
            ))
            .into());
    }
    if args.json {
        super::print(&(serde_json::to_string_pretty(&found.jobs)? + "\n"))?;
        return Ok(exit::DONE);
    }
    let style = Style::for_stdout();
    let mut text = text(&found.jobs, args.all, style);
    let last = skip.saturating_add(limit).min(found.total);
    if skip > 0 || last < found.total {
        let mut pages = format!(
            "jobs {} to {} of {}",
            count(skip as u64 + 1),
            count(last as u64),
            count(found.total as u64)
        );
        if last < found.total {
            pages += &format!("; `--page {}` shows the next", page + 1);
        }
        text += &fold(&(pages + "\n"), style.width);
    }
    super::print(&text)?;
    Ok(exit::DONE)
}

pub(crate) fn text(jobs: &[JobEntry], all: bool, style: Style) -> String {
    if jobs.is_empty() {
        let none = if all {
            "no jobs\n"
        } else {
            "no job is running (`djhost jobs --all` lists the others)\n"
        };
        return fold(none, style.width);
    }
    let mut table = Table::new(vec![
        Column::left("job"),
        Column::left("state"),
        Column::right("done"),
        Column::left("started").goes(2),
        Column::right("at work").goes(3),
        Column::right("process").goes(4),
        Column::left("directory").path().shrinks(20).goes(1),
    ]);
    for job in jobs {
        table.row(vec![
            job.job_id.as_str().into(),
            Cell::painted(job.status.to_string(), color(job.status)),
            format!("{:.0} %", 100.0 * job.fraction).into(),
            job.start_time.map_or_else(String::new, time).into(),
            seconds(job.duration).into(),
            job.process_id
                .filter(|_| job.status.is_running())
                .map_or_else(|| "-".to_owned(), |pid| pid.to_string())
                .into(),
            job.work_dir.as_str().into(),
        ]);
    }
    table.render(style)
}
