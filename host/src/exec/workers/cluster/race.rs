//! One task on a worker, and on a second one if the first is slow: whoever is done first counts.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::fleet::Fleet;
use crate::exec::workers::pool::{News, TICK, Tried};
use crate::exec::workers::protocol::{Task, ToWorker, Work};
use crate::exec::workers::worker::{Answer, Worker};

/// How long the answers of one of two workers are waited for before those of the other.
const TURN: Duration = Duration::from_millis(10);

/// A worker that has the task.
struct Runner {
    worker: Arc<Worker>,
    answers: Receiver<Answer>,
}

impl Fleet<'_> {
    /// Gives a task to a worker as soon as one has room, and waits for what becomes of it. `like` is
    /// a number that tasks of one kind have in common, and `bytes` are those of its input. A task that is much slower than others goes to a second worker, too, if one
    /// has nothing to do: `copied` is called with both then. Their files are the same.
    pub(in crate::exec::workers) fn run(
        &self,
        task: Task,
        (like, bytes): (usize, u64),
        note: &dyn Fn(News),
        copied: &dyn Fn(&Worker, &Worker),
    ) -> Result<Tried> {
        let id = task.id.clone();
        let is_whole = match &task.work {
            Work::Steps(steps) => steps.manifests.is_empty(),
            Work::Barrier(_) => true,
        };
        let ask = ToWorker::Task(task);
        let begin = |worker: Arc<Worker>| {
            let (to, answers) = channel();
            worker.expect(&id, to);
            worker.say(&ask).map(|()| Runner { worker, answers })
        };
        let mut runners = vec![begin(self.take()?)?];
        let (started, mut has_copy) = (Instant::now(), false);
        let mut turn = 0;
        loop {
            let wait = if runners.len() == 1 { TICK } else { TURN };
            let runner = &runners[turn];
            let tried = match runner.answers.recv_timeout(wait) {
                Ok(Answer::Committed(manifest)) => {
                    note(News::Committed(manifest));
                    continue;
                }
                Ok(Answer::Made(file)) => {
                    note(News::Made(file));
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let is_slow = || self.pace.is_slow(like, bytes, started.elapsed());
                    if !has_copy
                        && is_slow()
                        && let Some(other) = self.take_idle(&runner.worker)
                    {
                        has_copy = true;
                        copied(&runner.worker, &other);
                        runners.push(begin(other)?);
                    }
                    turn = (turn + 1) % runners.len();
                    continue;
                }
                Ok(Answer::Done) => {
                    runner.worker.has_done();
                    if is_whole {
                        self.pace.learn(like, bytes, started.elapsed());
                    }
                    Tried::Ended(Ok(()))
                }
                Ok(Answer::Failed(failure)) => {
                    let is_of_system = failure.is_of_system();
                    let error = failure.into_error();
                    if is_of_system {
                        self.ease(&runner.worker, &error);
                    }
                    Tried::Ended(Err(error))
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let why = runner.worker.lost().unwrap_or_default();
                    Tried::Lost(format!("{}: {why}", runner.worker.name()))
                }
            };
            self.leave(runners.remove(turn).worker);
            turn = 0;
            let is_done = matches!(tried, Tried::Ended(Ok(())));
            if is_done {
                for other in runners.drain(..) {
                    // Its place is taken until it answers.
                    other.worker.say(&ToWorker::Cancel(id.clone()))?;
                    self.leave(other.worker);
                }
            }
            if runners.is_empty() {
                return Ok(tried);
            }
        }
    }
}
