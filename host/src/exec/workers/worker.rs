//! One process that runs tasks, as seen from the process that runs the job: wherever it is, lines
//! reach it and come from it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::protocol::{Failure, FromWorker, LogLevel, Ready, ToWorker};
use crate::checkpoint::Manifest;
use crate::error::Final;
use crate::exec::barrier_task::MadeFile;
use crate::rundir::events::Doer;

/// What becomes of a task.
pub(super) enum Answer {
    /// A file of it is there.
    Committed(Box<Manifest>),
    /// The file that it was to make for a barrier is there.
    Made(MadeFile),
    /// It is done.
    Done,
    /// It has failed.
    Failed(Failure),
}

/// What carries lines to a worker, and can end it. That it has gone, its output tells.
pub(super) trait Link: Send + Sync {
    /// Sends a line, which ends with `\n`.
    fn say(&self, line: &str);
    /// Ends the worker at once.
    fn kill(&self);
}

/// A started process.
pub(super) struct Worker {
    /// Which of the processes of this attempt it is, from 1.
    number: usize,
    /// The node of the cluster that it is on.
    node: Option<String>,
    link: Box<dyn Link>,
    /// Its number on its machine; 0 until it is known.
    pid: AtomicU64,
    is_ready: AtomicBool,
    state: Mutex<State>,
    /// The most memory that it has had, in bytes.
    pub(super) memory: AtomicU64,
    /// How many tasks it may have at a time.
    room: AtomicUsize,
}

struct State {
    /// Who waits for [`Ready`]; `Err` says why it refused.
    ready: Option<Sender<Result<Ready>>>,
    /// Who waits for the answers to each task.
    tasks: HashMap<String, Sender<Answer>>,
    /// When it last said something.
    heard: Instant,
    /// The last line that it wrote to standard error.
    words: String,
    /// Why it was ended from here.
    ended_for: Option<String>,
    /// Why it has gone.
    lost: Option<String>,
}

impl Worker {
    /// The worker behind `link`; `ready` is told whether it can work.
    pub(super) fn new(
        number: usize,
        node: Option<String>,
        link: Box<dyn Link>,
        ready: Sender<Result<Ready>>,
    ) -> Self {
        Self {
            number,
            node,
            link,
            pid: AtomicU64::new(0),
            is_ready: AtomicBool::new(false),
            state: Mutex::new(State {
                ready: Some(ready),
                tasks: HashMap::new(),
                heard: Instant::now(),
                words: String::new(),
                ended_for: None,
                lost: None,
            }),
            memory: AtomicU64::new(0),
            room: AtomicUsize::new(usize::MAX),
        }
    }

    /// Whether it may have another task, where it has room for `most`.
    pub(super) fn has_room(&self, most: usize) -> bool {
        self.tasks() < self.room.load(Ordering::Relaxed).min(most)
    }

    /// The system refused it something, such as a store that answers 503: from now on it has half of the
    /// tasks at a time. `most` is what it had at first. Returns how many that are, if they are fewer.
    pub(super) fn ease(&self, most: usize) -> Option<usize> {
        let room = self.room.load(Ordering::Relaxed).min(most);
        let half = (room / 2).max(1);
        self.room.store(half, Ordering::Relaxed);
        (half < room).then_some(half)
    }

    /// It has done a task: it may have one more at a time, after those that it had.
    pub(super) fn has_done(&self) {
        let more = |room: usize| Some(room.saturating_add(1));
        let _ = self
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// How it is called in messages.
    pub(super) fn name(&self) -> String {
        match &self.node {
            Some(node) => format!("worker {} on node `{node}`", self.number),
            None => format!("process {}", self.number),
        }
    }

    /// Who has done what happened in its thread `thread_id`.
    pub(super) fn doer(&self, thread_id: u64) -> Doer<'_> {
        Doer {
            process_id: self.pid.load(Ordering::Relaxed) as u32,
            thread_id,
            node: self.node.as_deref(),
            worker: self.node.is_some().then_some(self.number),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while held")
    }

    /// Says something to it. If it has gone, those who wait for answers learn of it.
    pub(super) fn say(&self, line: &ToWorker) -> Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.link.say(&text);
        Ok(())
    }

    /// Sends the answers to task `id` to `to`, which is dropped if the process goes.
    pub(super) fn expect(&self, id: &str, to: Sender<Answer>) {
        let mut state = self.state();
        if state.lost.is_none() {
            if state.tasks.is_empty() {
                // It had nothing to say.
                state.heard = Instant::now();
            }
            state.tasks.insert(id.to_owned(), to);
        }
    }

    /// How many tasks it has.
    pub(super) fn tasks(&self) -> usize {
        self.state().tasks.len()
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
        self.link.kill();
    }

