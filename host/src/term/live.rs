//! The progress line at the bottom of the terminal. Everything else that goes to standard error
//! appears above it.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The line on the screen; empty if there is none.
static LINE: Mutex<String> = Mutex::new(String::new());

/// Takes the cursor to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[2K";

fn lock() -> MutexGuard<'static, String> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes to standard error and ignores errors: a closed standard error or a full disk must not end
/// a job, and there is nobody left to tell.
fn put(text: &[u8]) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text).and_then(|()| out.flush());
}

/// Replaces the line on the screen by `line`, which must be narrower than the terminal. Only for
/// terminals.
pub(crate) fn show(line: &str) {
    let mut shown = lock();
    if *shown != line {
        put(format!("{CLEAR}{line}").as_bytes());
        line.clone_into(&mut shown);
    }
}

/// Removes the line.
pub(crate) fn clear() {
    let mut shown = lock();
    if !shown.is_empty() {
        put(CLEAR.as_bytes());
        shown.clear();
    }
}

/// Standard error, with the progress line kept below everything written. Each write should end a
/// line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let shown = lock();
        if shown.is_empty() {
            put(bytes);
        } else {
            put(&[CLEAR.as_bytes(), bytes, shown.as_bytes()].concat());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
