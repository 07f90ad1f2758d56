//! A job that runs in this process.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use djhost::config::Need;
use djhost::error::{Stopped, Unexpected, UserError};
use djhost::jobs::{JobSummary, RunPaths, StopFlag};
use djhost::run::{Draft, Live, Logs, Prepared, RunOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::give::Given;
use crate::interrupt::{self, LOOK, caught};
use crate::plan::Options;
use crate::{errors, fork, values};

/// Warnings that wait for somebody to hear them; more are only in the log.
const MOST_WARNINGS: usize = 1000;

/// A job that runs in this process, on threads of its own.
#[pyclass(module = "djhost._djhost", frozen)]
pub(crate) struct Job {
    #[pyo3(get)]
    job_id: String,
    #[pyo3(get)]
    run_dir: PathBuf,
    #[pyo3(get)]
    export_path: PathBuf,
    /// The file of the rows that were given; None if the caller has named the dataset.
    #[pyo3(get)]
    dataset: Option<PathBuf>,
    stop: StopFlag,
    live: Live,
    warnings: Arc<Mutex<Vec<String>>>,
    ended: Arc<(Mutex<Option<Ended>>, Condvar)>,
}

/// How a job has ended, for Python: the state, a message, and the mistakes of the user.
type Outcome<'py> = (&'static str, String, Vec<Bound<'py, PyAny>>);

/// How a job has ended.
#[derive(Clone)]
enum Ended {
    Completed,
    Stopped(String),
    Failed(String, Vec<UserError>),
    /// Its result is not what the recipe expects, and is not exported for that.
    Unexpected(String),
    /// It did not begin: the user has to mend something.
    Refused(Vec<UserError>),
}

/// Starts a job. `given` are rows for it; otherwise the recipe or the options name the dataset.
/// `takes_result`: the result goes to the run directory. `scratch`: that is temporary.
#[pyfunction]
pub(crate) fn start(
    py: Python<'_>,
    recipe: &Bound<'_, PyAny>,
    options: Options<'_>,
    given: Option<&Bound<'_, PyAny>>,
    takes_result: bool,
    scratch: bool,
    level: Option<&str>,
) -> PyResult<Job> {
    fork::check()?;
    let (recipe, overrides) = (values::recipe(recipe)?, values::options(options)?);
    let need = if given.is_some() {
        Need::Anything
    } else {
        Need::Runnable
    };
    let warnings: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&warnings);
    let hear = move |warning| {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() < MOST_WARNINGS {
            heard.push(warning);
        }
    };
    let failed = |error| errors::refused(py, &error);
    let logs = Logs::of_job(level, hear).map_err(failed)?;
    // The mistakes of the user show before any row is taken.
    let mut draft = interrupt::run(py, &logs, move || Draft::new(&recipe, &overrides, need))?
        .map_err(failed)?;
    let mut dataset = None;
    if let Some(given) = given {
        let paths = draft.run_dir().map_err(failed)?;
        let paths = match scratch {
            true => paths.temporary(),
            false => paths,
        };
        let file = Given::of(given)?.write(py, &paths)?;
        draft.give(&file);
        dataset = Some(file);
    }
    if takes_result {
        draft.take_result();
    }
    let prepared = interrupt::run(py, &logs, move || draft.prepare())?.map_err(failed)?;
    Ok(Job::run(prepared, dataset, scratch, logs, warnings)?)
}

impl Job {
    fn run(
        prepared: Prepared,
        dataset: Option<PathBuf>,
        scratch: bool,
        logs: Logs,
        warnings: Arc<Mutex<Vec<String>>>,
    ) -> std::io::Result<Self> {
        let dirs = &prepared.resolved.dirs;
        let job = Self {
            job_id: dirs.job_id.clone(),
            run_dir: std::path::absolute(&dirs.run_dir)?,
            export_path: match &dirs.export_address {
                Some(address) => address.clone(),
                None => std::path::absolute(&dirs.export_path)?,
            },
            dataset,
            stop: StopFlag::new(),
            live: Live::new(),
            warnings,
            ended: Arc::default(),
        };
        let options = RunOptions {
            scratch,
            embedded: true,
            live: job.live.clone(),
            ..RunOptions::default()
        };
        let (stop, ended) = (job.stop.clone(), Arc::clone(&job.ended));
        let paths = RunPaths::new(&job.run_dir);
        thread::Builder::new()
            .name("djhost-job".to_owned())
            .stack_size(interrupt::STACK)
            .spawn(move || {
                let done = caught(|| djhost::run::run(prepared, &options, &logs, &stop));
                let how = match done {
                    Ok(_) => Ended::Completed,
                    Err(error) => Ended::of(&error, &paths),
                };
                let (state, changed) = &*ended;
                *state.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
                changed.notify_all();
            })?;
        Ok(job)
    }

