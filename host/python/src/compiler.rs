//! The process that compiles the components of plugins.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Makes `command` compile the components of plugins; see `djhost::run::compile_with`.
#[pyfunction]
pub(crate) fn compile_with(command: Vec<OsString>) {
    djhost::run::compile_with(command);
}
