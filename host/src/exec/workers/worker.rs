//! One process that runs tasks, as seen from the process that runs the job.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard};

use anyhow::{Context, Result};

use super::protocol::{Failure, FromWorker, LogLevel, Ready, ToWorker};
use crate::checkpoint::Manifest;
use crate::error::Final;
use crate::rundir::fault;

/// What becomes of a task.
pub(super) enum Answer {
    /// A file of it is there.
    Committed(Box<Manifest>),
    /// It is done.
    Done,
    /// It has failed.
    Failed(Failure),
}

/// A started process.
pub(super) struct Worker {
    /// Which of the processes of this attempt it is, from 1.
    pub(super) number: usize,
    child: Mutex<Child>,
    input: Mutex<Option<ChildStdin>>,
    is_ready: AtomicBool,
    state: Mutex<State>,
}

struct State {
    /// Who waits for [`Ready`]; `Err` says why it refused.
    ready: Option<Sender<Result<Ready>>>,
    /// Who waits for the answers to each task.
    tasks: HashMap<String, Sender<Answer>>,
    /// The last line that it wrote to standard error.
    words: String,
    /// Why it has gone.
    lost: Option<String>,
}

/// The standard output and error of a process.
pub(super) type Streams = (Box<dyn Read + Send>, Box<dyn Read + Send>);

impl Worker {
    /// Starts `program`, with its first arguments, as number `number`; `ready` is told whether it can
    /// work.
    pub(super) fn start(
        program: &[OsString],
        number: usize,
        ready: Sender<Result<Ready>>,
    ) -> Result<(Self, Streams)> {
        let (name, first) = program
            .split_first()
            .context("internal error: no program runs tasks")?;
        let mut command = Command::new(name);
        command.args(first).args(["task", "--stdio"]);
        if name == "/proc/self/exe"
            && let Some(own) = std::env::args_os().next()
        {
            // What `ps` shows.
            command.arg0(own);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Ctrl-C on the terminal is for the process that runs the job.
        command.process_group(0);
        command.env_remove(fault::VARIABLE);
        if let Some(fault) = fault::of_worker(number) {
            command.env(fault::VARIABLE, fault);
        }
        let mut child = command.spawn().with_context(|| {
            format!(
                "a process for tasks cannot be started: `{}`",
                name.to_string_lossy()
            )
        })?;
        let streams = match (child.stdout.take(), child.stderr.take()) {
            (Some(out), Some(err)) => (Box::new(out) as Box<dyn Read + Send>, Box::new(err) as _),
            _ => anyhow::bail!("internal error: a process without streams"),
        };
        let input = Mutex::new(child.stdin.take());
        let worker = Self {
            number,
            child: Mutex::new(child),
            input,
            is_ready: AtomicBool::new(false),
            state: Mutex::new(State {
                ready: Some(ready),
                tasks: HashMap::new(),
                words: String::new(),
                lost: None,
            }),
        };
        Ok((worker, streams))
    }

    /// Its number on this machine.
    pub(super) fn pid(&self) -> u32 {
        self.child.lock().expect("no panic while held").id()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while held")
    }

    /// Says something to it. If it has gone, those who wait for answers learn of it.
    pub(super) fn say(&self, line: &ToWorker) -> Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        if let Some(input) = &mut *self.input.lock().expect("no panic while held") {
            // An error means that it has gone, as the end of its output tells.
            let _ = input.write_all(&text);
        }
        Ok(())
    }

    /// Sends the answers to task `id` to `to`, which is dropped if the process goes.
    pub(super) fn expect(&self, id: &str, to: Sender<Answer>) {
        let mut state = self.state();
        if state.lost.is_none() {
            state.tasks.insert(id.to_owned(), to);
        }
    }

    /// Why it has gone.
    pub(super) fn lost(&self) -> Option<String> {
        self.state().lost.clone()
    }

