//! Values of recipes and options.

use djhost::config::{Override, Recipe};
use djhost::error::UserError;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::{Map, Value};

use crate::errors;
use crate::json_text::{self, Unfit};

/// Reads a recipe: None, the path of a file, or a dict.
pub(crate) fn recipe(given: &Bound<'_, PyAny>) -> PyResult<Recipe> {
    if given.is_none() {
        return Ok(Recipe::None);
    }
    if given.cast::<PyString>().is_ok() {
        return Ok(Recipe::File(given.extract()?));
    }
    let dict = given
        .cast::<PyDict>()
        .map_err(|_| PyTypeError::new_err("a recipe is a path or a dict"))?;
    match value(dict, "")? {
        Value::Object(root) => Ok(Recipe::Data(root)),
        _ => Ok(Recipe::Data(Map::new())),
    }
}

/// Reads options: pairs of a dotted key and a value.
pub(crate) fn options(given: Vec<(String, Bound<'_, PyAny>)>) -> PyResult<Vec<Override>> {
    given
        .into_iter()
        .map(|(key, given)| Ok(Override::value(&key, value(&given, &key)?)))
        .collect()
}

/// A Python value as a value of a recipe; `place` is where it stands.
fn value(given: &Bound<'_, PyAny>, place: &str) -> PyResult<Value> {
    let mut text = Vec::new();
    json_text::write(given, &mut text).map_err(|unfit| match unfit {
        Unfit::Raised(raised) => raised,
        Unfit::Value { path, why } => {
            let path = match path.strip_prefix('.') {
                Some(path) if place.is_empty() => path.to_owned(),
                _ => format!("{place}{path}"),
            };
            let error = UserError::new(path, why).hint("write it as a text or a number");
            errors::refused(given.py(), &error.into())
        }
    })?;
    serde_json::from_slice(&text).map_err(|error| {
        // A number beyond what a recipe can hold.
        let error = UserError::new(place, format!("no value of a recipe: {error}"));
        errors::refused(given.py(), &error.into())
    })
}
