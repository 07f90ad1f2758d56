//! Runs a job from its resolved configuration to its result: plan, run directory, tasks, export,
//! summary.

mod attempt;
mod carried;
mod context;
mod croissant;
mod dataset_card;
mod document;
pub mod dropped;
mod expected;
pub mod explain;
mod findings;
mod live;
pub(crate) mod logs;
mod look;
mod places;
mod prepare;
mod progress;
mod report;
mod retention;
mod retry;
mod reuse;
mod room;
mod shards;
mod state;
mod submit;
mod trace;
mod uploads;
mod validate;
pub mod worker;

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::config::{Config, JobDirs, Place};
use crate::data::ExportTarget;
use crate::data::export::staging::remove_unfinished;
use crate::error::{Stopped, UserError, exit};
use crate::partition::table;
use crate::plan::{self, Plan};
use crate::remote::address::of_path;
use crate::rundir::events::{EventLog, OpRef};
use crate::rundir::mirror::Mirror;
use crate::rundir::summary::Expected;
use crate::rundir::{ExportLock, FreeLock, Ledger, RunPaths, StopFlag, TaskLock};
use crate::term::{counted, say};
use attempt::Attempt;
use state::State;

pub use crate::data::given::{GivenLines, write_columns};
pub use crate::data::taken::{Batches, Taken};
pub use crate::exec::TaskList;
pub use crate::partition::Chosen;
pub use crate::plan::Prepared;
pub use crate::wasm::compile_with;
pub use live::{Live, Progress};
pub use logs::Logs;
pub use look::unmet_fields;
pub use prepare::{Draft, prepare};
pub use report::rows_line;
pub use retry::Retry;
pub use reuse::planned_reuse;
pub use state::result_files;
pub use submit::submit;

/// Options of `djhost run` that are not part of the recipe.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Forget everything that earlier attempts of the job left.
    pub fresh: bool,
    /// Exit with code 4 if rows are in quarantine.
    pub strict: bool,
    /// Show no progress bar.
    pub quiet: bool,
    /// The run directory is temporary: the job is not registered, and no report is printed at its
    /// end.
    pub scratch: bool,
    /// Try rows in quarantine again.
    pub retry: Option<Retry>,
    /// The job is part of a program that does more: nothing is printed, the program tells the user
    /// what there is to tell. A request to stop the job comes as a file, never as a signal.
    pub embedded: bool,
    /// Shows how far the job is, from any thread.
    pub live: Live,
    /// The work of partitions is listed here instead of done, and the job stops: others do it with
    /// [`worker::run_task`].
    pub list_tasks: Option<TaskList>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code of the process.
    pub code: u8,
}

/// Starts the job or continues it. Progress and the final report go to standard error.
pub fn run(
    prepared: Prepared,
    options: &RunOptions,
    logs: &Logs,
    stop: &StopFlag,
) -> Result<Outcome> {
    logs.scope(|| run_here(prepared, options, logs, stop))
}

