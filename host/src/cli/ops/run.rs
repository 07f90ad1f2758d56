//! `djhost ops run`: runs one operator on a pipe.
//!
//! This is an ordinary job of one op in a temporary run directory, so that operators of every kind
//! behave as in a recipe.

use std::io::{BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Models, Plugins, check_is_file, read_params};
use crate::cli::loading::while_loading;
use crate::config::Override;
use crate::error::{UserError, exit};
use crate::ops::{Given, full_params};
use crate::plan::{grants_of_params, reads_media};
use crate::run::logs::Logs;
use crate::run::{RunOptions, prepare, rows_line, run as run_job};
use crate::rundir::quarantine_entry::for_each_entry;
use crate::rundir::{JobSummary, RunPaths, StopFlag};
use crate::term::say;
use crate::wasm::{Kind, Limits, Registry, Replace, Source};

/// Run one operator on JSON lines from standard input, to standard output
///
/// The whole input is read before the first row is written, as deduplicators and selectors need it.
/// A summary goes to standard error. Exit codes are those of `djhost run`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RunArgs {
    /// The operator, or a component (PATH.wasm) that has only one
    #[arg(value_name = "NAME|FILE.wasm")]
    name: String,
    /// Its parameters, a JSON object, for instance '{"min_len": 10}'
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    #[command(flatten)]
    plugins: Plugins,
    #[command(flatten)]
    models: Models,
    /// Keep the stats of filters in the rows, under `__dj__stats__`
    #[arg(long)]
    stats: bool,
    /// Exit with 4 if rows were quarantined
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(args: &RunArgs) -> Result<u8> {
    let params = read_params(args.params.as_deref())?;
    let (name, given) = find(&args.name, args.plugins.given()?)?;
    let registry = while_loading(false, || given.load(&[&name]))?;
    let entry = registry.get(&name, "")?;
    let is_grouper = entry.descriptor.kind == Kind::Grouper;
    // Mistakes are reported for `--params` here, not for a recipe that the user never wrote.
    let full = full_params(entry, &params)?;
    let (model_dirs, library) = args.models.library(given.models.clone());
    let pool = registry.pool(
        entry,
        &full,
        Limits::default(),
        grants_of_params(entry, &params, &full, &library, "--params")?,
        0,
        "--params",
    )?;
    // Stats come from the operator before it in the pipe. One that computes some must not take
    // them for its own.
    let believes = pool.signature().writes_stats.is_empty();
    drop(pool);
    let mut spec = params;
    if reads_media(entry) {
        // The dataset is a temporary file, but paths of media are relative to the working
        // directory.
        spec.insert(
            "grants".into(),
            json!({ "media": false, "read_dirs": ["."] }),
        );
    }
    drop(registry);
    if std::io::stdin().is_terminal() {
        say("reading JSON lines from the terminal; end with Ctrl-D\n");
    }

    let dir = tempfile::Builder::new()
        .prefix("djhost-ops-run-")
        .tempdir()
        .context("cannot make a temporary directory")?;
    let copied = std::fs::File::create(dir.path().join("stdin.jsonl"))
        .and_then(|mut file| std::io::copy(&mut std::io::stdin().lock(), &mut file));
    if copied.context("cannot keep the input in a temporary file")? == 0 {
        report(&crate::rundir::Ledger::default(), is_grouper, &[]);
        return Ok(exit::DONE);
    }
    let recipe = dir.path().join("recipe.yaml");
    // JSON is also YAML.
    std::fs::write(
        &recipe,
        json!({ "process": [{ &name: Value::Object(spec) }] }).to_string(),
    )?;
    let stop = StopFlag::new();
    let logs = Logs::init(None, true)?;
    let prepared = prepare(
        Some(&recipe),
        &settings(dir.path(), &given, &model_dirs, args.stats, believes),
    )?;
    stop.watch_signals()?;
    run_job(
        prepared,
        &RunOptions {
            scratch: true,
            quiet: true,
            ..RunOptions::default()
        },
        &logs,
        &stop,
    )?;

    print_file(&dir.path().join("out.jsonl"))?;
    let paths = RunPaths::new(dir.path().join("work/run"));
    let summary = JobSummary::load(&paths)?.context("the job left no summary")?;
    report(&summary.ledger, is_grouper, &reasons(&paths)?);
    Ok(if args.strict && summary.ledger.quarantined > 0 {
        exit::QUARANTINED
    } else {
        exit::DONE
    })
}

