//! Processes of this machine that run tasks. One that ends is replaced, and what it was doing is
//! done again.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread::Scope;
use std::time::Duration;

use anyhow::{Context, Result};

use super::protocol::{FromWorker, Init, Task, TaskKind, ToWorker};
use super::worker::{Answer, Streams, Worker};
use crate::checkpoint::Manifest;
use crate::error::{Final, Stopped};
use crate::exec::context::TaskContext;
use crate::exec::executor::{Executor, Steps};
use crate::exec::index::Held;
use crate::rundir::events::Event;
use crate::threads::inherit;

/// How often one task may lose its process without getting on. What ends that many processes ends the
/// next one, too.
const LOSSES: u32 = 4;
/// How often it is looked whether the job is to stop.
const TICK: Duration = Duration::from_millis(100);

/// What processes are started with.
pub(crate) struct Launch {
    /// The program and its first arguments; it takes those of djhost after them.
    pub(crate) program: Vec<OsString>,
    /// What each is told first, but for `threads`.
    pub(crate) init: Init,
    /// The number of processes, from 1.
    pub(crate) processes: usize,
    /// Tasks at a time, over all processes; at least one for each.
    pub(crate) threads: usize,
}

impl Launch {
    /// Tasks at a time of each process.
    fn shares(&self) -> Vec<usize> {
        let (each, more) = (self.threads / self.processes, self.threads % self.processes);
        (0..self.processes)
            .map(|place| (each + usize::from(place < more)).max(1))
            .collect()
    }
}

/// Running processes. They are started when they are needed first, and end with the pool.
pub(crate) struct Pool<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    launch: &'env Launch,
    env: &'env TaskContext<'env>,
    places: Vec<Place>,
    /// Places of processes that could have another task, each as often as it could.
    free: Mutex<Vec<usize>>,
    started: AtomicUsize,
    shared: Arc<Shared>,
}

/// Where a process is, or will be.
struct Place {
    threads: usize,
    worker: Mutex<Option<Arc<Worker>>>,
    /// The most memory that a process has had here.
    memory: Arc<AtomicU64>,
}

/// What all threads of a pool know.
#[derive(Default)]
struct Shared {
    workers: Mutex<Vec<Weak<Worker>>>,
    /// Why the job has failed, by the counts of all processes.
    verdict: OnceLock<String>,
}

impl Shared {
    fn each(&self, act: impl Fn(&Worker)) {
        let workers = self.workers.lock().expect("no panic while held");
        workers
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|w| act(&w));
    }
}

/// What came of giving a task to a process.
enum Tried {
    Ended(Result<()>),
    /// The process has gone, for this reason.
    Lost(String),
}

impl Pool<'_, '_> {
    /// Runs `work` with a pool. When it returns, no process is left.
    pub(crate) fn with<T>(
        launch: &Launch,
        env: &TaskContext<'_>,
        work: impl FnOnce(&dyn Executor) -> T,
    ) -> T {
        std::thread::scope(|scope| {
            let shares = launch.shares();
            let pool = Pool {
                scope,
                launch,
                env,
                free: Mutex::new(
                    (0..shares.len())
                        .flat_map(|place| std::iter::repeat_n(place, shares[place]))
                        .collect(),
                ),
                places: shares
                    .into_iter()
                    .map(|threads| Place {
                        threads,
                        worker: Mutex::default(),
                        memory: Arc::default(),
                    })
                    .collect(),
                started: AtomicUsize::new(0),
                shared: Arc::default(),
            };
            let (ended, waiting) = channel::<()>();
            let shared = Arc::clone(&pool.shared);
            scope.spawn(inherit(move || {
                while let Err(RecvTimeoutError::Timeout) = waiting.recv_timeout(TICK) {
                    if env.stop.requested() || shared.verdict.get().is_some() {
                        shared.each(Worker::cancel);
                    }
                }
                // Nobody waits for a task any more.
                shared.each(Worker::kill);
            }));
            // Dropped at a panic, too, after which the threads would wait for each other.
            let _ended = ended;
            let done = work(&pool);
            let memory = pool
                .places
                .iter()
                .map(|place| place.memory.load(Ordering::Relaxed));
            env.tally
                .processes_memory
                .store(memory.sum(), Ordering::Relaxed);
            done
        })
    }
}

impl Executor for Pool<'_, '_> {
    fn slots(&self) -> usize {
        self.places.iter().map(|place| place.threads).sum()
    }

    fn run(
        &self,
        env: &TaskContext<'_>,
        steps: &Steps<'_>,
        committed: &dyn Fn(Manifest),
    ) -> Result<()> {
        let place = self.free.lock().expect("no panic while held").pop();
        let place = place.context("internal error: more tasks than processes take")?;
        let done = self.run_at(&self.places[place], env, steps, committed);
        self.free.lock().expect("no panic while held").push(place);
        match (done, self.shared.verdict.get()) {
            (Err(_), Some(verdict)) => Err(Final(verdict.clone()).into()),
            (done, _) => done,
        }
    }
}