fn run_here(
    prepared: Prepared,
    options: &RunOptions,
    logs: &Logs,
    stop: &StopFlag,
) -> Result<Outcome> {
    if let Place::Submit { url, .. } = &prepared.resolved.place.place {
        let place = prepared.resolved.place("ray_address");
        return Err(
            UserError::new(place, format!("`{url}`: only `djhost run` submits jobs"))
                .hint("set `ray_address` to `auto`, or to `HOST:6379` on a node of the cluster")
                .into(),
        );
    }
    if options.embedded {
        prepared.notes().iter().for_each(|n| tracing::warn!("{n}"));
    }
    let dirs = prepared.resolved.dirs.clone();
    let paths = match options.scratch {
        true => RunPaths::new(&dirs.run_dir).temporary(),
        false => RunPaths::new(&dirs.run_dir),
    };
    let address = dirs.run_address.as_deref().and_then(of_path);
    match &address {
        // What is there is known only to the holder of its lease.
        Some(address) => Mirror::make_dir(address)?,
        None => {
            check_exists(&dirs, &paths)?;
            places::check_run_dir(&paths)?;
        }
    }
    // Held until the job has ended.
    let (_export_lock, lock) = take_locks(&prepared.target, &paths)?;
    let Some(address) = address else {
        return run_locked(prepared, options, logs, stop, &paths, lock);
    };
    let mirror = Mirror::begin(&address, paths.root(), options.embedded, stop)?;
    let paths = paths.mirrored(Arc::clone(&mirror));
    let done = check_exists(&dirs, &paths)
        .and_then(|()| places::check_run_dir(&paths))
        .and_then(|()| run_locked(prepared, options, logs, stop, &paths, lock));
    let finished = mirror.finish();
    match (done, finished) {
        (Ok(outcome), Ok(())) => {
            if !options.embedded {
                mirror.drop_copies();
            }
            Ok(outcome)
        }
        (Err(error), Err(cause)) if error.chain().any(|e| e.is::<Stopped>()) => Err(cause),
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Starts or continues a job of which this process has the locks.
fn run_locked(
    mut prepared: Prepared,
    options: &RunOptions,
    logs: &Logs,
    stop: &StopFlag,
    paths: &RunPaths,
    lock: FreeLock,
) -> Result<Outcome> {
    let dirs = prepared.resolved.dirs.clone();
    // Those of a killed attempt may still write for a moment.
    TaskLock::wait(paths)?;
    if let Err(error) = uploads::abort_unfinished(paths) {
        tracing::warn!("what an earlier attempt has left of its upload stays for now: {error:#}");
    }
    if options.fresh {
        state::forget(paths)?;
    }
    let kept = retry::attach(&mut prepared, paths)?;
    if options.retry.is_none()
        && let Some((ledger, expected)) = state::complete(paths, &prepared)?
    {
        // The attempt that completed the job may have been killed before it cleaned up.
        clean_up(&prepared.resolved.config, paths);
        if !options.embedded {
            say_complete(&dirs.job_id, &ledger, &prepared.target);
            say_unmet(&expected);
        }
        return Ok(Outcome {
            code: code(options, &ledger, &expected),
        });
    }
    let earlier = paths.mirror().map_or(0, Mirror::last_attempt);
    let lock = lock.begin_after(earlier, options.embedded)?;
    if let Some(mirror) = paths.mirror() {
        mirror.set_holder(lock.holder())?;
    }
    paths.place(
        &dirs.event_log_dir,
        &dirs.checkpoint_dir,
        &dirs.partition_dir,
    )?;
    paths.create()?;
    if let Some(recipe) = &prepared.resolved.data {
        // For later attempts, which may be of other processes.
        let file = std::path::absolute(paths.given_recipe())?;
        paths.storage().replace_json(&file, recipe)?;
        prepared.resolved.file = Some(file);
    }
    if let Some(retry) = &options.retry {
        retry::add(&mut prepared, retry, kept, paths)?;
    }
    if !options.scratch {
        crate::jobs::register(paths, &dirs.job_id)
            .unwrap_or_else(|e| tracing::debug!("job not registered: {e:#}"));
    }
    logs.open_file(paths, lock.attempt())?;
    stop.watch_requests(paths)?;
    let log = match prepared.resolved.config.event_logging.enabled {
        true => EventLog::open(paths, &dirs.job_id, lock.attempt())?,
        false => EventLog::disabled(&dirs.job_id, lock.attempt()),
    };
    let mut state = State::start(&prepared, options, paths, &log, lock.attempt())?;
    let attempt = Attempt {
        prepared: &prepared,
        options,
        paths,
        log: &log,
        stop,
        number: lock.attempt(),
    };
    let mut done = attempt.work(&mut state);
    if let Some(cause) = paths.mirror().and_then(Mirror::failure) {
        // That the job was stopped, or could not write, is what came of it.
        done = Err(cause);
    }
    if let Err(error) = &done {
        if error.chain().any(|e| e.is::<Stopped>()) {
            let reason = stop.reason().unwrap_or_else(|| "request".into());
            if let Err(unsaved) = state.stopped(&log, &reason) {
                tracing::warn!("that the job is stopped is not recorded: {unsaved:#}");
            }
        } else {
            // On a full disk the error is the cause; that nothing can be recorded of it is not.
            if let Err(unsaved) = state.failed(&log, error) {
                tracing::warn!("that the job has failed is not recorded: {unsaved:#}");
            }
        }
    }
    done
}

/// Takes the locks of the export and of the run directory, which it creates. Removes what a killed
/// job left beside the export.
fn take_locks(target: &ExportTarget, paths: &RunPaths) -> Result<(ExportLock, FreeLock)> {
    let acquire = || -> Result<ExportLock> {
        let file = target.beside("lock");
        let lock = ExportLock::acquire(&target.path, target.has_shards(), &file, paths)?;
        shards::check(target, &std::path::absolute(paths.root())?)?;
        Ok(lock)
    };
    // Taken before the job writes anything. If another attempt at the same job has this lock, the
    // lock of the run directory refuses us.
    let mut export_lock = acquire()?;
    std::fs::create_dir_all(paths.root())
        .with_context(|| format!("cannot create `{}`", paths.root().display()))?;
    let lock = FreeLock::take(paths)?;
    if !export_lock.is_held() {
        // The other attempt has just ended.
        export_lock = acquire()?;
    }
    if export_lock.is_held() {
        remove_unfinished(target, &paths.storage())?;
    }
    Ok((export_lock, lock))
}

/// Fails if the user resumes a job that does not exist.
fn check_exists(dirs: &JobDirs, paths: &RunPaths) -> Result<()> {
    if dirs.must_exist && !paths.summary().exists() {
        return Err(UserError::new(
            "resume",
            format!(
                "there is no job `{}` in `{}`",
                dirs.job_id,
                paths.show(paths.root())
            ),
        )
        .hint("`djhost jobs --all` lists the jobs; `job_id` in place of `resume` starts a new one")
        .into());
    }
    Ok(())
}

/// Says what is not as the recipe expects.
fn say_unmet(expected: &[Expected]) {
    for sentence in expected::unmet(expected) {
        tracing::warn!("{sentence}");
    }
}

/// Returns the exit code of a complete job.
fn code(options: &RunOptions, ledger: &Ledger, expected: &[Expected]) -> u8 {
    if expected.iter().any(|demand| !demand.is_met) {
        exit::UNEXPECTED
    } else if options.strict && ledger.quarantined > 0 {
        exit::QUARANTINED
    } else {
        exit::DONE
    }
}

fn say_complete(job: &str, ledger: &Ledger, target: &ExportTarget) {
    let export = match &target.remote {
        Some(address) => address.clone(),
        None => std::path::absolute(&target.path).unwrap_or_else(|_| target.path.clone()),
    };
    say(&format!(
        "job `{job}` is complete already: {} in {}\n",
        counted(ledger.output, "row"),
        export.display()
    ));
    say("nothing to do; `--fresh` starts it over\n");
}

/// Removes intermediate files. The export exists by now, so a failure is only a warning.
fn clean_up(config: &Config, paths: &RunPaths) {
    if let Err(error) = retention::apply(config, paths, &paths.storage()) {
        tracing::warn!("intermediate files stay: {error:#}");
    }
}

/// Returns the partitions that a run would have. Input that must be unpacked first counts with its
/// packed size.
pub fn planned_partitions(prepared: &Prepared) -> Result<Chosen> {
    table::preview(&prepared.resolved, &prepared.plan, &prepared.dataset)
}

/// Returns the plan in the form of `dag_execution_plan.json`.
pub fn plan_document(prepared: &Prepared, chosen: &Chosen) -> serde_json::Value {
    plan::document::document(prepared, chosen.partitions.len(), &chosen.why)
}

/// Returns the plan for people, as `djhost plan` prints it. `reused` is the result of
/// [`planned_reuse`].
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

/// Returns the ops of a plan in the form that events have.
fn op_refs(plan: &Plan) -> Vec<OpRef> {
    plan.ops
        .iter()
        .map(|o| OpRef::new(o.index, &o.name))
        .collect()
}
