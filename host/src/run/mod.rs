//! A job from a resolved configuration to its result: plan, run directory, tasks, export, summary.

mod document;
pub(crate) mod logs;
mod look;
mod places;
mod progress;
mod report;
mod retention;
mod retry;
mod reuse;
mod room;
mod shards;
mod state;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::checkpoint::{Manifest, Store};
use crate::config::{
    Config, ExportType, Need, OnDifference, Override, StorageFormat, Strategy, resolve,
};
use crate::data::export::staging::remove_unfinished;
use crate::data::input::csv_header::check_headers;
use crate::data::input::unpack::materialise;
use crate::data::{Dataset, ExportOptions, ExportTarget, ReadOptions, assemble};
use crate::error::{Stopped, UserError, exit};
use crate::exec::{Determinism, Ratios, Seen, Tally, TaskContext, Workers, reconcile, scheduler};
use crate::partition::table;
use crate::plan::{self, Plan};
use crate::rundir::events::{Event, EventLog, OpRef};
use crate::rundir::{ExportLock, FreeLock, JobLock, Ledger, RunPaths, StopFlag, Storage};
use crate::term::{counted, say};
use crate::wasm::{Registry, Replace, check_dirs, check_locks};
pub use logs::Logs;

pub use crate::partition::Chosen;
pub use crate::plan::Prepared;
pub use look::unmet_fields;
pub use report::rows_line;
pub use retry::Retry;
use reuse::Reuse;
pub use reuse::planned_reuse;
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

/// Resolves the recipe, loads the operators and looks at the dataset. All mistakes of the user come
/// from here.
pub fn prepare(recipe: Option<&std::path::Path>, overrides: &[Override]) -> Result<Prepared> {
    let resolved = resolve(recipe, std::env::vars_os(), overrides, Need::Runnable)?;
    let config = &resolved.config;
    let plugins: Vec<PathBuf> = config.plugins.0.iter().map(PathBuf::from).collect();
    check_dirs(&plugins, &resolved.place("plugins"))?;
    if config.check_plugins_lock {
        check_locks(&plugins)?;
    }
    let names: Vec<&str> = resolved.ops.iter().map(|op| op.name.as_str()).collect();
    let registry = Registry::load_for(&plugins, Replace::These(&config.allow_override.0), &names)?;
    let mut plan = plan::build(&resolved, &registry)?;
    let dataset = Dataset::open_with(
        &resolved.sources,
        std::path::Path::new("."),
        config.zstd_window_mb << 20,
    )?;
    check_headers(&dataset)?;
    let export_type = match resolved.export_type {
        ExportType::Jsonl => "jsonl",
        ExportType::Json => "json",
        ExportType::Parquet => "parquet",
        ExportType::Arrow => "arrow",
    };
    let target = ExportTarget::new(
        &resolved.dirs.export_path,
        Some(export_type),
        config.export_shard_size.0,
    )?;
    places::check(&target, &dataset, &resolved)?;
    let export = ExportOptions::new(
        &dataset,
        target.format,
        config.keep_stats_in_res_ds,
        plan.makes_json_rows(),
    )?;
    room::check(&resolved, &plan, &dataset, &target)?;
    let run_dir = std::path::absolute(&resolved.dirs.run_dir)?;
    let writer = ExportLock::holder(&target.beside("lock"))
        .filter(|owner| owner.run_dir != run_dir)
        .or_else(|| shards::rival(&target, &run_dir));
    if let Some(writer) = writer {
        plan.notes.push(format!(
            "job `{}` is writing to `{}` just now: until it has ended, a run is refused",
            writer.job_id,
            writer.export_path.display()
        ));
    }
    if let Some(schema) = export.schema() {
        plan::check_places(&plan, schema)?;
    }
    plan.notes.extend(export.notes());
    Ok(Prepared {
        plan,
        dataset,
        target,
        export,
        resolved,
    })
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub code: u8,
}

