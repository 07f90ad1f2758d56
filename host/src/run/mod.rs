//! A job from a resolved configuration to its result: plan, run directory, tasks, export, summary.

mod document;
mod fallback;
mod look;
mod partitions;
mod progress;
mod report;
mod retention;
mod state;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::checkpoint::{Manifest, Store};
use crate::config::{Config, ExportType, Need, OnDifference, Override, Resolved, Strategy, resolve};
use crate::dataset::{Dataset, ExportOptions, ExportTarget, ReadOptions, assemble};
use crate::error::{Stopped, UserError, exit};
use crate::event::{Event, EventLog, OpRef};
use crate::job::{JobLock, Logs, RunPaths, StopFlag, Storage};
use crate::op::{Registry, check_locks};
use crate::plan::{self, Plan};
use crate::schedule::{self, Workers};
use crate::stage::{Determinism, Env, Ratios, Seen, Tally};

pub use fallback::Retry;
pub use look::unmet_fields;
pub use partitions::Chosen;
use state::State;

/// What `djhost run` was asked for beside the recipe.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Forget what earlier attempts of the job left.
    pub fresh: bool,
    /// Exit with 4 if rows are in quarantine.
    pub strict: bool,
    /// No progress bar.
    pub quiet: bool,
    /// The run directory is gone soon: the job is not listed, and nothing is reported at its end.
    pub scratch: bool,
    /// Rows in quarantine are to be tried again.
    pub retry: Option<Retry>,
}

/// A job that is planned and has not begun: nothing was written.
pub struct Prepared {
    /// The configuration.
    pub resolved: Resolved,
    /// The plan.
    pub plan: Plan,
    /// The input as the user named it.
    pub dataset: Dataset,
    /// Where the export goes.
    pub target: ExportTarget,
    /// How the export's parts are written.
    pub export: ExportOptions,
}

/// Resolves the recipe, loads the operators and looks at the dataset. All mistakes of the user come from here.
pub fn prepare(recipe: Option<&std::path::Path>, overrides: &[Override]) -> Result<Prepared> {
    let resolved = resolve(recipe, std::env::vars_os(), overrides, Need::Runnable)?;
    let config = &resolved.config;
    let plugins: Vec<PathBuf> = config.plugins.0.iter().map(PathBuf::from).collect();
    if config.check_plugins_lock {
        check_locks(&plugins)?;
    }
    let names: Vec<&str> = resolved.ops.iter().map(|op| op.name.as_str()).collect();
    let registry = Registry::load_for(&plugins, &names)?;
    let mut plan = plan::build(&resolved, &registry)?;
    let dataset = Dataset::open(&resolved.sources, std::path::Path::new("."))?;
    if dataset.is_columnar() && plan.makes_json_rows() {
        plan.notes.push(
            "a grouper makes JSON rows: from the first one on the columns of the dataset have the types that JSON has, so that dates and decimals are \
             strings, and bytes are hexadecimal digits"
                .to_owned(),
        );
    }
    let export_type = match resolved.export_type {
        ExportType::Jsonl => "jsonl",
        ExportType::Json => "json",
        ExportType::Parquet => "parquet",
        ExportType::Arrow => "arrow",
    };
    let target = ExportTarget::new(&resolved.dirs.export_path, Some(export_type), config.export_shard_size.0)?;
    check_export(&target, &dataset, &resolved.sources)?;
    let export = ExportOptions::new(&dataset, target.format, config.keep_stats_in_res_ds, plan.makes_json_rows())?;
    Ok(Prepared { plan, dataset, target, export, resolved })
}

/// Whether the run directory is there for the job alone: a job removes what it finds there under the names of its own things.
fn check_run_dir(paths: &RunPaths) -> Result<()> {
    let is_filled = |dir: &std::path::Path| std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    let foreign = paths.directories().into_iter().find(|dir| is_filled(dir));
    let Some(foreign) = foreign.filter(|_| !paths.summary().exists() && !paths.lock().exists()) else { return Ok(()) };
    let message = format!("the run directory would be `{}`, and `{}` in it is no job's", paths.root().display(), foreign.display());
    Err(UserError::new("work_dir", message)
        .hint("name the job otherwise (`job_id`), or give run directories a place of their own (`work_dir`)")
        .into())
}

