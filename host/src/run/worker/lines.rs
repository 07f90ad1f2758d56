//! What a process that runs tasks says, line by line, from all of its threads.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::Level;

use crate::error::exit;
use crate::exec::workers::protocol::{FromWorker, LogLevel};

/// Bytes of lines that are kept for those after them.
const MOST: usize = 64 << 10;

/// Where the lines go. Those that only tell what happens wait for the next one that somebody waits for:
/// on a cluster each time that something comes is a call from node to node.
pub(super) struct Lines(Mutex<State>);

struct State {
    output: Box<dyn Write + Send>,
    waiting: Vec<u8>,
}

impl State {
    /// Sends what waits. If nobody listens any more, the process ends.
    fn send(&mut self) {
        let sent = self
            .output
            .write_all(&self.waiting)
            .and_then(|()| self.output.flush());
        self.waiting.clear();
        if sent.is_err() {
            std::process::exit(exit::FAILED.into());
        }
    }
}

impl Lines {
    pub(super) fn new(output: impl Write + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            output: Box::new(output),
            waiting: Vec::new(),
        })))
    }

    /// Says something: at once, or with what is said next. [`send`](Self::send) is to be called twice a
    /// second.
    pub(super) fn say(&self, message: &FromWorker) {
        let mut line = serde_json::to_vec(message).unwrap_or_else(|error| {
            // No message has what JSON cannot hold; nobody would know what is missing.
            eprintln!("internal error: a message that cannot be written: {error}");
            std::process::exit(exit::FAILED.into());
        });
        line.push(b'\n');
        let can_wait = matches!(
            message,
            FromWorker::Event { .. }
                | FromWorker::Log { .. }
                | FromWorker::Progress(_)
                | FromWorker::Made { .. }
        );
        let mut state = self.0.lock().expect("no panic while held");
        state.waiting.append(&mut line);
        if !can_wait || state.waiting.len() > MOST {
            state.send();
        }
    }

    /// Sends what waits.
    pub(super) fn send(&self) {
        let mut state = self.0.lock().expect("no panic while held");
        if !state.waiting.is_empty() {
            state.send();
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