/// Copies a file to standard output. A reader that has closed it is no error.
fn print_file(path: &Path) -> Result<()> {
    let mut rows = BufReader::new(std::fs::File::open(path)?);
    let mut out = std::io::stdout().lock();
    match std::io::copy(&mut rows, &mut out).and_then(|_| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Returns the operator's name and where to look for it.
fn find(name: &str, mut given: Given) -> Result<(String, Given)> {
    if !name.ends_with(".wasm") {
        return Ok((name.to_owned(), given));
    }
    let path = PathBuf::from(name);
    check_is_file(&path)?;
    given.dirs.push(path.clone());
    let registry = Registry::load(std::slice::from_ref(&path), Replace::All)?;
    let names: Vec<&str> = registry
        .iter()
        .filter(|e| e.component.source == Source::File(path.clone()))
        .map(|e| e.descriptor.name.as_str())
        .collect();
    match names[..] {
        [one] => {
            // The user named this file, so its operator replaces a built-in one.
            given.replace.push(one.to_owned());
            Ok((one.to_owned(), given))
        }
        _ => Err(UserError::new(
            name,
            format!(
                "this component has {} operators: {}",
                names.len(),
                names.join(", ")
            ),
        )
        .hint(format!(
            "name one: `djhost ops run {} --plugins {name}`",
            names.first().unwrap_or(&"NAME")
        ))
        .into()),
    }
}

/// Returns settings that override the environment: a variable meant for jobs must not send the
/// result elsewhere.
fn settings(
    dir: &Path,
    given: &Given,
    model_dirs: &[String],
    stats: bool,
    believes: bool,
) -> Vec<Override> {
    let path = |name: &str| dir.join(name).display().to_string();
    let plugins: Vec<String> = given.dirs.iter().map(|p| p.display().to_string()).collect();
    [
        ("dataset_path", path("stdin.jsonl")),
        ("export_path", path("out.jsonl")),
        ("export_type", "jsonl".into()),
        ("work_dir", path("work")),
        ("job_id", "run".into()),
        ("plugins", json!(plugins).to_string()),
        ("model_dir", json!(model_dirs).to_string()),
        ("allow_override", json!(given.replace).to_string()),
        ("keep_stats_in_res_ds", stats.to_string()),
        ("reuse_input_stats", believes.to_string()),
        // Whoever tries an operator wants to see all rows that it rejects.
        ("on_error", "quarantine".into()),
        ("max_quarantine_ratio", "1.0".into()),
        // The directory goes away with the command.
        ("trace", "off".into()),
    ]
    .into_iter()
    .map(|(key, text)| Override::text(key, text, format!("djhost ops run: {key}")))
    .collect()
}

/// Returns the line and reason of the first rows in quarantine.
fn reasons(paths: &RunPaths) -> Result<Vec<String>> {
    const SHOWN: usize = 5;
    let mut reasons = Vec::new();
    for file in paths.quarantine_files()? {
        for_each_entry(&file, |entry, _| {
            let line = entry.line.unwrap_or(0);
            reasons.push(format!("line {line}: {}", entry.reason));
            Ok(reasons.len() < SHOWN)
        })?;
    }
    reasons.truncate(SHOWN);
    Ok(reasons)
}

fn report(ledger: &crate::rundir::Ledger, is_grouper: bool, reasons: &[String]) {
    let grouped = if is_grouper {
        ledger.merged.values().sum()
    } else {
        0
    };
    say(&format!("{}\n", rows_line(ledger, grouped)));
    reasons
        .iter()
        .for_each(|r| say(&format!("quarantined: {r}\n")));
    if (reasons.len() as u64) < ledger.quarantined {
        say(&format!(
            "quarantined: {} more\n",
            ledger.quarantined - reasons.len() as u64
        ));
    }
}
