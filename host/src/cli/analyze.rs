//! `djhost analyze`: computes the stats of a dataset.

mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::config::RecipeArg;
use super::loading::while_loading;
use super::report::{check_keep, check_output, document};
use super::{again::same_directory, allocator};
use crate::config::{AnalysisMode, Need, Override, Resolved, resolve};
use crate::error::UserError;
use crate::jobs::Job;
use crate::report::{Depth, Document, Page};
use crate::run::logs::Logs;
use crate::run::{RunOptions, prepare, run as run_job};
use crate::rundir::{RunPaths, StopFlag, Storage};
use crate::term::Style;

/// Compute the stats of a dataset: which thresholds would keep which rows
///
/// Runs the filters and mappers of the recipe over all rows, or a sample, as a job that drops nothing
/// and exports nothing: like `djhost run` it uses all cores and bounded memory, and continues after a
/// kill. Prints for each stat mean, deviation and percentiles, what filters would drop together,
/// which stats go together, and bounds that keep a share of the rows. `djhost report` and `djhost
/// explain` take its job, too.
#[derive(Debug, Clone, clap::Args)]
pub struct AnalyzeArgs {
    #[command(flatten)]
    recipe: RecipeArg,
    /// In place of the recipe's ops, all filters that need nothing but the text; a recipe is not
    /// needed then, only --dataset_path
    #[arg(long)]
    auto: bool,
    /// Look at this share of the rows, chosen by a hash
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    sample: f64,
    /// Group by a field of the rows, or by a stat that is a text, such as the language
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,
    /// Suggest bounds that keep this percentage of the rows, each stat alone
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0)]
    keep: f64,
    /// Write a recipe with the suggested bounds to this file, which must not exist yet
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write a page about the analysis, with histograms and thresholds to move
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Forget what earlier attempts of this analysis left, and start over
    #[arg(long)]
    fresh: bool,
    /// Print no progress
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the subcommand and returns the exit code.
pub fn run(args: &AnalyzeArgs, overrides: &[Override]) -> Result<u8> {
    allocator::keep_freed();
    let absolute = |path: &Option<PathBuf>| path.as_ref().map(std::path::absolute).transpose();
    let (output, html) = (absolute(&args.output)?, absolute(&args.html)?);
    check(args, output.as_deref(), html.as_deref())?;
    let level = overrides.iter().rev().find(|o| o.key == "log_level");
    let on_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let quiet = args.quiet || args.json;
    let logs = Logs::init(level.and_then(Override::as_text), quiet || on_terminal)?;
    let stop = StopFlag::new();
    let overrides = as_analysis(args, overrides)?;
    let prepared = while_loading(quiet, || prepare(args.recipe.path(), &overrides))?;
    stop.watch_signals()?;
    let notes = prepared.resolved.notes.iter().chain(&prepared.plan.notes);
    notes.for_each(|note| tracing::warn!("{note}"));
    let root = std::path::absolute(&prepared.resolved.dirs.run_dir)?;
    let (resolved, here) = (prepared.resolved.clone(), std::env::current_dir()?);
    let options = RunOptions {
        fresh: args.fresh,
        quiet,
        ..RunOptions::default()
    };
    let outcome = run_job(prepared, &options, &logs, &stop)?;
    let depth = Depth::Rows {
        keep: args.keep / 100.0,
        by: args.by.as_deref(),
    };
    let document = document(&Job::new(RunPaths::new(root)), depth)?;
    same_directory(&here)?;
    if let Some(path) = &output {
        write_recipe(path, &document, &resolved)?;
    }
    if let Some(path) = &html {
        let page = Page::new(vec![document.clone()]).html()?;
        Storage::new().replace(path, page.as_bytes())?;
    }
    super::print(&match args.json {
        true => serde_json::to_string_pretty(&document)? + "\n",
        false => text::text(
            &document,
            Style::for_stdout(),
            output.as_deref(),
            html.as_deref(),
        ),
    })?;
    Ok(outcome.code)
}

fn check(args: &AnalyzeArgs, output: Option<&Path>, html: Option<&Path>) -> Result<()> {
    let wrong = |place: &str, value: f64, valid: &str| {
        Err(UserError::new(place, format!("`{value}` is not valid"))
            .hint(format!("valid is {valid}"))
            .into())
    };
    if !(args.sample > 0.0 && args.sample <= 1.0) {
        return wrong(
            "--sample",
            args.sample,
            "a share above 0 and up to 1, such as `0.1`",
        );
    }
    check_keep(args.keep)?;
    if let Some(path) = output.filter(|path| path.exists()) {
        let message = format!("`{}` exists already", path.display());
        return Err(UserError::new("--output", message)
            .hint("name a new file, or remove it")
            .into());
    }
    html.map_or(Ok(()), check_output)
}

/// The recipe's options with those that make it an analysis: another job beside the recipe's own,
/// with a result that stays empty.
fn as_analysis(args: &AnalyzeArgs, given: &[Override]) -> Result<Vec<Override>> {
    let set = |key: &str, text: String| Override::text(key, text, format!("--{key}"));
    let is_given = |key: &str| given.iter().any(|o| o.key == key);
    let mut all = given.to_vec();
    let resolved = resolve(
        args.recipe.path(),
        std::env::vars_os(),
        given,
        Need::Anything,
    )?;
    let mode = match args.auto {
        true => AnalysisMode::Auto,
        false => AnalysisMode::Recipe,
    };
    all.push(set("analysis", mode.word().to_owned()));
    all.push(set("analysis_ratio", args.sample.to_string()));
    // Only the numbers of rows are wanted, and these are another job's.
    all.push(set("expect", "null".to_owned()));
    all.push(set("export_shard_size", "0".to_owned()));
    all.push(set("export_type", "jsonl".to_owned()));
    if resolved.config.work_dir.is_none() {
        let beside = Path::new(&resolved.config.export_path).parent();
        let beside = beside.filter(|_| !args.auto || args.recipe.path().is_some());
        let beside = beside
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        all.push(set("work_dir", beside.display().to_string()));
    }
    if !is_given("job_id") && !is_given("resume") {
        let name = match &resolved.config.job_id {
            Some(job) => format!("{job}_analysis"),
            None => default_name(args, &resolved),
        };
        all.push(set("job_id", name));
    }
    all.push(set("export_path", "{work_dir}/analysis.jsonl".to_owned()));
    if args.auto {
        all.push(set("process", "[]".to_owned()));
    }
    Ok(all)
}

/// The same name for the same recipe, so that an analysis that was killed is continued.
fn default_name(args: &AnalyzeArgs, resolved: &Resolved) -> String {
    let recipe = args.recipe.path().and_then(Path::file_stem);
    let dataset = resolved.sources.first().map(PathBuf::from);
    let dataset = dataset.as_deref().and_then(Path::file_stem);
    let name = recipe.or(dataset).unwrap_or_default().to_string_lossy();
    let known = |c: char| {
        if c.is_ascii_alphanumeric() || "_-".contains(c) {
            c
        } else {
            '_'
        }
    };
    format!("{}_analysis", name.chars().map(known).collect::<String>())
}

/// Writes the recipe with the suggested bounds.
fn write_recipe(path: &Path, document: &Document, resolved: &Resolved) -> Result<()> {
    use std::io::Write;
    let text = text::recipe(document, resolved)?;
    let at = || format!("cannot write `{}`", path.display());
    let mut file = std::fs::File::create_new(path).with_context(at)?;
    file.write_all(text.as_bytes()).with_context(at)
}
