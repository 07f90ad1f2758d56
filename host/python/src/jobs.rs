//! Jobs by their run directories, for `djhost.utils.job`: thin functions over `djhost::jobs`. What
//! has a structure is returned as JSON text, which Python reads faster than Rust builds objects.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use djhost::jobs::events::Event;
use djhost::jobs::{Job, RunPaths, list_jobs, progress_text, stop_job_in};
use djhost::report::WhatIf;
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::errors::{self, call};

fn job(root: PathBuf) -> Job {
    Job::new(RunPaths::new(root))
}

/// Returns the run directory of the job with this id, the beginning of one, or this path. Looks
/// below `base_dir`; without it at all jobs of this user and below `./outputs`. Raises
/// `JobNotFound`.
#[pyfunction]
#[pyo3(signature = (job, base_dir=None))]
pub(crate) fn find_job(py: Python<'_>, job: &str, base_dir: Option<PathBuf>) -> PyResult<PathBuf> {
    let found = py.detach(|| {
        let found = Job::find(job, base_dir.as_deref())?;
        Ok(std::path::absolute(found.paths().root())?)
    });
    found.map_err(
        |error: anyhow::Error| match errors::mistakes(&error).is_empty() {
            true => errors::refused(py, &error),
            false => errors::named(py, "JobNotFound", format!("{error:#}")),
        },
    )
}

/// Returns the text of `job_summary.json`, which was seen to be one; None before the job has
/// written it.
#[pyfunction]
pub(crate) fn job_summary(py: Python<'_>, root: PathBuf) -> PyResult<Option<String>> {
    call(py, || {
        let job = job(root);
        match job.load_job_summary()? {
            Some(_) => text_of(&job.paths().summary()),
            None => Ok(None),
        }
    })
}

/// Returns the text of `dataset_mapping.json`; None before the dataset is divided.
#[pyfunction]
pub(crate) fn job_mapping(py: Python<'_>, root: PathBuf) -> PyResult<Option<String>> {
    call(py, || {
        let job = job(root);
        match job.load_dataset_mapping()? {
            Some(_) => text_of(&job.paths().dataset_mapping()),
            None => Ok(None),
        }
    })
}

/// The text as it is: numbers that are read and written again may differ in their last digit.
fn text_of(path: &Path) -> Result<Option<String>> {
    let text = std::fs::read_to_string(path);
    Ok(Some(text.with_context(|| {
        format!("cannot read `{}`", path.display())
    })?))
}

/// Returns the files with the events of all attempts.
#[pyfunction]
pub(crate) fn job_event_files(py: Python<'_>, root: PathBuf) -> PyResult<Vec<PathBuf>> {
    call(py, || job(root).paths().event_files())
}

/// Returns what `djhost monitor --json` prints.
#[pyfunction]
pub(crate) fn job_progress(py: Python<'_>, root: PathBuf) -> PyResult<String> {
    call(py, || {
        Ok(serde_json::to_string(&job(root).overall_progress()?)?)
    })
}

/// Returns what `djhost monitor` prints: on a terminal in its width and with colours.
#[pyfunction]
pub(crate) fn job_text(
    py: Python<'_>,
    root: PathBuf,
    detailed: bool,
    on_terminal: bool,
) -> PyResult<String> {
    call(py, || {
        Ok(progress_text(
            &job(root).overall_progress()?,
            detailed,
            on_terminal,
        ))
    })
}

/// Returns the ops of the job with all parameters, as the entries of `process`; before the job has
/// written its recipe, the names alone.
#[pyfunction]
pub(crate) fn job_pipeline(py: Python<'_>, root: PathBuf) -> PyResult<String> {
    call(py, || {
        let job = job(root);
        let recipe = job.paths().resolved_config();
        if recipe.is_file() {
            let recipe = djhost::config::read_values(&recipe)?;
            return Ok(recipe.get("process").unwrap_or(&Value::Null).to_string());
        }
        let named = job
            .load_event_logs()?
            .records
            .into_iter()
            .find_map(|r| match r.event {
                Event::JobStarted { operations, .. } => Some(operations),
                _ => None,
            });
        let entries: Vec<Value> = named
            .iter()
            .flatten()
            .map(|op| json!({ &op.name: {} }))
            .collect();
        Ok(Value::Array(entries).to_string())
    })
}

/// Returns the jobs below `base_dir`, newest first, as a list of objects: those that run, or all.
#[pyfunction]
#[pyo3(signature = (base_dir=None, all=false))]
pub(crate) fn jobs(py: Python<'_>, base_dir: Option<PathBuf>, all: bool) -> PyResult<String> {
    call(py, || {
        Ok(serde_json::to_string(&list_jobs(
            base_dir.as_deref(),
            all,
        )?)?)
    })
}

/// Returns how many rows filters would keep with other thresholds, pairs of `OP.PARAMETER` and a
/// value: a `WhatIf` as text.
#[pyfunction]
pub(crate) fn job_what_if(
    py: Python<'_>,
    root: PathBuf,
    wanted: Vec<(String, Option<f64>)>,
) -> PyResult<String> {
    call(py, || {
        Ok(serde_json::to_string(&WhatIf::of_job(
            &job(root),
            &wanted,
        )?)?)
    })
}

/// Asks the process that runs the job to stop, and waits; with `force`, kills it. Returns a
/// `StopReport` as text.
#[pyfunction]
pub(crate) fn stop_job(
    py: Python<'_>,
    root: PathBuf,
    force: bool,
    timeout: f64,
) -> PyResult<String> {
    let timeout = Duration::try_from_secs_f64(timeout).map_err(|_| {
        pyo3::exceptions::PyValueError::new_err(format!(
            "timeout is {timeout}: give seconds, 0 or more"
        ))
    })?;
    call(py, || {
        let report = stop_job_in(&root.display().to_string(), None, force, timeout)?;
        Ok(serde_json::to_string(&report)?)
    })
}
