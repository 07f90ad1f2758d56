//! `djhost quarantine`: shows, exports and retries the rows that a job could not process.

mod retry;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::error::{UserError, did_you_mean, exit};
use crate::jobs::Job;
use crate::jobs::reasons::Reasons;
use crate::rundir::quarantine_entry::{QuarantineEntry, for_each_entry};
use crate::rundir::{JobSummary, RunPaths};
use crate::sanitize::printable;
use crate::term::{Style, count, counted, wrap};

/// Lists, shows, exports and retries the rows that a job could not process.
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// Job id, the beginning of one, or the path or address of a run directory.
    pub job: String,
    #[command(subcommand)]
    what: Option<What>,
    /// Only rows on which this operator failed: its name or index, or `reader` for rows that could
    /// not be read.
    #[arg(long, global = true, value_name = "OP")]
    op: Option<String>,
    /// Look for the job in this directory only.
    #[arg(long, global = true, value_name = "DIR")]
    base_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Number of rows by operator and reason, most rows first; this is the default. Reasons that
    /// differ only in numbers are one, with `N` for these
    List,
    /// The rows with file, line and reason
    Show {
        /// Most rows to show
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
        /// Print a JSON object for each row, with everything that is known about it
        #[arg(long)]
        json: bool,
    },
    /// Write the rows as they were to a file, one per line: a dataset for another run
    Export {
        /// The file, which must not exist yet
        file: PathBuf,
    },
    /// Try the rows on which operators failed again, and put the results in their places in the
    /// export
    ///
    /// Another build of an operator gets just the rows that the job's own could not process: with
    /// --plugins, for every op of the recipe whose operator is in the directory; with --op, only
    /// for that op. The new operator becomes part of the job: other rows stay as they were, and the
    /// result is the same as if the rows had been good from the start. The job continues from its
    /// checkpoints and can be resumed like any other if it is killed.
    Retry {
        /// Take the operators from the components in this directory [default: those of the job]
        #[arg(long, value_name = "DIR")]
        plugins: Option<PathBuf>,
        /// Print no progress and no table
        #[arg(long, short)]
        quiet: bool,
    },
}

/// Runs the subcommand and returns the exit code.
pub fn run(args: &QuarantineArgs) -> Result<u8> {
    let job = Job::find(&args.job, args.base_dir.as_deref())?;
    let files = job.paths().quarantine_files()?;
    if let Some(op) = &args.op {
        check_op(job.paths(), op)?;
    }
    match args.what.as_ref().unwrap_or(&What::List) {
        What::List => list(args, &files)?,
        What::Show { limit, json } => show(args, &files, *limit, *json)?,
        What::Export { file } => export(args, &files, file)?,
        What::Retry { plugins, quiet } => {
            return retry::run(args, job.paths(), &files, plugins.as_deref(), *quiet);
        }
    }
    Ok(exit::DONE)
}

/// Checks that the job has an op with this name or index.
fn check_op(paths: &RunPaths, op: &str) -> Result<()> {
    let ops = JobSummary::load(paths)?
        .map(|summary| summary.ops)
        .unwrap_or_default();
    // A job that ended early knows no ops yet.
    if ops.is_empty()
        || op == "reader"
        || ops
            .iter()
            .any(|known| known.name == op || op.parse() == Ok(known.index))
    {
        return Ok(());
    }
    let near = did_you_mean(
        op,
        ops.iter()
            .map(|known| known.name.as_str())
            .chain(["reader"]),
    );
    let near = near
        .map(|name| format!("did you mean `{name}`? "))
        .unwrap_or_default();
    let names: Vec<String> = ops
        .iter()
        .map(|known| format!("{} `{}`", known.index, known.name))
        .collect();
    let hint = format!(
        "{near}valid are `reader` and the ops of the job, by name or index: {}",
        names.join(", ")
    );
    Err(UserError::new("--op", format!("this job has no op `{op}`"))
        .hint(hint)
        .into())
}

/// Calls `each` with every selected row and its line until it says that it has enough.
fn for_each(
    args: &QuarantineArgs,
    files: &[PathBuf],
    mut each: impl FnMut(QuarantineEntry<'_>, &str) -> Result<bool>,
) -> Result<()> {
    for path in files {
        if !for_each_entry(path, |entry, line| {
            Ok(args.op.as_ref().is_some_and(|op| !entry.is_of(op)) || each(entry, line)?)
        })? {
            return Ok(());
        }
    }
    Ok(())
}

/// Reasons and rows may hold anything, so control characters are escaped before they reach the
/// terminal.
fn one_line(text: &str) -> String {
    printable(text).replace('\n', "\\n")
}

fn list(args: &QuarantineArgs, files: &[PathBuf]) -> Result<()> {
    let mut reasons = Reasons::default();
    for_each(args, files, |entry, _| {
        reasons.add((entry.operation_idx, entry.who()), &entry.reason, 1);
        Ok(true)
    })?;
    let style = Style::for_stdout();
    let room = style
        .width
        .map_or(usize::MAX, |width| width.saturating_sub(11).max(30));
    let mut out = String::new();
    for ((_, who), reason, rows) in reasons.commonest_first() {
        let lines = wrap(&format!("{who}: {}", one_line(&reason)), room).join("\n           ");
        // The name comes first, whole or on several lines.
        let text = lines
            .strip_prefix(&who)
            .map_or_else(|| lines.clone(), |rest| style.bold(&who) + rest);
        let _ = writeln!(out, "{:>9}  {text}", count(rows));
    }
    let _ = writeln!(out, "{} in quarantine", counted(reasons.rows(), "row"));
    super::print(&out)
}

fn show(args: &QuarantineArgs, files: &[PathBuf], limit: usize, json: bool) -> Result<()> {
    let (mut out, mut shown) = (String::new(), 0);
    for_each(args, files, |entry, line| {
        if shown == limit {
            if !json {
                out.push_str("there are more; --limit N shows them\n");
            }
            return Ok(false);
        }
        shown += 1;
        if json {
            let _ = writeln!(out, "{line}");
            return Ok(true);
        }
        let _ = writeln!(
            out,
            "{}  {}, attempt {}",
            one_line(&entry.place()),
            entry.who(),
            entry.attempt
        );
        let _ = writeln!(out, "  {}", one_line(&entry.reason));
        let start: String = entry.row.chars().take(200).collect();
        let _ = writeln!(
            out,
            "  {}{}",
            one_line(&start),
            if start.len() < entry.row.len() {
                "…"
            } else {
                ""
            }
        );
        Ok(true)
    })?;
    super::print(&out)
}

fn export(args: &QuarantineArgs, files: &[PathBuf], to: &PathBuf) -> Result<()> {
    let file = match File::create_new(to) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(
                UserError::new("FILE", format!("`{}` exists already", to.display()))
                    .hint("name a new file, or remove it")
                    .into(),
            );
        }
        Err(e) => return Err(e).with_context(|| format!("cannot create `{}`", to.display())),
    };
    let at = || format!("cannot write `{}`", to.display());
    let (mut out, mut rows) = (BufWriter::new(file), 0u64);
    for_each(args, files, |entry, _| {
        rows += 1;
        let row = entry.bytes().context("a row in quarantine is damaged")?;
        let ends = row
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        out.write_all(&row[..row.len() - ends])
            .and_then(|()| out.write_all(b"\n"))
            .with_context(at)?;
        Ok(true)
    })?;
    out.flush().with_context(at)?;
    super::print(&format!(
        "{} written to {}\n",
        counted(rows, "row"),
        to.display()
    ))
}
