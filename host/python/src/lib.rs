//! `djhost._djhost`: what the Python package `djhost` calls. Functions and classes here are thin;
//! what a Python user sees is in `python/djhost`.

mod cells;
mod command;
mod compiler;
mod errors;
mod fork;
mod give;
mod interrupt;
mod job;
mod jobs;
mod json_text;
mod ops;
mod plan;
mod take;
mod temporal;
mod values;

use pyo3::prelude::*;

#[pymodule]
fn _djhost(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<job::Job>()?;
    module.add_class::<take::Taken>()?;
    module.add_class::<take::Chunks>()?;
    module.add_function(wrap_pyfunction!(command::main, module)?)?;
    module.add_function(wrap_pyfunction!(compiler::compile_with, module)?)?;
    module.add_function(wrap_pyfunction!(plan::given_options, module)?)?;
    module.add_function(wrap_pyfunction!(plan::check_recipe, module)?)?;
    module.add_function(wrap_pyfunction!(plan::plan, module)?)?;
    module.add_function(wrap_pyfunction!(job::start, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::find_job, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_summary, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_mapping, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_event_files, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_progress, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_text, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_pipeline, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::jobs, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::job_what_if, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::stop_job, module)?)?;
    module.add_function(wrap_pyfunction!(ops::describe_operators, module)?)?;
    module.add_function(wrap_pyfunction!(ops::built_in_operators, module)?)?;
    module.add_function(wrap_pyfunction!(ops::environment_has_plugins, module)?)?;
    module.add_function(wrap_pyfunction!(ops::lacking_operator, module)?)?;
    module.add_function(wrap_pyfunction!(ops::check_entry, module)?)?;
    module.add_function(wrap_pyfunction!(ops::read_recipe, module)?)?;
    module.add_function(wrap_pyfunction!(take::result_files, module)?)
}
