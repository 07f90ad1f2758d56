//! `djhost._djhost`: what the Python package `djhost` calls. Functions and classes here are thin;
//! what a Python user sees is in `python/djhost`.

mod command;

use pyo3::prelude::*;

#[pymodule]
fn _djhost(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(command::main, module)?)
}