/// Runs the job, or continues it. Progress and the final report go to standard error.
pub fn run(
    mut prepared: Prepared,
    options: &RunOptions,
    logs: &Logs,
    stop: &StopFlag,
) -> Result<Outcome> {
    let dirs = prepared.resolved.dirs.clone();
    let paths = RunPaths::new(&dirs.run_dir);
    if dirs.must_exist && !paths.summary().exists() {
        return Err(UserError::new(
            "resume",
            format!(
                "there is no job `{}` in `{}`",
                dirs.job_id,
                dirs.run_dir.display()
            ),
        )
        .hint("`djhost jobs --all` lists the jobs; `job_id` in place of `resume` starts a new one")
        .into());
    }
    places::check_run_dir(&paths)?;
    let target = &prepared.target;
    // Before anything is written of this job; an attempt at the same job is told so by the job's
    // own lock.
    let lock_export = || -> Result<ExportLock> {
        let file = target.beside("lock");
        let lock = ExportLock::acquire(&target.path, target.shard_size.is_some(), &file, &paths)?;
        shards::check(target, &std::path::absolute(paths.root())?)?;
        Ok(lock)
    };
    let mut export_lock = lock_export()?;
    std::fs::create_dir_all(paths.root())
        .with_context(|| format!("cannot create `{}`", paths.root().display()))?;
    let lock = FreeLock::take(&paths)?;
    if !export_lock.is_held() {
        // The other attempt was just about to end.
        export_lock = lock_export()?;
    }
    if export_lock.is_held() {
        remove_unfinished(target, &Storage::new())?;
    }
    if options.fresh {
        state::forget(&paths)?;
    }
    let kept = retry::attach(&mut prepared, &paths)?;
    if options.retry.is_none()
        && let Some(ledger) = state::complete(&paths, &prepared)?
    {
        // The attempt that completed the job may have been killed before it had cleaned up.
        clean_up(&prepared.resolved.config, &paths);
        say_complete(&dirs.job_id, &ledger, &prepared.target.path);
        return Ok(Outcome {
            code: code(options, &ledger),
        });
    }
    let lock = lock.begin()?;
    paths.place(
        &dirs.event_log_dir,
        &dirs.checkpoint_dir,
        &dirs.partition_dir,
    )?;
    paths.create()?;
    if let Some(retry) = &options.retry {
        retry::add(&mut prepared, retry, kept, &paths)?;
    }
    if !options.scratch {
        crate::jobs::register(&paths, &dirs.job_id)
            .unwrap_or_else(|e| tracing::debug!("job not registered: {e:#}"));
    }
    logs.open_file(&paths, lock.attempt())?;
    stop.watch_requests(&paths)?;
    let log = match prepared.resolved.config.event_logging.enabled {
        true => EventLog::open(&paths, &dirs.job_id, lock.attempt())?,
        false => EventLog::disabled(&dirs.job_id, lock.attempt()),
    };
    let mut state = State::start(
        &prepared,
        options.retry.is_some(),
        &paths,
        &log,
        lock.attempt(),
    )?;
    let done = work(&prepared, options, &paths, &log, stop, &lock, &mut state);
    match done {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.chain().any(|e| e.is::<Stopped>()) => {
            let reason = stop.reason().unwrap_or_else(|| "request".into());
            if let Err(unsaved) = state.stopped(&log, &reason) {
                tracing::warn!("that the job is stopped is not noted: {unsaved:#}");
            }
            Err(error)
        }
        Err(error) => {
            // Where the disk is full, that is the cause; that nothing can be noted of it is not.
            if let Err(unsaved) = state.failed(&log, &error) {
                tracing::warn!("that the job has failed is not noted: {unsaved:#}");
            }
            Err(error)
        }
    }
}