impl<'scope> Pool<'scope, '_> {
    /// Does `steps` in the process at `place`, and in those after it if it is lost.
    fn run_at(
        &self,
        place: &Place,
        env: &TaskContext<'_>,
        steps: &Steps<'_>,
        committed: &dyn Fn(Manifest),
    ) -> Result<()> {
        let held = RefCell::new(steps.held.clone());
        let losses = Cell::new(0);
        let note = |manifest: Manifest| {
            held.borrow_mut().insert(Arc::new(manifest.clone()));
            // What gets on ends no process by itself.
            losses.set(0);
            committed(manifest);
        };
        loop {
            if env.stop.requested() || self.shared.verdict.get().is_some() {
                return Err(Stopped.into());
            }
            let task = task(steps, &held.borrow());
            let id = task.id.clone();
            let why = match self.try_at(place, task, &note)? {
                Tried::Ended(done) => return done,
                Tried::Lost(why) => why,
            };
            if env.stop.requested() || self.shared.verdict.get().is_some() {
                return Err(Stopped.into());
            }
            let error_message = format!("the process of task {id} has gone: {why}");
            losses.set(losses.get() + 1);
            if losses.get() == LOSSES {
                let message = format!("{error_message}; this task has lost {LOSSES} processes");
                return Err(Final(message).into());
            }
            tracing::warn!("{error_message}; it is given to another one");
            env.log.emit(Event::TaskRetried {
                partition_id: steps.partition.id as usize,
                stage: steps.stage,
                retry_count: losses.get(),
                error_message,
            });
        }
    }

    /// Gives a task to the process at `place`, which is started if there is none.
    fn try_at(&self, place: &Place, task: Task, note: &dyn Fn(Manifest)) -> Result<Tried> {
        let worker = match self.worker(place)? {
            Ok(worker) => worker,
            Err(why) => return Ok(Tried::Lost(why)),
        };
        let (to, answers) = channel();
        worker.expect(&task.id, to);
        worker.say(&ToWorker::Task(task))?;
        for answer in answers {
            match answer {
                Answer::Committed(manifest) => note(*manifest),
                Answer::Done => return Ok(Tried::Ended(Ok(()))),
                Answer::Failed(failure) => return Ok(Tried::Ended(Err(failure.into_error()))),
            }
        }
        let mut current = place.worker.lock().expect("no panic while held");
        if current.as_ref().is_some_and(|w| Arc::ptr_eq(w, &worker)) {
            *current = None;
        }
        Ok(Tried::Lost(worker.lost().unwrap_or_default()))
    }

    /// The process at `place`, ready for tasks; or why the one that was started has gone.
    fn worker(&self, place: &Place) -> Result<Result<Arc<Worker>, String>> {
        // Held while it starts: others who want it wait for the same.
        let mut current = place.worker.lock().expect("no panic while held");
        if let Some(worker) = &*current {
            return Ok(Ok(Arc::clone(worker)));
        }
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let (to, ready) = channel();
        let (worker, streams) = Worker::start(&self.launch.program, number, to)?;
        let worker = Arc::new(worker);
        self.listen(&worker, &place.memory, streams);
        worker.say(&ToWorker::Init(Init {
            threads: place.threads,
            ..self.launch.init.clone()
        }))?;
        match ready.recv() {
            Ok(Ok(ready)) => {
                tracing::debug!(
                    "process {number} is ready: {} on `{}`",
                    ready.process,
                    ready.host
                );
                *current = Some(Arc::clone(&worker));
                Ok(Ok(worker))
            }
            Ok(Err(refused)) => Err(refused.context(format!("process {number} refuses the job"))),
            Err(_) => {
                let why = worker.lost().unwrap_or_default();
                Ok(Err(format!("before it was ready, {why}")))
            }
        }
    }

    /// Starts the threads that hear a process.
    fn listen(&self, worker: &Arc<Worker>, memory: &Arc<AtomicU64>, (output, errors): Streams) {
        let mut workers = self.shared.workers.lock().expect("no panic while held");
        workers.retain(|worker| worker.strong_count() > 0);
        workers.push(Arc::downgrade(worker));
        drop(workers);
        let (env, shared) = (self.env, Arc::clone(&self.shared));
        let (mine, memory, pid) = (Arc::clone(worker), Arc::clone(memory), worker.pid());
        self.scope.spawn(inherit(move || {
            mine.listen(output, |message| match message {
                FromWorker::Event { event, thread } => env.log.emit_of(event, (pid, thread)),
                FromWorker::Progress(mut share) => {
                    memory.fetch_max(share.peak_memory, Ordering::Relaxed);
                    let beyond = std::mem::take(&mut share.beyond);
                    env.tally.add(share);
                    let judged = beyond
                        .into_iter()
                        .try_for_each(|(op, bytes)| match env.plan.ops.get(op) {
                            Some(op) => env.tally.made(op, bytes, env.dataset),
                            None => Ok(()),
                        })
                        .and_then(|()| env.breaker().judge());
                    if let Err(error) = judged {
                        // The first one counts.
                        let _ = shared.verdict.set(format!("{error:#}"));
                    }
                }
                _ => {}
            });
        }));
        let mine = Arc::clone(worker);
        self.scope
            .spawn(inherit(move || mine.listen_to_errors(errors)));
    }
}

/// The task that does `steps`, of which `held` is done.
fn task(steps: &Steps<'_>, held: &Held) -> Task {
    Task {
        id: steps.id(),
        kind: TaskKind::Steps,
        segment: steps.segment.index,
        partition: steps.partition.id as usize,
        stored: steps.stored.to_vec(),
        stage: steps.stage,
        manifests: held.manifests().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_divided_among_processes() {
        let shares = |processes, threads| {
            let init = Init {
                protocol: super::super::protocol::PROTOCOL,
                directory: "/".into(),
                run: "/".into(),
                temporary: false,
                attempt: 1,
                plan: None,
                threads: 0,
            };
            Launch {
                program: Vec::new(),
                init,
                processes,
                threads,
            }
            .shares()
        };
        assert_eq!(shares(3, 8), [3, 3, 2]);
        assert_eq!(shares(4, 2), [1, 1, 1, 1]);
        assert_eq!(shares(1, 5), [5]);
    }
}
