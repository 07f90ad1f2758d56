//! `djhost quarantine JOB retry`: tries rows in quarantine again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{QuarantineArgs, for_each};
use crate::cli::again::prepare_again;
use crate::error::{UserError, exit};
use crate::run::logs::Logs;
use crate::run::{Retry, RunOptions, run as run_job};
use crate::rundir::{JobSummary, RunPaths, Status, StopFlag};
use crate::term::{counted, say};

/// Continues the job with fallbacks for the ops that have rows in quarantine. Returns the exit
/// code.
pub(crate) fn run(
    args: &QuarantineArgs,
    paths: &RunPaths,
    files: &[PathBuf],
    plugins: Option<&Path>,
    quiet: bool,
) -> Result<u8> {
    let (mut ops, mut rows, mut unread) = (BTreeSet::new(), 0u64, 0u64);
    for_each(args, files, |entry, _| {
        match entry.operation_idx {
            Some(op) => (rows, _) = (rows + 1, ops.insert(op)),
            None => unread += 1,
        }
        Ok(true)
    })?;
    if unread > 0 {
        let (rows, they) = (
            counted(unread, "row"),
            if unread == 1 { "it is" } else { "they are" },
        );
        say(&format!(
            "{rows} could not be read; {they} not tried again: fix the dataset, and run the job again\n"
        ));
    }
    if ops.is_empty() {
        crate::cli::print("no operator has rows in quarantine: nothing to do\n")?;
        return Ok(exit::DONE);
    }
    let summary = JobSummary::load(paths)?.context("the job has no summary")?;
    if summary.status != Status::Completed {
        return Err(UserError::new(
            &args.job,
            "this job is not complete, so more rows may come into quarantine",
        )
        .hint(format!("end it first: {}", summary.resumption_command))
        .into());
    }
    let root = std::path::absolute(paths.root())?;
    let retry = Retry {
        ops: ops.into_iter().collect(),
        and_others: args.op.is_none(),
        plugins: plugins.map(std::path::absolute).transpose()?,
    };
    let logs = Logs::init(
        None,
        quiet || std::io::IsTerminal::is_terminal(&std::io::stderr()),
    )?;
    let stop = StopFlag::new();
    let prepared = prepare_again(paths, quiet)?;
    stop.watch_signals()?;
    let options = RunOptions {
        quiet,
        retry: Some(retry),
        ..RunOptions::default()
    };
    let code = run_job(prepared, &options, &logs, &stop)?.code;
    let left =
        JobSummary::load(&RunPaths::new(&root))?.map_or(0, |summary| summary.ledger.quarantined);
    let are = if left == 1 { "is" } else { "are" };
    crate::cli::print(&format!(
        "{} tried again; {} {are} in quarantine now\n",
        counted(rows, "row"),
        counted(left, "row")
    ))?;
    Ok(code)
}
