//! What can be known of a job before it runs.

use std::path::PathBuf;

use djhost::config::{Need, Origin, resolve_recipe};
use djhost::jobs::RunPaths;
use djhost::run::{Draft, Logs, plan_document, plan_text, planned_partitions, planned_reuse};
use pyo3::prelude::*;

use crate::{errors, fork, give, interrupt, values};

/// Options, as pairs of a dotted key and a value.
pub(crate) type Options<'py> = Vec<(String, Bound<'py, PyAny>)>;

/// The options that somebody has given, in the recipe, the environment or `options`: their keys,
/// and their values as a JSON object. Also reports mistakes in them.
#[pyfunction]
pub(crate) fn given_options(
    py: Python<'_>,
    recipe: &Bound<'_, PyAny>,
    options: Options<'_>,
) -> PyResult<String> {
    let (recipe, overrides) = (values::recipe(recipe)?, values::options(options)?);
    let resolved = resolve_recipe(&recipe, std::env::vars_os(), &overrides, Need::Anything)
        .map_err(|error| errors::refused(py, &error))?;
    let is_given = |key: &str| !matches!(resolved.origin(key), Origin::Default);
    let given = resolved.config.entries().into_iter();
    let given = given.filter(|entry| !entry.is_section && is_given(&entry.key));
    let given: serde_json::Map<_, _> = given.map(|entry| (entry.key, entry.value)).collect();
    Ok(serde_json::Value::Object(given).to_string())
}

/// The mistakes in a recipe, as `djhost.errors.Problem`s, and what is worth a note. With `looks` also
/// those in its dataset and the places that it writes to.
#[pyfunction]
pub(crate) fn check_recipe<'py>(
    py: Python<'py>,
    recipe: &Bound<'py, PyAny>,
    options: Options<'py>,
    looks: bool,
) -> PyResult<(Vec<Bound<'py, PyAny>>, Vec<String>)> {
    fork::check()?;
    let (recipe, overrides) = (values::recipe(recipe)?, values::options(options)?);
    let need = if looks {
        Need::Runnable
    } else {
        Need::Anything
    };
    let checked = interrupt::run(py, &quiet_logs(py)?, move || {
        let draft = Draft::new(&recipe, &overrides, need)?;
        if !looks {
            return Ok(draft.notes());
        }
        let prepared = draft.prepare()?;
        Ok(prepared.notes())
    })?;
    match checked {
        Ok(notes) => Ok((Vec::new(), notes)),
        Err(error) => match &errors::mistakes(&error)[..] {
            [] => Err(errors::refused(py, &error)),
            mistakes => Ok((errors::problems(py, mistakes)?, Vec::new())),
        },
    }
}

/// The plan of a job as text and as JSON. `given` are rows for it, which are put into `rows_dir`, a
/// temporary directory.
#[pyfunction]
pub(crate) fn plan(
    py: Python<'_>,
    recipe: &Bound<'_, PyAny>,
    options: Options<'_>,
    given: Option<&Bound<'_, PyAny>>,
    takes_result: bool,
    rows_dir: PathBuf,
) -> PyResult<(String, String)> {
    fork::check()?;
    let (recipe, overrides) = (values::recipe(recipe)?, values::options(options)?);
    let need = if given.is_some() {
        Need::Anything
    } else {
        Need::Runnable
    };
    let logs = quiet_logs(py)?;
    let failed = |error| errors::refused(py, &error);
    let mut draft = interrupt::run(py, &logs, move || Draft::new(&recipe, &overrides, need))?
        .map_err(failed)?;
    if let Some(given) = given {
        let paths = RunPaths::new(rows_dir);
        draft.give(&give::Given::of(given)?.write(py, &paths.temporary())?);
    }
    if takes_result {
        draft.take_result();
    }
    let planned = interrupt::run(py, &logs, move || {
        let mut prepared = draft.prepare()?;
        let reused = planned_reuse(&mut prepared)?;
        let chosen = planned_partitions(&prepared)?;
        let text = plan_text(&prepared, &chosen, reused.as_deref());
        Ok((text, plan_document(&prepared, &chosen).to_string()))
    })?;
    planned.map_err(failed)
}

/// Logs of which nobody hears.
fn quiet_logs(py: Python<'_>) -> PyResult<Logs> {
    Logs::of_job(None, |_| ()).map_err(|error| errors::refused(py, &error))
}
