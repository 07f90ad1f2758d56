//! `djhost explain`: shows a row's way through the recipe, or examples of what an op did.

mod diff;
mod text;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::again::prepare_again;
use super::report::absolute;
use crate::error::{UserError, exit};
use crate::jobs::{Job, Trace};
use crate::run::explain::{Which, explain};
use crate::term::Style;

/// Shows what each op did with a row, and why.
///
/// For a row: each filter with its stat, what it demands, and the margin; each mapper with what it
/// changed, as [-removed-]{+added+}; the row that stands for a duplicate; the reason in quarantine.
/// What the trace does not hold is computed again from the input, with the same operators. With --op:
/// examples of what that op did, for a filter those closest to its threshold first.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Job id, the beginning of one, or the path or address of a run directory.
    pub job: String,
    /// The row: FILE:LINE (for Parquet and Arrow the number of the row, from 1), or its `row_id`.
    #[arg(value_name = "ROW", conflicts_with_all = ["filter", "op"])]
    row: Option<String>,
    /// The first row in which a field has this value: `--where id=7`, `--where meta.url=…`. It is the
    /// text of a string, a number in any spelling, `true`, `false`, `null`, or what is written in the
    /// row; all behind the first `=` is the value. More rows that have it are named.
    #[arg(
        long = "where",
        id = "filter",
        value_name = "FIELD=VALUE",
        conflicts_with = "op"
    )]
    filter: Option<String>,
    /// Examples of what this op did: its name or number.
    #[arg(long, value_name = "OP", required_unless_present_any = ["row", "filter"])]
    op: Option<String>,
    /// Number of examples.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "op")]
    sample: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Look for the job in this directory only.
    #[arg(long, value_name = "DIR")]
    base_dir: Option<PathBuf>,
}

/// Runs the subcommand and returns the exit code.
pub fn run(args: &ExplainArgs) -> Result<u8> {
    // The command goes to where the job was started.
    let job = absolute(&Job::find(&args.job, args.base_dir.as_deref())?)?;
    let trace = Trace::open(job.paths())?;
    let style = Style::for_stdout();
    if let Some(op) = &args.op {
        let op = trace.op(op, |_| true)?.clone();
        let text = text::examples(job.paths(), &trace, &op, args.sample, args.json, style)?;
        super::print(&text)?;
        return Ok(exit::DONE);
    }
    let which = which(args)?;
    let prepared = prepare_again(job.paths(), args.json)?;
    let explained = explain(prepared, job.paths(), &which)?;
    super::print(&match args.json {
        true => serde_json::to_string_pretty(&explained)? + "\n",
        false => text::way(&explained, style),
    })?;
    Ok(exit::DONE)
}

fn which(args: &ExplainArgs) -> Result<Which> {
    if let Some(filter) = &args.filter {
        let Some((field, value)) = filter
            .split_once('=')
            .filter(|(field, _)| !field.is_empty())
        else {
            return Err(
                UserError::new("--where", format!("`{filter}` is not FIELD=VALUE"))
                    .hint("for instance `--where id=7`")
                    .into(),
            );
        };
        return Ok(Which::Where(field.to_owned(), value.to_owned()));
    }
    let row = args.row.as_deref().unwrap_or_default();
    if let Ok(id) = row.parse() {
        return Ok(Which::Id(id));
    }
    match row.rsplit_once(':').map(|(file, line)| (file, line.parse())) {
        Some((file, Ok(line))) if !file.is_empty() => {
            // The command goes elsewhere before it looks at the dataset.
            let file = match std::path::Path::new(file).exists() {
                true => std::path::absolute(file)?.display().to_string(),
                false => file.to_owned(),
            };
            Ok(Which::Line(file, line))
        }
        _ => Err(UserError::new("ROW", format!("`{row}` names no row"))
            .hint("a row is FILE:LINE, as in `data.jsonl:12`, or its `row_id`; `--where FIELD=VALUE` finds one by a value")
            .into()),
    }
}