fn check_export(target: &ExportTarget, dataset: &Dataset, sources: &[String]) -> Result<()> {
    let place = || format!("export_path `{}`", target.path.display());
    if target.path.is_dir() {
        return Err(UserError::new(place(), "this is a directory").hint("give the path of a file").into());
    }
    if target.path.metadata().is_ok_and(|there| !there.is_file()) {
        return Err(UserError::new(place(), "this is a device, a pipe or a socket, not a file")
            .hint("give the path of a file: the result appears there whole, by a rename")
            .into());
    }
    let real = |path: &std::path::Path| std::fs::canonicalize(path).ok();
    let there = real(&target.path);
    let is_written = match target.shard_size {
        None => there.is_some() && dataset.files.iter().any(|f| real(&f.path) == there),
        Some(_) => dataset.files.iter().any(|f| target.is_shard(&f.path)),
    };
    if is_written {
        return Err(UserError::new(place(), "this is a file of the dataset").hint("write the result to another file").into());
    }
    // A job that goes on, and the next one, would take the result for input.
    let path = std::path::absolute(&target.path)?;
    let above = path.ancestors().skip(1).find_map(real);
    let directories = sources.iter().map(std::path::Path::new).filter(|source| source.is_dir()).filter_map(real);
    if let Some(directory) = above.and_then(|above| directories.into_iter().find(|directory| above.starts_with(directory))) {
        return Err(UserError::new(place(), format!("this is in the dataset's directory `{}`", directory.display()))
            .hint("write the result elsewhere, or name the files with a pattern such as `data/*.jsonl`")
            .into());
    }
    // The job makes the directory at its end, hours from now perhaps: what is in the way must show today.
    if let Some(above) = path.ancestors().skip(1).find(|p| p.symlink_metadata().is_ok()) {
        if !above.is_dir() {
            return Err(UserError::new(place(), format!("`{}` is not a directory", above.display())).into());
        }
        if let Err(error) = rustix::fs::access(above, rustix::fs::Access::WRITE_OK) {
            return Err(UserError::new(place(), format!("`{}` cannot be written to: {error}", above.display())).into());
        }
    }
    Ok(())
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub code: u8,
}

