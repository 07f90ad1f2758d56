//! Workers on a cluster, as they come and go. The bridge replaces those that have gone; a task goes
//! to one that is ready.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Result;

use super::bridge::{Bridge, Cluster};
use super::message::{FromBridge, Gone, ToBridge};
use super::pace::Pace;
use crate::error::Stopped;
use crate::exec::workers::pool::{Hearing, LOSSES, TICK};
use crate::exec::workers::protocol::{Init, Ready, ToWorker};
use crate::exec::workers::worker::{Link, Worker, said};
use crate::term::counted;

/// So many digits of the id of a node tell it from others of the same machine.
const ID_DIGITS: usize = 6;

/// The workers.
pub(in crate::exec::workers) struct Fleet<'env> {
    cluster: &'env Cluster,
    init: &'env Init,
    hearing: Hearing<'env>,
    pub(super) pace: Pace,
    state: Mutex<State>,
    /// A worker can take a task.
    came: Condvar,
}

#[derive(Default)]
struct State {
    /// Workers that could have another task, each as often as it could; the one that waits longest
    /// is first.
    seats: VecDeque<Arc<Worker>>,
    /// All that have been started, by number.
    all: HashMap<usize, Started>,
    /// How many have ended before they were ready, since one was.
    failures: u32,
    /// What was last said of those that wait for room.
    waiting: String,
    /// Nobody is to be replaced any more.
    is_ending: bool,
}

/// A worker that was started.
struct Started {
    worker: Arc<Worker>,
    /// Who tells whether it is ready; None: it is.
    waits: Option<Receiver<Result<Ready>>>,
}

