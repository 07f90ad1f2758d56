//! `djhost report`: writes a page about a job.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::again::dataset_again;
use crate::error::{UserError, exit};
use crate::jobs::Job;
use crate::report::{Depth, Document, MARK, Page};
use crate::run::explain::readable;
use crate::rundir::Storage;
use crate::term::bytes;

/// Writes a page about a job: one HTML file that needs no network.
///
/// Rows and bytes through the recipe; each stat with its threshold, which can be moved to see at once
/// how many rows would stay; duplicates, quarantine, samples of what ops did, time and memory per op,
/// partitions, checkpoints and attempts, the recipe and the digests of operators. With `trace: stats`
/// what other thresholds keep is known for all rows, else for those that were dropped, and with
/// `trace: all` also where filters computed their stats anyway.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the page is written · 1 the run directory cannot be read, or the page not written · 2 there is no such job, or FILE is another file"
)]
pub struct ReportArgs {
    /// Job id, the beginning of one, or the path or address of a run directory.
    pub job: String,
    /// The file to write. A page that `djhost report` has written is replaced, no other file
    /// [default: JOB.html].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the data of the page as JSON, and write no file
    #[arg(long, conflicts_with_all = ["output", "compare"])]
    json: bool,
    /// An analysis: group by a field of the rows, or by a stat that is a text
    #[arg(long, value_name = "FIELD", requires = "json")]
    by: Option<String>,
    /// An analysis: suggest bounds that keep this percentage of the rows
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 95.0,
        requires = "json"
    )]
    keep: f64,
    /// Show this job beside it: both funnels, the differences of ops, stats above each other.
    #[arg(long, value_name = "JOB")]
    compare: Option<String>,
    /// Look for the jobs in this directory only.
    #[arg(long, value_name = "DIR")]
    base_dir: Option<PathBuf>,
}

/// Runs the subcommand and returns the exit code.
pub fn run(args: &ReportArgs) -> Result<u8> {
    let find = |job: &str| Job::find(job, args.base_dir.as_deref());
    let jobs: Vec<Job> = [Some(&args.job), args.compare.as_ref()]
        .into_iter()
        .flatten()
        .map(|job| find(job))
        .collect::<Result<_>>()?;
    if args.json {
        return print_json(args, &absolute(&jobs[0])?);
    }
    let output = match &args.output {
        Some(output) => output.clone(),
        None => PathBuf::from(format!("{}.html", jobs[0].paths().job_id())),
    };
    let output = std::path::absolute(output)?;
    check_output(&output)?;
    // The command goes to where a job was started to read its rows.
    let jobs: Vec<Job> = jobs.iter().map(absolute).collect::<Result<_>>()?;
    let documents: Vec<Document> = jobs
        .iter()
        .map(|job| document(job, Depth::ALL))
        .collect::<Result<_>>()?;
    let html = Page::new(documents).html()?;
    Storage::new().replace(&output, html.as_bytes())?;
    super::print(&format!(
        "{} ({}); open it in a browser\n",
        output.display(),
        bytes(html.len() as u64)
    ))?;
    Ok(exit::DONE)
}

/// Prints what `djhost analyze --json` does, of any job.
fn print_json(args: &ReportArgs, job: &Job) -> Result<u8> {
    check_keep(args.keep)?;
    let depth = Depth::Rows {
        keep: args.keep / 100.0,
        by: args.by.as_deref(),
    };
    super::print(&(serde_json::to_string_pretty(&document(job, depth)?)? + "\n"))?;
    Ok(exit::DONE)
}

/// Fails if `keep` is no percentage of rows.
pub(super) fn check_keep(keep: f64) -> Result<()> {
    if keep > 0.0 && keep <= 100.0 {
        return Ok(());
    }
    Err(UserError::new("--keep", format!("`{keep}` is not valid"))
        .hint("valid is a percentage above 0 and up to 100")
        .into())
}

/// The same job, wherever the process goes.
pub(super) fn absolute(job: &Job) -> Result<Job> {
    if job.paths().address().is_some() {
        // The path of a copy is absolute already.
        return Ok(job.clone());
    }
    let root = std::path::absolute(job.paths().root())?;
    Ok(Job::new(crate::rundir::RunPaths::new(root)))
}

/// Everything about a job, with rows of its dataset if they can still be read.
pub(super) fn document(job: &Job, depth: Depth<'_>) -> Result<Document> {
    let dataset = dataset_again(job.paths()).and_then(|dataset| readable(&dataset, job.paths()));
    match &dataset {
        Ok((dataset, _unpacked)) => Document::of_job(job, Some(dataset), depth),
        Err(error) => {
            tracing::debug!("rows are not shown: {error:#}");
            Document::of_job(job, None, depth)
        }
    }
}

/// Fails if `path` is a file that is no page of ours.
pub(super) fn check_output(path: &Path) -> Result<()> {
    use std::io::Read;
    let refused = |what: &str| {
        UserError::new("--output", format!("`{}` {what}", path.display()))
            .hint("name a new file, or a page that `djhost report` has written")
    };
    if path.parent().is_some_and(|dir| !dir.is_dir()) {
        return Err(refused("is in a directory that does not exist").into());
    }
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    };
    let mut start = vec![0; MARK.len()];
    if path.is_dir() || file.read_exact(&mut start).is_err() || start != MARK.as_bytes() {
        return Err(refused("exists already, and is no page of `djhost report`").into());
    }
    Ok(())
}
