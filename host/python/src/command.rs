//! The command `djhost`, as `python -m djhost` and the wheel's script run it.

use std::ffi::OsString;

use djhost::error::{Stopped, exit_code};
use pyo3::prelude::*;

use crate::interrupt::caught;

/// Runs the command with `argv`, whose first element is the program's name, and returns its exit
/// code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, argv: Vec<OsString>) -> u8 {
    py.detach(|| {
        caught(|| djhost::cli::main(argv)).unwrap_or_else(|error| {
            if !error.chain().any(|e| e.is::<Stopped>()) {
                djhost::cli::complain(&format!("{error:#}"));
            }
            exit_code(&error)
        })
    })
}
