//! The command `djhost`, as `python -m djhost` and the wheel's script run it.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use djhost::error::{Stopped, exit, exit_code};
use pyo3::prelude::*;

/// Runs the command with `argv`, whose first element is the program's name, and returns its exit
/// code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, argv: Vec<OsString>) -> u8 {
    py.detach(|| {
        match catch_unwind(AssertUnwindSafe(|| djhost::cli::main(argv))) {
            Ok(Ok(code)) => code,
            Ok(Err(error)) => {
                if !error.chain().any(|e| e.is::<Stopped>()) {
                    djhost::cli::complain(&format!("{error:#}"));
                }
                exit_code(&error)
            }
            Err(_) => exit::FAILED,
        }
    })
}
