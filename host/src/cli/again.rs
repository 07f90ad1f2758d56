//! Prepares a job once more from its run directory, for commands that look at its rows.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::loading::while_loading;
use crate::config::{Need, Override, resolve};
use crate::data::{Dataset, PageSettings};
use crate::error::UserError;
use crate::run::{Prepared, prepare};
use crate::rundir::RunPaths;

/// The recipe of the job in `paths`, as it ran. Goes to the directory in which the job was started:
/// paths in the recipe are relative to it.
pub(crate) fn prepare_again(paths: &RunPaths, quiet: bool) -> Result<Prepared> {
    paths.refresh()?;
    let root = std::path::absolute(paths.root())?;
    let recipe = RunPaths::new(&root).resolved_config();
    if !recipe.exists() {
        return Err(UserError::new(
            root.display().to_string(),
            "this job has not begun: there is no recipe in its run directory",
        )
        .hint("`djhost run` with the same `job_id` continues it")
        .into());
    }
    go_to_where_the_job_was_started(paths)?;
    while_loading(quiet, || prepare(Some(&recipe), &same_job(paths)?))
}

/// The dataset of the job in `paths`, without its operators. Goes to the directory in which the job
/// was started.
pub(crate) fn dataset_again(paths: &RunPaths) -> Result<Dataset> {
    let root = std::path::absolute(paths.root())?;
    let recipe = RunPaths::new(&root).resolved_config();
    go_to_where_the_job_was_started(paths)?;
    let overrides = same_job(paths)?;
    let resolved = resolve(
        Some(&recipe),
        std::env::vars_os(),
        &overrides,
        Need::Runnable,
    )?;
    let window = resolved.config.zstd_window_mb << 20;
    let mut dataset =
        Dataset::open_wanted(&resolved.sources, &resolved.wanted, Path::new("."), window)?;
    dataset.pages = PageSettings::new(&resolved.config.warc);
    Ok(dataset)
}

/// Goes back to where the command was started.
pub(super) fn same_directory(dir: &Path) -> Result<()> {
    std::env::set_current_dir(dir).with_context(|| format!("cannot go to `{}`", dir.display()))
}

fn go_to_where_the_job_was_started(paths: &RunPaths) -> Result<()> {
    let environment = paths.environment();
    let bytes = std::fs::read(&environment)
        .with_context(|| format!("cannot read `{}`", environment.display()))?;
    let environment: serde_json::Value = serde_json::from_slice(&bytes)?;
    let started_in = environment["working_directory"]
        .as_str()
        .unwrap_or_default();
    if paths.address().is_some() && !Path::new(started_in).is_dir() {
        // It was started on another machine: relative paths are tried from here.
        return Ok(());
    }
    std::env::set_current_dir(started_in)
        .with_context(|| format!("cannot go to `{started_in}`, where the job was started"))
}

/// Returns the options that name the job in a run directory.
fn same_job(paths: &RunPaths) -> Result<[Override; 2]> {
    let root = match paths.address() {
        Some(address) => PathBuf::from(&address.text),
        None => std::path::absolute(paths.root())?,
    };
    let set = |key: &str, text: Option<&OsStr>| {
        let text = text.map(|t| t.to_string_lossy().into_owned());
        Override::text(key, text.unwrap_or_default(), format!("--{key}"))
    };
    Ok([
        set("work_dir", root.parent().map(Path::as_os_str)),
        set("job_id", root.file_name()),
    ])
}