    /// Ends it if it has tasks and has said nothing for `patience`: it says twice a second how far
    /// they are.
    pub(super) fn end_if_silent(&self, patience: Duration) {
        let mut state = self.state();
        if state.lost.is_some() || state.tasks.is_empty() || state.heard.elapsed() < patience {
            return;
        }
        state.heard = Instant::now();
        state.ended_for = Some(format!(
            "nothing was heard of it for {} s",
            patience.as_secs()
        ));
        drop(state);
        self.kill();
    }

    /// Takes a line that it says; `take` gets what is no answer to a task. False: it is none of the
    /// protocol, and the process is ended.
    pub(super) fn hear(&self, line: &str, take: impl FnOnce(FromWorker)) -> bool {
        match serde_json::from_str(line) {
            Ok(message) => {
                self.hear_message(message, take);
                true
            }
            Err(error) => {
                self.state().words = format!("it said what nobody understands: {error}");
                self.kill();
                false
            }
        }
    }

    /// Keeps a line of its standard error, and logs it.
    pub(super) fn hear_error(&self, line: &str) {
        let line = crate::sanitize::printable(line);
        if !line.is_empty() {
            tracing::warn!("{}: {line}", self.name());
            self.state().words = line;
        }
    }

    /// It has gone, in this way: nobody gets an answer of it any more.
    pub(super) fn gone(&self, ended: &str) {
        let mut state = self.state();
        let ended = state.ended_for.as_deref().unwrap_or(ended);
        let why = match state.words.is_empty() {
            true => ended.to_owned(),
            false => format!("{ended}; its last words: {}", state.words),
        };
        state.lost = Some(why);
        state.tasks.clear();
        state.ready = None;
    }

    fn hear_message(&self, message: FromWorker, take: impl FnOnce(FromWorker)) {
        self.state().heard = Instant::now();
        let answer = |id: &str, answer| {
            let state = self.state();
            if let Some(task) = state.tasks.get(id) {
                // Nobody waits for a task that was given up.
                let _ = task.send(answer);
            }
        };
        match message {
            FromWorker::Ready(ready) => {
                self.pid.store(ready.process.into(), Ordering::Relaxed);
                self.is_ready.store(true, Ordering::Relaxed);
                if let Some(to) = self.state().ready.take() {
                    let _ = to.send(Ok(ready));
                }
            }
            FromWorker::Refused { reason } => {
                let mut state = self.state();
                match state.ready.take() {
                    Some(to) => drop(to.send(Err(Final(reason).into()))),
                    // It ends now.
                    None => state.words = reason,
                }
            }
            FromWorker::Committed { id, manifest } => answer(&id, Answer::Committed(manifest)),
            FromWorker::Made { id, file } => answer(&id, Answer::Made(file)),
            FromWorker::Done { id } => {
                answer(&id, Answer::Done);
                self.state().tasks.remove(&id);
            }
            FromWorker::Failed { id, failure } => {
                answer(&id, Answer::Failed(failure));
                self.state().tasks.remove(&id);
            }
            FromWorker::Log { level, guest, text } => log(level, guest, &self.name(), &text),
            other => take(other),
        }
    }
}

/// How a process has ended.
pub(super) fn said(signal: Option<i32>, code: Option<i32>) -> String {
    match (signal, code) {
        (Some(9), _) => "it was killed (signal 9), as the system does when memory runs out".into(),
        (Some(signal), _) => format!("it was ended by signal {signal}"),
        (None, Some(code)) => format!("it ended with code {code}"),
        (None, None) => "it ended".into(),
    }
}

/// Logs a line of the process that is called `name`. The macros need target and level as constants.
fn log(level: LogLevel, guest: bool, name: &str, text: &str) {
    macro_rules! log {
        ($($target:tt)*) => {
            match level {
                LogLevel::Error => tracing::error!($($target)* "{name}: {text}"),
                LogLevel::Warn => tracing::warn!($($target)* "{name}: {text}"),
                LogLevel::Info => tracing::info!($($target)* "{name}: {text}"),
                LogLevel::Debug => tracing::debug!($($target)* "{name}: {text}"),
                LogLevel::Trace => tracing::trace!($($target)* "{name}: {text}"),
            }
        };
    }
    match guest {
        true => log!(target: "djhost::guest",),
        false => log!(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Deaf;

    impl Link for Deaf {
        fn say(&self, _: &str) {}
        fn kill(&self) {}
    }

    #[test]
    fn a_worker_that_is_refused_something_has_half_of_the_tasks_until_it_does_some() {
        let (ready, _) = std::sync::mpsc::channel();
        let worker = Worker::new(1, None, Box::new(Deaf), ready);
        let (to, _answers) = std::sync::mpsc::channel();
        assert!(worker.has_room(1));
        worker.expect("a", to.clone());
        worker.expect("b", to);
        assert!(worker.has_room(8));
        assert_eq!(
            [8, 8, 8, 8].map(|most| worker.ease(most)),
            [Some(4), Some(2), Some(1), None]
        );
        assert!(!worker.has_room(8));
        worker.has_done();
        assert!(!worker.has_room(8));
        worker.has_done();
        assert!(worker.has_room(8) && !worker.has_room(2));
    }
}
