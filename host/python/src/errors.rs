//! Errors of the host as exceptions of `djhost.errors`.

use djhost::error::{UserError, UserErrors};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::interrupt::caught;

/// The user's mistakes in `error`; none if it is something else.
pub(crate) fn mistakes(error: &anyhow::Error) -> Vec<UserError> {
    for cause in error.chain() {
        if let Some(errors) = cause.downcast_ref::<UserErrors>() {
            return errors.0.clone();
        }
        if let Some(error) = cause.downcast_ref::<UserError>() {
            return vec![error.clone()];
        }
    }
    Vec::new()
}

/// A list of `djhost.errors.Problem`.
pub(crate) fn problems<'py>(
    py: Python<'py>,
    mistakes: &[UserError],
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let problem = py.import("djhost.errors")?.getattr("Problem")?;
    let made = mistakes.iter().map(|mistake| {
        let parts = mistake.parts();
        let named = PyDict::new(py);
        named.set_item("path", parts.path)?;
        named.set_item("file", parts.file)?;
        named.set_item("line", parts.line)?;
        named.set_item("message", &mistake.message)?;
        named.set_item("hint", &mistake.hint)?;
        problem.call((), Some(&named))
    });
    made.collect()
}

/// An error from before the work of a job: `RecipeError`, `PluginError`, or `DjhostError`.
pub(crate) fn refused(py: Python<'_>, error: &anyhow::Error) -> PyErr {
    let raise = || -> PyResult<PyErr> {
        let module = py.import("djhost.errors")?;
        let mistakes = mistakes(error);
        let class = match &mistakes[..] {
            [] => "DjhostError",
            _ if mistakes.iter().all(|mistake| mistake.of_plugin) => "PluginError",
            _ => "RecipeError",
        };
        let class = module.getattr(class)?;
        let raised = match &mistakes[..] {
            [] => class.call1((format!("{error:#}"),))?,
            _ => class.call1((problems(py, &mistakes)?,))?,
        };
        Ok(PyErr::from_value(raised))
    };
    raise().unwrap_or_else(|failed| failed)
}

/// Runs `act` without the GIL; raises its error, or its panic, as [`refused`] does.
pub(crate) fn call<T: Send>(
    py: Python<'_>,
    act: impl FnOnce() -> anyhow::Result<T> + Send,
) -> PyResult<T> {
    py.detach(|| caught(act))
        .map_err(|error| refused(py, &error))
}

/// An exception of `djhost.errors` with one message.
pub(crate) fn named(py: Python<'_>, class: &str, message: String) -> PyErr {
    let raise = || -> PyResult<PyErr> {
        let class = py.import("djhost.errors")?.getattr(class)?;
        Ok(PyErr::from_value(class.call1((message,))?))
    };
    raise().unwrap_or_else(|failed| failed)
}
