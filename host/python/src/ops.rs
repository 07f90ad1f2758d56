//! Operators and recipes as data, for `djhost.ops` and `djhost.Recipe`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use djhost::config::{check_entry as check, read_values};
use djhost::ops::{Given, describe, describe_plugins};
use pyo3::prelude::*;
use serde_json::{Map, Value};

use crate::errors::call;

/// Describes operators as a list of objects: those of `names` with example and signature, or those
/// of the plugins. Without `plugins` these are those that the environment names.
#[pyfunction]
pub(crate) fn describe_operators(
    py: Python<'_>,
    plugins: Vec<PathBuf>,
    allow_override: Vec<String>,
    names: Option<Vec<String>>,
) -> PyResult<String> {
    call(py, || {
        let given = Given::new(&plugins, &allow_override, "plugins")?;
        let described = match &names {
            Some(names) => describe(
                &given,
                &names.iter().map(String::as_str).collect::<Vec<_>>(),
            )?,
            None => describe_plugins(&given)?,
        };
        Ok(serde_json::to_string(&described)?)
    })
}

/// Returns the names of the built-in operators, sorted.
#[pyfunction]
pub(crate) fn built_in_operators() -> Vec<&'static str> {
    djhost::ops::built_in()
}

/// Returns whether the environment names plugins, beside which the built-in operators are not all.
#[pyfunction]
pub(crate) fn environment_has_plugins(py: Python<'_>) -> PyResult<bool> {
    call(py, || Ok(Given::new(&[], &[], "")?.has_plugins()))
}

/// Returns what is known about an operator of Data-Juicer that djhost lacks.
#[pyfunction]
pub(crate) fn lacking_operator(name: &str) -> Option<String> {
    djhost::ops::lacking(name)
}

/// Checks an entry of a recipe against the schema of its operator, both as JSON objects. Raises
/// `RecipeError` with all mistakes.
#[pyfunction]
pub(crate) fn check_entry(py: Python<'_>, name: &str, params: &str, schema: &str) -> PyResult<()> {
    call(py, || {
        let params: Map<String, Value> = parse(params)?;
        Ok(check(name, &params, &parse(schema)?)?)
    })
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).context("the Python package passed something that is no JSON")
}

/// Reads a recipe as it is written, as a JSON object.
#[pyfunction]
pub(crate) fn read_recipe(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    call(py, || {
        Ok(serde_json::to_string(&read_values(Path::new(&path))?)?)
    })
}
