//! What a process that runs tasks says, line by line, from all of its threads.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::Level;

use crate::error::exit;
use crate::exec::workers::protocol::{FromWorker, LogLevel};

/// Where the lines go.
pub(super) struct Lines(Mutex<Box<dyn Write + Send>>);

impl Lines {
    pub(super) fn new(output: impl Write + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Box::new(output))))
    }

    /// Says something. If nobody listens any more, the process ends.
    pub(super) fn say(&self, message: &FromWorker) {
        let mut line = serde_json::to_vec(message).unwrap_or_else(|error| {
            // No message has what JSON cannot hold; nobody would know what is missing.
            eprintln!("internal error: a message that cannot be written: {error}");
            std::process::exit(exit::FAILED.into());
        });
        line.push(b'\n');
        let mut output = self.0.lock().expect("no panic while held");
        if output
            .write_all(&line)
            .and_then(|()| output.flush())
            .is_err()
        {
            std::process::exit(exit::FAILED.into());
        }
    }

    /// Says a line of the log.
    pub(super) fn log(&self, level: Level, target: &str, text: String) {
        self.say(&FromWorker::Log {
            level: match level {
                Level::ERROR => LogLevel::Error,
                Level::WARN => LogLevel::Warn,
                Level::INFO => LogLevel::Info,
                Level::DEBUG => LogLevel::Debug,
                Level::TRACE => LogLevel::Trace,
            },
            guest: target == "djhost::guest",
            text,
        });
    }
}