impl<'env> Fleet<'env> {
    /// Has the workers of `cluster` started. [`listen`](Self::listen) hears of them.
    pub(in crate::exec::workers) fn new(
        cluster: &'env Cluster,
        init: &'env Init,
        hearing: Hearing<'env>,
    ) -> Self {
        cluster.start();
        Self {
            cluster,
            init,
            hearing,
            pace: Pace::default(),
            state: Mutex::default(),
            came: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while held")
    }

    /// Tasks at a time.
    pub(in crate::exec::workers) fn slots(&self) -> usize {
        self.cluster.room.workers * self.cluster.room.cpus
    }

    /// The sum of the most memory of each worker that there is now.
    pub(in crate::exec::workers) fn memory(&self) -> u64 {
        let state = self.state();
        let each = state.all.values();
        each.map(|each| each.worker.memory.load(Ordering::Relaxed))
            .sum()
    }

    /// A worker for a task, as soon as one has room. It is to be [left](Self::leave).
    pub(super) fn take(&self) -> Result<Arc<Worker>> {
        let mut state = self.state();
        loop {
            if self.hearing.is_over() {
                return Err(Stopped.into());
            }
            if let Some(worker) = self.seat(&mut state, |_| true) {
                return Ok(worker);
            }
            let waited = self.came.wait_timeout(state, TICK);
            state = waited.expect("no panic while held").0;
        }
    }

    /// A worker other than `busy` for a task, if one has nothing else to do.
    pub(super) fn take_idle(&self, busy: &Arc<Worker>) -> Option<Arc<Worker>> {
        self.seat(&mut self.state(), |worker| !Arc::ptr_eq(worker, busy))
    }

    /// The one of the workers that are `wanted` which waits longest.
    fn seat(
        &self,
        state: &mut State,
        wanted: impl Fn(&Arc<Worker>) -> bool,
    ) -> Option<Arc<Worker>> {
        state.seats.retain(|worker| worker.lost().is_none());
        // One may still end a task that was cancelled.
        let has_room = |worker: &&Arc<Worker>| worker.has_room(self.cluster.room.cpus);
        let found = state
            .seats
            .iter()
            .position(|worker| wanted(worker) && has_room(&worker))?;
        state.seats.remove(found)
    }

    /// Gives `worker` fewer tasks at a time.
    pub(super) fn ease(&self, worker: &Worker, why: &anyhow::Error) {
        if let Some(tasks) = worker.ease(self.cluster.room.cpus) {
            let tasks = counted(tasks as u64, "task");
            tracing::warn!(
                "{} has {tasks} at a time from now on: {why:#}",
                worker.name()
            );
        }
    }

    pub(super) fn leave(&self, worker: Arc<Worker>) {
        if worker.lost().is_none() {
            self.state().seats.push_back(worker);
            self.came.notify_one();
        }
    }

    /// Ends workers that are silent; once the job is over, has none replaced.
    pub(in crate::exec::workers) fn look(&self, hearing: &Hearing<'_>) {
        let mut state = self.state();
        if hearing.is_over() && !std::mem::replace(&mut state.is_ending, true) {
            self.cluster.bridge.say(&ToBridge::Want(0));
        }
        for each in state.all.values() {
            each.worker.end_if_silent(self.cluster.silence);
        }
    }

    /// Ends all workers, and the bridge. [`listen`](Self::listen) returns then.
    pub(in crate::exec::workers) fn end(&self) {
        self.state().is_ending = true;
        self.cluster.bridge.end();
    }

    /// Hears what the bridge and the workers say until it ends.
    pub(in crate::exec::workers) fn listen(&self) {
        let said = self.cluster.said.lock().expect("no panic while held");
        while let Ok(message) = said.recv() {
            self.hear(message);
        }
        let mut state = self.state();
        let all = std::mem::take(&mut state.all);
        if !state.is_ending {
            self.hearing.fail(format!(
                "the bridge to the Ray cluster has ended: {}; the same command continues the job, with `ray_address: local` on this machine",
                self.cluster.bridge.words()
            ));
        }
        drop(state);
        all.values()
            .for_each(|each| each.worker.gone("the bridge to Ray has ended"));
        self.came.notify_all();
    }

    fn hear(&self, message: FromBridge) {
        match message {
            FromBridge::Up {
                worker,
                host,
                node,
                pid,
            } => {
                let node = format!("{host}/{}", &node[..node.len().min(ID_DIGITS)]);
                self.welcome(worker, node, pid);
            }
            FromBridge::Out { worker, lines } => {
                let Some(mine) = self.worker(worker) else {
                    return;
                };
                for line in lines {
                    if !mine.hear(&line, |message| self.hearing.take(&mine, message)) {
                        break;
                    }
                }
                self.check_ready(worker);
            }
            FromBridge::Err { worker, lines } => {
                if let Some(worker) = self.worker(worker) {
                    lines.iter().for_each(|line| worker.hear_error(line));
                }
            }
            FromBridge::Down {
                worker,
                why,
                detail,
                code,
            } => self.part(worker, why, &detail, code),
            FromBridge::Waiting {
                workers,
                cpus,
                total,
                free,
            } => {
                let text = format!(
                    "waiting for {cpus} CPUs for {workers} more workers; the cluster has {total}, of which {free} are free"
                );
                let mut state = self.state();
                if state.waiting != text {
                    tracing::warn!("{text}");
                    state.waiting = text;
                }
            }
            FromBridge::Cluster { .. } | FromBridge::Failed { .. } => {}
        }
    }

    fn worker(&self, number: usize) -> Option<Arc<Worker>> {
        let state = self.state();
        state.all.get(&number).map(|each| Arc::clone(&each.worker))
    }

    /// A process was started: tells it the job.
    fn welcome(&self, number: usize, node: String, pid: u32) {
        tracing::debug!("worker {number} was started on node `{node}` as process {pid}");
        let (to, ready) = channel();
        let link = Remote {
            bridge: Arc::clone(&self.cluster.bridge),
            number,
        };
        let worker = Arc::new(Worker::new(number, Some(node), Box::new(link), to));
        self.hearing.knows(&worker);
        let init = ToWorker::Init(Init {
            threads: self.cluster.room.cpus,
            worker: Some(number),
            ..self.init.clone()
        });
        if let Err(error) = worker.say(&init) {
            self.hearing.fail(format!("{error:#}"));
        }
        let waits = Some(ready);
        self.state().all.insert(number, Started { worker, waits });
    }

    /// Lets a worker have tasks if it is ready now. One that refuses the job ends it: others would
    /// refuse it, too, or leave its node unused without a word.
    fn check_ready(&self, number: usize) {
        let mut state = self.state();
        let Some(started) = state.all.get_mut(&number) else {
            return;
        };
        let waits = started.waits.as_ref();
        let Some(answer) = waits.and_then(|ready| ready.try_recv().ok()) else {
            return;
        };
        started.waits = None;
        let worker = Arc::clone(&started.worker);
        match answer {
            Ok(ready) => {
                tracing::info!("{} is ready: process {}", worker.name(), ready.process);
                state.failures = 0;
                let seats = std::iter::repeat_n(worker, self.cluster.room.cpus);
                state.seats.extend(seats);
            }
            Err(refused) => self
                .hearing
                .fail(format!("{} refuses the job: {refused:#}", worker.name())),
        }
        drop(state);
        self.came.notify_all();
    }

    /// A worker has gone.
    fn part(&self, number: usize, why: Gone, detail: &str, code: Option<i32>) {
        let ended = match why {
            Gone::Exited => {
                let signal = code.filter(|code| *code < 0).map(|code| -code);
                said(signal, code)
            }
            Gone::Lost => format!("Ray has lost it: {detail}"),
            Gone::Silent => silent(self.cluster.silence),
            Gone::Refused => {
                return self
                    .hearing
                    .fail(format!("a worker cannot be started on {detail}"));
            }
            Gone::Ended => "it was ended".to_owned(),
        };
        let mut state = self.state();
        let (worker, was_ready) = match state.all.remove(&number) {
            Some(Started { worker, waits }) => (Some(worker), waits.is_none()),
            None => (None, false),
        };
        let is_ending = state.is_ending;
        if !was_ready && !is_ending {
            state.failures += 1;
            if state.failures == LOSSES {
                let name = worker
                    .as_ref()
                    .map_or_else(|| format!("worker {number}"), |w| w.name());
                self.hearing.fail(format!(
                    "{LOSSES} workers have ended before they were ready, the last one, {name}, so: {ended}"
                ));
            }
        }
        drop(state);
        if let Some(worker) = worker {
            worker.gone(&ended);
            if !is_ending {
                let why = worker.lost().unwrap_or_default();
                tracing::warn!("{} has gone: {why}", worker.name());
            }
        }
        self.came.notify_all();
    }
}

fn silent(patience: Duration) -> String {
    format!("nothing was heard of it for {} s", patience.as_secs())
}

/// A worker behind the bridge.
struct Remote {
    bridge: Arc<Bridge>,
    number: usize,
}

impl Link for Remote {
    fn say(&self, line: &str) {
        self.bridge.say(&ToBridge::To {
            worker: self.number,
            line: line.trim_end(),
        });
    }

    fn kill(&self) {
        self.bridge.say(&ToBridge::Kill(self.number));
    }
}