    fn ended(&self) -> Option<Ended> {
        let state = self.ended.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.clone()
    }
}

impl Ended {
    fn of(error: &anyhow::Error, paths: &RunPaths) -> Self {
        let message = format!("{error:#}");
        if error.chain().any(|cause| cause.is::<Stopped>()) {
            return Self::Stopped(message);
        }
        if error.chain().any(|cause| cause.is::<Unexpected>()) {
            return Self::Unexpected(message);
        }
        let mistakes = errors::mistakes(error);
        // A job that has begun says in its summary how it has ended.
        let summary = JobSummary::load(paths).ok().flatten();
        let has_begun = summary.is_some_and(|s| s.error_message.as_deref() == Some(&message));
        match mistakes.is_empty() || has_begun {
            true => Self::Failed(message, mistakes),
            false => Self::Refused(mistakes),
        }
    }
}

#[pymethods]
impl Job {
    /// Waits until the job has ended, at most `timeout` seconds; returns whether it has. Raises what
    /// a signal raises; the job goes on then. Without `signals` (on a thread that gets none) it does
    /// not look for them.
    #[pyo3(signature = (timeout=None, *, signals=true))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>, signals: bool) -> PyResult<bool> {
        let far = Duration::from_secs(1 << 30);
        let timeout = timeout.map_or(far, |seconds| {
            Duration::try_from_secs_f64(seconds.max(0.0))
                .unwrap_or(far)
                .min(far)
        });
        let until = Instant::now() + timeout;
        let (state, changed) = &*self.ended;
        loop {
            let has_ended = py.detach(|| {
                let left = until.saturating_duration_since(Instant::now()).min(LOOK);
                let state = state.lock().unwrap_or_else(PoisonError::into_inner);
                let waited = changed.wait_timeout_while(state, left, |ended| ended.is_none());
                waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
            });
            if has_ended || Instant::now() >= until {
                return Ok(has_ended);
            }
            if signals {
                py.check_signals()?;
            }
        }
    }

    /// Asks the job to stop. It finishes what it has begun of the batches in work.
    fn stop(&self, reason: &str) {
        self.stop.request(reason);
    }

    /// How the job has ended: the state, a message, and the mistakes that the user has to mend. None
    /// while it runs.
    fn outcome<'py>(&self, py: Python<'py>) -> PyResult<Option<Outcome<'py>>> {
        let Some(ended) = self.ended() else {
            return Ok(None);
        };
        let (state, message, mistakes) = match ended {
            Ended::Completed => ("completed", String::new(), Vec::new()),
            Ended::Stopped(message) => ("stopped", message, Vec::new()),
            Ended::Failed(message, mistakes) => ("failed", message, mistakes),
            Ended::Unexpected(message) => ("unexpected", message, Vec::new()),
            Ended::Refused(mistakes) => ("refused", String::new(), mistakes),
        };
        Ok(Some((state, message, errors::problems(py, &mistakes)?)))
    }

    /// The warnings since the last call.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *warnings)
    }

    /// How far the job is, from memory; None before and after its tasks.
    fn live<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(now) = self.live.now() else {
            return Ok(None);
        };
        let (op, op_name) = now
            .op
            .map_or((None, None), |(op, name)| (Some(op), Some(name)));
        let live = PyDict::new(py);
        live.set_item("bytes_read", now.bytes_read)?;
        live.set_item("bytes", now.bytes)?;
        live.set_item("rows", now.rows)?;
        live.set_item("quarantined", now.quarantined)?;
        live.set_item("op", op)?;
        live.set_item("op_name", op_name)?;
        live.set_item("partitions_done", now.partitions_done)?;
        live.set_item("partitions", now.partitions)?;
        live.set_item("seconds", now.seconds)?;
        live.set_item("goes_on", now.goes_on)?;
        Ok(Some(live))
    }
}