    /// Ends its tasks. A process that is not ready yet ends at once.
    pub(super) fn cancel(&self) {
        if !self.is_ready.load(Ordering::Relaxed) {
            return self.kill();
        }
        let ids: Vec<String> = self.state().tasks.keys().cloned().collect();
        for id in ids {
            // The line has nothing that cannot be written.
            let _ = self.say(&ToWorker::Cancel(id));
        }
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        // An error means that it has ended.
        let _ = self.child.lock().expect("no panic while held").kill();
    }

    /// Reads what it says until it ends; `take` gets what is no answer to a task.
    pub(super) fn listen(&self, output: impl Read, mut take: impl FnMut(FromWorker)) {
        for line in BufReader::new(output).lines() {
            let message = line
                .map_err(anyhow::Error::from)
                .and_then(|line| Ok(serde_json::from_str(&line)?));
            match message {
                Ok(message) => self.hear(message, &mut take),
                Err(error) => {
                    self.state().words = format!("it said what nobody understands: {error}");
                    self.kill();
                    break;
                }
            }
        }
        let ended = self.wait();
        let mut state = self.state();
        let why = match state.words.is_empty() {
            true => ended,
            false => format!("{ended}; its last words: {}", state.words),
        };
        state.lost = Some(why);
        state.tasks.clear();
        state.ready = None;
    }

    /// Keeps the last line of its standard error, and logs all.
    pub(super) fn listen_to_errors(&self, errors: impl Read) {
        for line in BufReader::new(errors).split(b'\n') {
            let Ok(line) = line else { return };
            let line = crate::sanitize::printable(&String::from_utf8_lossy(&line));
            if !line.is_empty() {
                tracing::warn!("process {}: {line}", self.number);
                self.state().words = line;
            }
        }
    }

    fn hear(&self, message: FromWorker, take: &mut impl FnMut(FromWorker)) {
        let answer = |id: &str, answer| {
            let state = self.state();
            if let Some(task) = state.tasks.get(id) {
                // Nobody waits for a task that was given up.
                let _ = task.send(answer);
            }
        };
        match message {
            FromWorker::Ready(ready) => {
                self.is_ready.store(true, Ordering::Relaxed);
                if let Some(to) = self.state().ready.take() {
                    let _ = to.send(Ok(ready));
                }
            }
            FromWorker::Refused { reason } => {
                if let Some(to) = self.state().ready.take() {
                    let _ = to.send(Err(Final(reason).into()));
                }
            }
            FromWorker::Committed { id, manifest } => answer(&id, Answer::Committed(manifest)),
            FromWorker::Done { id } => {
                answer(&id, Answer::Done);
                self.state().tasks.remove(&id);
            }
            FromWorker::Failed { id, failure } => {
                answer(&id, Answer::Failed(failure));
                self.state().tasks.remove(&id);
            }
            FromWorker::Log { level, guest, text } => log(level, guest, self.number, &text),
            other => take(other),
        }
    }

    fn wait(&self) -> String {
        // Its output has ended, and so will it.
        drop(self.input.lock().expect("no panic while held").take());
        match self.child.lock().expect("no panic while held").wait() {
            Ok(status) => said(status),
            Err(error) => error.to_string(),
        }
    }
}

/// How a process has ended.
fn said(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(9), _) => "it was killed (signal 9), as the system does when memory runs out".into(),
        (Some(signal), _) => format!("it was ended by signal {signal}"),
        (None, Some(code)) => format!("it ended with code {code}"),
        (None, None) => "it ended".into(),
    }
}

/// Logs a line of process `number`. The macros need target and level as constants.
fn log(level: LogLevel, guest: bool, number: usize, text: &str) {
    macro_rules! log {
        ($($target:tt)*) => {
            match level {
                LogLevel::Error => tracing::error!($($target)* "process {number}: {text}"),
                LogLevel::Warn => tracing::warn!($($target)* "process {number}: {text}"),
                LogLevel::Info => tracing::info!($($target)* "process {number}: {text}"),
                LogLevel::Debug => tracing::debug!($($target)* "process {number}: {text}"),
                LogLevel::Trace => tracing::trace!($($target)* "process {number}: {text}"),
            }
        };
    }
    match guest {
        true => log!(target: "djhost::guest",),
        false => log!(),
    }
}
