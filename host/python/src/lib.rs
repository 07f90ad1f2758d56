//! `djhost._djhost`: what the Python package `djhost` calls. Functions and classes here are thin;
//! what a Python user sees is in `python/djhost`.

mod command;
mod errors;
mod jobs;
mod ops;

use pyo3::prelude::*;

#[pymodule]
fn _djhost(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(command::main, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::find_job, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_summary, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_mapping, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_event_files, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_progress, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_text, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_pipeline, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::jobs, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::stop_job, module)?)?;
    module.add_function(wrap_pyfunction!(ops::describe_operators, module)?)?;
    module.add_function(wrap_pyfunction!(ops::environment_has_plugins, module)?)?;
    module.add_function(wrap_pyfunction!(ops::lacking_operator, module)?)?;
    module.add_function(wrap_pyfunction!(ops::check_entry, module)?)?;
    module.add_function(wrap_pyfunction!(ops::read_recipe, module)?)
}