#[allow(
    clippy::too_many_arguments,
    reason = "the one place where everything meets"
)]
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
    if state::is_done(paths, prepared, None)? {
        return nothing_to_do(prepared, options, paths, state, log);
    }
    let dataset = match prepared.dataset.is_splittable() {
        true => prepared.dataset.clone(),
        false => materialise(&prepared.dataset, &paths.partitions(), &Storage::new())?,
    };
    if stop.requested() {
        return Err(Stopped.into());
    }
    let chosen = table::load_or_choose(prepared, &dataset, paths)?;
    let chains = table::chains(prepared, &chosen);
    log.emit(Event::PartitionsPlanned {
        total_partitions: chosen.partitions.len(),
        input_bytes: dataset.bytes(),
        input_rows: None,
    });
    document::save(prepared, &chosen, paths, log)?;

    if state::is_done(paths, prepared, Some(&chains))? {
        return nothing_to_do(prepared, options, paths, state, log);
    }
    if !options.scratch {
        unmet_fields(&prepared.resolved, plan, &dataset)
            .iter()
            .for_each(|sentence| tracing::warn!("{sentence}"));
    }
    let determinism = Determinism::new(
        config.determinism.check_ratio,
        config.determinism.on_difference == OnDifference::Fail,
    );
    let tally = std::sync::Arc::new(Tally::new(determinism));
    let reader = config
        .max_unreadable_ratio
        .unwrap_or(config.max_quarantine_ratio.max(0.5));
    let ratios = Ratios {
        operators: config.max_quarantine_ratio,
        reader,
    };
    let mut storage = config.intermediate_storage.clone();
    if !prepared.export.fits_parquet() {
        // A union, say: the input has such a column, and the job makes something else of it.
        storage.format = StorageFormat::Arrow;
    }
    let store = Store::new(
        paths.clone(),
        Storage::new(),
        &storage,
        (config.batch_size_kb as usize) << 10,
    );
    let env = TaskContext {
        plan,
        chains: &chains,
        dataset: &dataset,
        read: ReadOptions {
            fields: Vec::new(),
            batch_bytes: (config.batch_size_kb as usize) << 10,
            max_row_bytes: ((config.max_row_mb as usize) << 20)
                .min(ReadOptions::MAX_ROW_BYTES.max(1 << 30)),
            as_json: prepared.export.makes_json(),
            schema: prepared.export.schema().cloned(),
        },
        store,
        export: prepared.export.clone(),
        part_extension: if dataset.is_columnar() && !plan.makes_json_rows() {
            "arrow"
        } else {
            "jsonl"
        },
        log,
        stop,
        tally: &tally,
        on_error: config.on_error(),
        ratios,
        attempt: lock.attempt(),
    };
    let index = reconcile::reconcile(&env, chosen.partitions.len())?;
    state.partitions(&dataset, &chosen.partitions, plan, &index, log)?;
    let reuse = Reuse::of(plan, chosen.partitions.len(), |artifact, op, p| {
        index.has(artifact, op, p)
    });
    if !options.quiet {
        report::start(
            &state.summary,
            plan,
            config.workers(),
            reuse.text(plan).as_deref(),
        );
    }
    let mut deepest: std::collections::BTreeMap<usize, Manifest> =
        std::collections::BTreeMap::new();
    for manifest in index.manifests() {
        match deepest.get(&manifest.partition) {
            Some(other) if other.account.ops.len() >= manifest.account.ops.len() => {}
            _ => drop(deepest.insert(manifest.partition, manifest)),
        }
    }
    tally.take_over(
        deepest
            .values()
            .flat_map(|manifest| manifest.account.ops.values()),
    );
    let workers = Workers {
        threads: config.workers(),
        retries: config.task_retries as u32,
        resolver_memory: (config.resolver_memory_mb as usize) << 20,
        adaptive: config.strategy() == Strategy::Adaptive,
    };
    let manifests = {
        let done = index.count(crate::checkpoint::Artifact::Part);
        let size = |p: &usize| {
            chosen.partitions[*p]
                .slices
                .iter()
                .map(|s| s.end - s.start)
                .sum::<u64>()
        };
        let size_of_all: u64 = (0..chosen.partitions.len()).map(|p| size(&p)).sum();
        let left = reuse.from_input.iter().map(size).sum::<u64>();
        let work = progress::Work {
            // The slices of columnar files count rows.
            bytes: (dataset.bytes() as f64 * left as f64 / size_of_all.max(1) as f64) as u64,
            partitions: chosen.partitions.len(),
            ops: plan.ops.iter().map(|op| op.name.clone()).collect(),
            goes_on: plan.segments.len() > 1,
        };
        let bar = progress::Bar::start(&tally, work, done, options.quiet);
        let watcher = state.watcher(log, &bar, paths);
        scheduler::run(&env, &chosen.partitions, &index, workers, &watcher)
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
    let seen = Seen {
        rows: totals.read,
        unreadable,
        failed: totals.quarantined - unreadable,
    };
    let quarantine: Vec<PathBuf> = manifests
        .iter()
        .flat_map(|m| &m.account.quarantine)
        .map(|file| paths.quarantine().join(&file.name))
        .collect();
    state
        .emptied()
        .iter()
        .for_each(|sentence| tracing::warn!("{sentence}"));
    tally.check(
        seen,
        ratios,
        &dataset,
        quarantine.iter().map(PathBuf::as_path),
    )?;

    if stop.requested() {
        return Err(Stopped.into());
    }
    let parts: Vec<_> = manifests
        .iter()
        .map(|m| {
            Ok((
                paths.parts().join(&m.data),
                m.part.clone().context("a part without its facts")?,
            ))
        })
        .collect::<Result<_>>()?;
    reconcile::forget_quarantine(&env, manifests.iter())?;
    state.exporting()?;
    log.emit(Event::ExportStarted {
        output_path: prepared.target.path.display().to_string(),
        parts: parts.len(),
    });
    let started = std::time::Instant::now();
    if let Some(dir) = prepared
        .target
        .path
        .parent()
        .filter(|d| !d.as_os_str().is_empty())
    {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot create `{}`", dir.display()))?;
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(config.workers())
        .build()?;
    let mut exported = pool.install(|| assemble(&parts, &prepared.target, &env.store.storage))?;
    exported.notes.extend(env.dataset.losses.notes());
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
    Ok(Outcome {
        code: code(options, &state.summary.ledger),
    })
}

/// The exit code of a job that is complete.
fn code(options: &RunOptions, ledger: &Ledger) -> u8 {
    if options.strict && ledger.quarantined > 0 {
        exit::QUARANTINED
    } else {
        exit::DONE
    }
}

/// Ends an attempt at a job that turned out to be complete.
fn nothing_to_do(
    prepared: &Prepared,
    options: &RunOptions,
    paths: &RunPaths,
    state: &mut State,
    log: &EventLog,
) -> Result<Outcome> {
    state.completed_before(log)?;
    say_complete(
        &state.summary.job_id,
        &state.summary.ledger,
        &prepared.target.path,
    );
    clean_up(&prepared.resolved.config, paths);
    Ok(Outcome {
        code: code(options, &state.summary.ledger),
    })
}

fn say_complete(job: &str, ledger: &Ledger, export: &std::path::Path) {
    let export = std::path::absolute(export).unwrap_or_else(|_| export.to_owned());
    say(&format!(
        "job `{job}` is complete already: {} in {}\n",
        counted(ledger.output, "row"),
        export.display()
    ));
    say("nothing to do; `--fresh` starts it over\n");
}

/// The export is there: files that cannot be removed do not make it undone.
fn clean_up(config: &Config, paths: &RunPaths) {
    if let Err(error) = retention::apply(config, paths, &Storage::new()) {
        tracing::warn!("intermediate files stay: {error:#}");
    }
}

/// The partitions that a run would have. What cannot be split yet counts by its packed size.
pub fn planned_partitions(prepared: &Prepared) -> Result<Chosen> {
    table::preview(&prepared.resolved, &prepared.plan, &prepared.dataset)
}

/// The plan in the form of `dag_execution_plan.json`.
pub fn plan_document(prepared: &Prepared, chosen: &Chosen) -> serde_json::Value {
    plan::document::document(prepared, chosen.partitions.len(), &chosen.why)
}

/// The plan for people, as `djhost plan` prints it. `reused` is what [`planned_reuse`] says.
pub fn plan_text(prepared: &Prepared, chosen: &Chosen, reused: Option<&str>) -> String {
    let unmet = unmet_fields(&prepared.resolved, &prepared.plan, &prepared.dataset);
    plan::text::text(
        prepared,
        chosen.partitions.len(),
        &chosen.why,
        reused,
        &unmet,
    )
}

/// The ops of a plan for events.
fn op_refs(plan: &Plan) -> Vec<OpRef> {
    plan.ops
        .iter()
        .map(|o| OpRef::new(o.index, &o.name))
        .collect()
}
