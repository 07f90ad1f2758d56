//! Jobs by their run directories, for `djhost.utils.job`: thin functions over `djhost::jobs`. What has a structure is returned as
//! JSON text, which Python reads faster than Rust builds objects.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use djhost::jobs::events::Event;
use djhost::jobs::{Job, RunPaths, list_jobs, progress_text, stop_job_in};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::errors::call;

fn job(root: PathBuf) -> Job {
    Job::new(RunPaths::new(root))
}

/// Returns the run directory of the job with this id, the beginning of one, or this path. Looks below `base_dir`; without it at all
/// jobs of this user and below `./outputs`. Raises `JobNotFound`.
#[pyfunction]
#[pyo3(signature = (job, base_dir=None))]
pub(crate) fn find_job(py: Python<'_>, job: &str, base_dir: Option<PathBuf>) -> PyResult<PathBuf> {
    call(py, || {
        let found = Job::find(job, base_dir.as_deref())?;
        Ok(std::path::absolute(found.paths().root())?)
    })
}

/// Returns `job_summary.json` as text; None before the job has written one.
#[pyfunction]
pub(crate) fn job_summary(py: Python<'_>, root: PathBuf) -> PyResult<Option<String>> {
    call(py, || text_of(job(root).load_job_summary()?))
}

/// Returns `dataset_mapping.json` as text; None before the dataset is divided.
#[pyfunction]
pub(crate) fn job_mapping(py: Python<'_>, root: PathBuf) -> PyResult<Option<String>> {
    call(py, || text_of(job(root).load_dataset_mapping()?))
}

fn text_of(value: Option<impl serde::Serialize>) -> Result<Option<String>> {
    Ok(value.map(|v| serde_json::to_string(&v)).transpose()?)
}

/// Returns the events of all attempts in their order, as a list of objects.
#[pyfunction]
pub(crate) fn job_events(py: Python<'_>, root: PathBuf) -> PyResult<String> {
    call(py, || Ok(serde_json::to_string(&job(root).load_event_logs()?.records)?))
}

/// Returns what `djhost monitor --json` prints.
#[pyfunction]
pub(crate) fn job_progress(py: Python<'_>, root: PathBuf) -> PyResult<String> {
    call(py, || Ok(serde_json::to_string(&job(root).overall_progress()?)?))
}

/// Returns what `djhost monitor` prints: on a terminal in its width and with colours.
#[pyfunction]
pub(crate) fn job_text(py: Python<'_>, root: PathBuf, detailed: bool, on_terminal: bool) -> PyResult<String> {
    call(py, || Ok(progress_text(&job(root).overall_progress()?, detailed, on_terminal)))
}

/// Returns the ops of the job with all parameters, as the entries of `process`; before the job has written its recipe, the names
/// alone.
#[pyfunction]
pub(crate) fn job_pipeline(py: Python<'_>, root: PathBuf) -> PyResult<String> {
    call(py, || {
        let job = job(root);
        let recipe = job.paths().resolved_config();
        if recipe.is_file() {
            let recipe = djhost::config::read_values(&recipe)?;
            return Ok(recipe.get("process").unwrap_or(&Value::Null).to_string());
        }
        let named = job.load_event_logs()?.records.into_iter().find_map(|r| match r.event {
            Event::JobStarted { operations, .. } => Some(operations),
            _ => None,
        });
        let entries: Vec<Value> = named.iter().flatten().map(|op| json!({ &op.name: {} })).collect();
        Ok(Value::Array(entries).to_string())
    })
}

/// Returns the jobs below `base_dir`, newest first, as a list of objects: those that run, or all.
#[pyfunction]
#[pyo3(signature = (base_dir=None, all=false))]
pub(crate) fn jobs(py: Python<'_>, base_dir: Option<PathBuf>, all: bool) -> PyResult<String> {
    call(py, || Ok(serde_json::to_string(&list_jobs(base_dir.as_deref(), all)?)?))
}

/// Asks the process that runs the job to stop, and waits; with `force`, kills it. Returns a `StopReport` as text.
#[pyfunction]
pub(crate) fn stop_job(py: Python<'_>, root: PathBuf, force: bool, timeout: f64) -> PyResult<String> {
    let timeout = Duration::try_from_secs_f64(timeout).map_err(|_| {
        pyo3::exceptions::PyValueError::new_err(format!("timeout is {timeout}: give seconds, 0 or more"))
    })?;
    call(py, || {
        let report = stop_job_in(&root.display().to_string(), None, force, timeout)?;
        Ok(serde_json::to_string(&report)?)
    })
}
