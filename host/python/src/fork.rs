//! Forked processes. A child has none of its parent's threads: pools and compilers that the parent
//! has used would never answer in it.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The process that first used the host; 0 before that.
static FIRST: AtomicU32 = AtomicU32::new(0);

/// Whether this process is a child of one that had used the host.
pub(crate) fn is_child() -> bool {
    let first = FIRST.load(Ordering::Relaxed);
    first != 0 && first != std::process::id()
}

/// Called before the host starts threads. Fails in a child of a process that has done so.
pub(crate) fn check() -> PyResult<()> {
    let me = std::process::id();
    match FIRST.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed) {
        Err(first) if first != me => Err(PyRuntimeError::new_err(format!(
            "this process was forked from process {first} after that one had used djhost, whose threads a fork \
             does not take along; start it with `multiprocessing.get_context(\"spawn\")` (or \"forkserver\"), or \
             use djhost in one of the two only"
        ))),
        _ => Ok(()),
    }
}
