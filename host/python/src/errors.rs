//! Errors of the host as exceptions of `djhost.errors`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Result;
use djhost::error::{UserError, UserErrors};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Runs `act` without the GIL. Raises its error as an exception of `djhost.errors`, and a panic as `DjhostError`.
pub(crate) fn call<T: Send>(py: Python<'_>, act: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    match py.detach(|| catch_unwind(AssertUnwindSafe(act))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(exception(py, &error).unwrap_or_else(|failed| failed)),
        Err(_) => Err(raise(py, "DjhostError", "djhost has a bug: it panicked; its message is on standard error")?),
    }
}

fn raise(py: Python<'_>, class: &str, message: &str) -> PyResult<PyErr> {
    let class = py.import("djhost.errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call1((message,))?))
}

fn exception(py: Python<'_>, error: &anyhow::Error) -> PyResult<PyErr> {
    let problems: Vec<&UserError> = match error.downcast_ref::<UserErrors>() {
        Some(several) => several.0.iter().collect(),
        None => error.downcast_ref::<UserError>().into_iter().collect(),
    };
    if problems.is_empty() {
        return raise(py, "DjhostError", &format!("{error:#}"));
    }
    let list = PyList::empty(py);
    for problem in problems {
        let entry = PyDict::new(py);
        entry.set_item("path", &problem.place)?;
        entry.set_item("message", &problem.message)?;
        entry.set_item("hint", &problem.hint)?;
        list.append(entry)?;
    }
    let class = py.import("djhost.errors")?.getattr("RecipeError")?;
    Ok(PyErr::from_value(class.call1((format!("{error:#}"), list))?))
}