/// Runs the job, or continues it. Progress and the final report go to standard error.
pub fn run(mut prepared: Prepared, options: &RunOptions, logs: &Logs, stop: &StopFlag) -> Result<Outcome> {
    let dirs = prepared.resolved.dirs.clone();
    let paths = RunPaths::new(&dirs.run_dir);
    if dirs.must_exist && !paths.summary().exists() {
        return Err(UserError::new("resume", format!("there is no job `{}` in `{}`", dirs.job_id, dirs.run_dir.display()))
            .hint("`djhost jobs --all` lists the jobs; `job_id` in place of `resume` starts a new one")
            .into());
    }
    check_run_dir(&paths)?;
    std::fs::create_dir_all(paths.root()).with_context(|| format!("cannot create `{}`", paths.root().display()))?;
    let lock = JobLock::acquire(&paths)?;
    if options.fresh {
        state::forget(&paths)?;
    }
    paths.place(&dirs.event_log_dir, &dirs.checkpoint_dir, &dirs.partition_dir)?;
    paths.create()?;
    let kept = fallback::attach(&mut prepared, &paths)?;
    if let Some(retry) = &options.retry {
        fallback::add(&mut prepared, retry, kept, &paths)?;
    }
    if !options.scratch {
        crate::job::register(&paths, &dirs.job_id).unwrap_or_else(|e| tracing::debug!("job not registered: {e:#}"));
    }
    logs.open_file(&paths, lock.attempt())?;
    stop.watch_requests(&paths)?;
    let log = match prepared.resolved.config.event_logging.enabled {
        true => EventLog::open(&paths, &dirs.job_id, lock.attempt())?,
        false => EventLog::disabled(&dirs.job_id, lock.attempt()),
    };
    let mut state = State::start(&prepared, options.retry.is_some(), &paths, &log, lock.attempt())?;
    let done = work(&prepared, options, &paths, &log, stop, &lock, &mut state);
    match done {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.chain().any(|e| e.is::<Stopped>()) => {
            let reason = stop.reason().unwrap_or_else(|| "request".into());
            state.stopped(&log, &reason)?;
            Err(error)
        }
        Err(error) => {
            state.failed(&log, &error)?;
            Err(error)
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "the one place where everything meets")]
fn work(
    prepared: &Prepared,
    options: &RunOptions,
    paths: &RunPaths,
    log: &EventLog,
    stop: &StopFlag,
    lock: &JobLock,
    state: &mut State,
) -> Result<Outcome> {
    let plan = &prepared.plan;
    let config = &prepared.resolved.config;
    if state.already_done(prepared, None)? {
        return nothing_to_do(config, paths, state, log);
    }
    let dataset = match prepared.dataset.is_splittable() {
        true => prepared.dataset.clone(),
        false => crate::partition::materialise(&prepared.dataset, &paths.partitions())?,
    };
    if stop.requested() {
        return Err(Stopped.into());
    }
    let chosen = partitions::load_or_choose(prepared, &dataset, paths)?;
    let chains = partitions::chains(prepared, &chosen);
    log.emit(Event::PartitionsPlanned { total_partitions: chosen.partitions.len(), input_bytes: dataset.bytes(), input_rows: None });
    document::save(prepared, &chosen, paths, log)?;

    if state.already_done(prepared, Some(&chains))? {
        return nothing_to_do(config, paths, state, log);
    }
    if !options.scratch {
        unmet_fields(&prepared.resolved, plan, &dataset).iter().for_each(|sentence| tracing::warn!("{sentence}"));
    }
    let determinism = Determinism::new(config.determinism.check_ratio, config.determinism.on_difference == OnDifference::Fail);
    let tally = std::sync::Arc::new(Tally::new(determinism));
    let reader = config.max_unreadable_ratio.unwrap_or(config.max_quarantine_ratio.max(0.5));
    let ratios = Ratios { operators: config.max_quarantine_ratio, reader };
    let store = Store::new(paths.clone(), Storage::new(), &config.intermediate_storage, (config.batch_size_kb as usize) << 10);
    let env = Env {
        plan,
        chains: &chains,
        dataset: &dataset,
        read: ReadOptions {
            fields: Vec::new(),
            batch_bytes: (config.batch_size_kb as usize) << 10,
            max_row_bytes: ((config.max_row_mb as usize) << 20).min(ReadOptions::MAX_ROW_BYTES.max(1 << 30)),
        },
        store,
        export: prepared.export.clone(),
        part_extension: if dataset.is_columnar() && !plan.makes_json_rows() { "arrow" } else { "jsonl" },
        log,
        stop,
        tally: &tally,
        on_error: config.on_error(),
        ratios,
        attempt: lock.attempt(),
    };
    let index = schedule::reconcile(&env, chosen.partitions.len())?;
    state.partitions(&dataset, &chosen.partitions, plan, &index, log)?;
    let mut deepest: std::collections::BTreeMap<usize, Manifest> = std::collections::BTreeMap::new();
    for manifest in index.manifests() {
        match deepest.get(&manifest.partition) {
            Some(other) if other.account.ops.len() >= manifest.account.ops.len() => {}
            _ => drop(deepest.insert(manifest.partition, manifest)),
        }
    }
    tally.take_over(deepest.values().flat_map(|manifest| manifest.account.ops.values()));
    let workers = Workers {
        threads: config.workers(),
        retries: config.task_retries as u32,
        resolver_memory: (config.resolver_memory_mb as usize) << 20,
        adaptive: config.strategy() == Strategy::Adaptive,
    };
    let manifests = {
        let done = index.count(crate::checkpoint::Artifact::Part);
        let bar = progress::Bar::start(&tally, dataset.bytes(), chosen.partitions.len(), done, options.quiet);
        let watcher = state.watcher(log, &bar, paths);
        schedule::run(&env, &chosen.partitions, &index, workers, &watcher)
    };
    // What the check found is of use when it ended the job, too.
    state.summary.determinism = tally.determinism.found();
    for (operator, checked) in &state.summary.determinism {
        log.emit(Event::DeterminismChecked {
            operation_name: operator.clone(),
            batches: checked.batches,
            different: checked.different,
            reason: checked.how.clone(),
        });
    }
    let manifests = manifests?;
    let totals = state.account(plan, &manifests);
    let unreadable = manifests.iter().map(|m| m.account.bad).sum();
    let seen = Seen { rows: totals.read, unreadable, failed: totals.quarantined - unreadable };
    let quarantine: Vec<PathBuf> =
        manifests.iter().flat_map(|m| &m.account.quarantine).map(|file| paths.quarantine().join(&file.name)).collect();
    state.emptied().iter().for_each(|sentence| tracing::warn!("{sentence}"));
    tally.check(seen, ratios, &dataset, quarantine.iter().map(PathBuf::as_path))?;

    if stop.requested() {
        return Err(Stopped.into());
    }
    let parts: Vec<_> = manifests
        .iter()
        .map(|m| Ok((paths.parts().join(&m.data), m.part.clone().context("a part without its facts")?)))
        .collect::<Result<_>>()?;
    schedule::forget_quarantine(&env, manifests.iter())?;
    state.exporting()?;
    log.emit(Event::ExportStarted { output_path: prepared.target.path.display().to_string(), parts: parts.len() });
    let started = std::time::Instant::now();
    if let Some(dir) = prepared.target.path.parent().filter(|d| !d.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create `{}`", dir.display()))?;
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(config.workers()).build()?;
    let exported = pool.install(|| assemble(&parts, &prepared.target))?;
    log.emit(Event::ExportCompleted {
        output_path: prepared.target.path.display().to_string(),
        duration: started.elapsed().as_secs_f64(),
        output_rows: exported.rows,
        output_bytes: exported.bytes,
    });
    exported.notes.iter().for_each(|n| tracing::warn!("{n}"));
    state.completed(prepared, &chains, &exported, log)?;
    clean_up(config, paths);
    if !options.scratch {
        report::print(&state.summary, plan, &exported, options.quiet);
    }
    let strict = options.strict && state.summary.ledger.quarantined > 0;
    Ok(Outcome { code: if strict { exit::QUARANTINED } else { exit::DONE } })
}

/// Ends an attempt at a job that is complete.
fn nothing_to_do(config: &Config, paths: &RunPaths, state: &mut State, log: &EventLog) -> Result<Outcome> {
    state.completed_before(log)?;
    // The attempt that completed the job may have been killed before it had cleaned up.
    clean_up(config, paths);
    Ok(Outcome { code: exit::DONE })
}

/// The export is there: files that cannot be removed do not make it undone.
fn clean_up(config: &Config, paths: &RunPaths) {
    if let Err(error) = retention::apply(config, paths, &Storage::new()) {
        tracing::warn!("intermediate files stay: {error:#}");
    }
}

/// The partitions that a run would have. What cannot be split yet counts by its packed size.
pub fn planned_partitions(prepared: &Prepared) -> Result<Chosen> {
    partitions::preview(&prepared.resolved, &prepared.plan, &prepared.dataset)
}

/// The plan in the form of `dag_execution_plan.json`.
pub fn plan_document(prepared: &Prepared, chosen: &Chosen) -> serde_json::Value {
    document::plan(prepared, chosen)
}

/// The ops of a plan for events.
fn op_refs(plan: &Plan) -> Vec<OpRef> {
    plan.ops.iter().map(|o| OpRef::new(o.index, &o.name)).collect()
}
