//! Work that a user can interrupt: it runs on a thread of its own, without the GIL, while the
//! calling thread waits and looks for signals.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use djhost::run::Logs;
use pyo3::prelude::*;

/// How often the waiting thread looks for signals.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// Stack of the thread, as a program's main thread has it.
pub(crate) const STACK: usize = 8 << 20;

/// Runs `work` on another thread, where it logs to `logs`, and returns its result. After an
/// interrupt the work goes on, and its result is lost.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    logs: &Logs,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> PyResult<Result<T>> {
    let (sender, mut receiver) = channel();
    let logs = logs.clone();
    thread::Builder::new()
        .name("djhost".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // Nobody may be left to hear of it.
            let _ = sender.send(caught(|| logs.scope(work)));
        })?;
    loop {
        let answer = &mut receiver;
        match py.detach(move || answer.recv_timeout(LOOK)) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(Err(anyhow!("internal error"))),
        }
    }
}

/// Makes an error of a panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(anyhow!("internal error: {}", said.unwrap_or("panic")))
    })
}
