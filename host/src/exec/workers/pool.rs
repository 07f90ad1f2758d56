//! An [`Executor`] of other processes: gives them tasks, hears of them, and gives what a lost one was
//! doing to another.

use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use anyhow::{Context, Result};

use super::cluster::{Cluster, Fleet};
use super::processes::{Division, Processes};
use super::protocol::{FromWorker, Init, StepsTask, Task, ToWorker, Work};
use super::worker::{Answer, Worker};
use crate::checkpoint::Manifest;
use crate::error::{Final, Stopped};
use crate::exec::barrier_task::{BarrierTask, MadeFile};
use crate::exec::context::TaskContext;
use crate::exec::executor::{Executor, Steps, Threads};
use crate::exec::index::Held;
use crate::exec::{elsewhere, queue};
use crate::rundir::events::Event;
use crate::threads::inherit;

/// How often one task may lose its process without getting on, and how many workers may end before
/// any is ready. What ends that many processes ends the next one, too.
pub(super) const LOSSES: u32 = 4;
/// How often it is looked whether the job is to stop.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// What processes are told and where they are.
pub(crate) struct Launch {
    /// What each is told first, but for `threads`.
    pub(crate) init: Init,
    /// Where they are.
    pub(crate) hands: Hands,
}

/// Where processes are that run tasks.
pub(crate) enum Hands {
    /// On this machine.
    Processes(Division),
    /// On the nodes of a cluster.
    Cluster(Cluster),
}

/// Running processes. They end with the pool.
pub(crate) struct Pool<'scope, 'env> {
    crew: Crew<'scope, 'env>,
    hearing: Hearing<'env>,
}

enum Crew<'scope, 'env> {
    Processes(Processes<'scope, 'env>),
    Fleet(Arc<Fleet<'env>>),
}

/// What is heard of processes goes to the job. Cheap to clone.
#[derive(Clone)]
pub(super) struct Hearing<'env> {
    env: &'env TaskContext<'env>,
    shared: Arc<Shared>,
}

/// What all threads of a pool know.
#[derive(Default)]
struct Shared {
    workers: Mutex<Vec<Weak<Worker>>>,
    /// Why the job has failed: by the counts of all processes, or because nobody can work on it.
    verdict: OnceLock<String>,
}

impl Hearing<'_> {
    /// From now on it is cancelled with the others.
    pub(super) fn knows(&self, worker: &Arc<Worker>) {
        let mut workers = self.shared.workers.lock().expect("no panic while held");
        workers.retain(|worker| worker.strong_count() > 0);
        workers.push(Arc::downgrade(worker));
    }

    /// Takes what `worker` says that is no answer to a task.
    pub(super) fn take(&self, worker: &Worker, message: FromWorker) {
        let env = self.env;
        match message {
            FromWorker::Event { event, thread } => env.log.emit_of(event, worker.doer(thread)),
            FromWorker::Progress(mut share) => {
                worker
                    .memory
                    .fetch_max(share.peak_memory, Ordering::Relaxed);
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
                    self.fail(format!("{error:#}"));
                }
            }
            _ => {}
        }
    }

    /// The job has failed for this reason. The first one counts.
    pub(super) fn fail(&self, why: String) {
        let _ = self.shared.verdict.set(why);
    }

    /// Whether no more tasks are to be begun.
    pub(super) fn is_over(&self) -> bool {
        self.env.stop.requested() || self.shared.verdict.get().is_some()
    }

    fn each(&self, act: impl Fn(&Worker)) {
        let workers = self.shared.workers.lock().expect("no panic while held");
        workers
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|w| act(&w));
    }
}

/// What a task has made.
pub(super) enum News {
    Committed(Box<Manifest>),
    Made(MadeFile),
}

/// What a task is about.
#[derive(Clone, Copy)]
struct About {
    /// None: all partitions.
    partition: Option<usize>,
    stage: usize,
    /// A number that tasks of one kind have in common.
    like: usize,
    /// Bytes that it reads.
    bytes: u64,
}

/// What came of giving a task to a process.
pub(super) enum Tried {
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
            let hearing = Hearing {
                env,
                shared: Arc::default(),
            };
            let mut fleet = None;
            let crew = match &launch.hands {
                Hands::Processes(division) => {
                    let hearing = hearing.clone();
                    Crew::Processes(Processes::new(scope, division, &launch.init, hearing))
                }
                Hands::Cluster(cluster) => {
                    let started = Arc::new(Fleet::new(cluster, &launch.init, hearing.clone()));
                    let hears = Arc::clone(&started);
                    scope.spawn(inherit(move || hears.listen()));
                    fleet = Some(Arc::clone(&started));
                    Crew::Fleet(started)
                }
            };
            let (ended, waiting) = channel::<()>();
            let watching = hearing.clone();
            scope.spawn(inherit(move || {
                while let Err(RecvTimeoutError::Timeout) = waiting.recv_timeout(TICK) {
                    if watching.is_over() {
                        watching.each(Worker::cancel);
                    }
                    if let Some(fleet) = &fleet {
                        fleet.look(&watching);
                    }
                }
                // Nobody waits for a task any more.
                watching.each(Worker::kill);
                if let Some(fleet) = &fleet {
                    fleet.end();
                }
            }));
            // Dropped at a panic, too, after which the threads would wait for each other.
            let _ended = ended;
            let pool = Pool { crew, hearing };
            let done = work(&pool);
            let memory = match &pool.crew {
                Crew::Processes(processes) => processes.memory(),
                Crew::Fleet(fleet) => fleet.memory(),
            };
            env.tally.processes_memory.store(memory, Ordering::Relaxed);
            done
        })
    }
}

impl Executor for Pool<'_, '_> {
    fn slots(&self) -> usize {
        match &self.crew {
            Crew::Processes(processes) => processes.slots(),
            Crew::Fleet(fleet) => fleet.slots(),
        }
    }

    fn begin(&self, env: &TaskContext<'_>) -> Result<()> {
        env.store.paths.flush()
    }

    fn run(
        &self,
        env: &TaskContext<'_>,
        steps: &Steps<'_>,
        committed: &dyn Fn(Manifest),
    ) -> Result<()> {
        let held = RefCell::new(steps.held.clone());
        let unseen = Cell::new(None);
        let note = |news: News| {
            let News::Committed(manifest) = news else {
                return;
            };
            if let Err(error) = elsewhere::adopt_all(env, &manifest) {
                return unseen.set(Some(error));
            }
            held.borrow_mut().insert(Arc::new((*manifest).clone()));
            committed(*manifest);
        };
        let about = About {
            partition: Some(steps.partition.id as usize),
            stage: steps.stage,
            like: steps.segment.index,
            bytes: steps.partition.slices.iter().map(|s| s.end - s.start).sum(),
        };
        let done = self.run_somewhere(env, about, &|| task(steps, &held.borrow()), &note);
        self.judged(done.and_then(|()| unseen.take().map_or(Ok(()), Err)))
    }

    /// On a cluster workers do the pieces. Processes of this machine would do no better than threads.
    fn share(
        &self,
        env: &TaskContext<'_>,
        stage: usize,
        pieces: Vec<BarrierTask>,
    ) -> Result<Vec<MadeFile>> {
        let Crew::Fleet(fleet) = &self.crew else {
            return Threads(self.slots()).share(env, stage, pieces);
        };
        queue::map(fleet.slots(), &pieces, |piece| {
            let about = About {
                partition: None,
                stage,
                like: env.plan.segments.len() + 2 * piece.op + usize::from(piece.is_find()),
                bytes: piece.bytes(),
            };
            let make = || Task {
                id: piece.id(),
                work: Work::Barrier(piece.clone()),
            };
            let made = Cell::new(None);
            let note = |news: News| {
                if let News::Made(file) = news {
                    made.set(Some(file));
                }
            };
            self.judged(self.run_somewhere(env, about, &make, &note))?;
            made.take()
                .with_context(|| format!("internal error: {} has made nothing", piece.id()))
        })
    }

    fn is_elsewhere(&self) -> bool {
        matches!(self.crew, Crew::Fleet(_))
    }
}

impl Pool<'_, '_> {
    /// What came of a task, or why the job has failed meanwhile.
    fn judged(&self, done: Result<()>) -> Result<()> {
        match (done, self.hearing.shared.verdict.get()) {
            (Err(_), Some(verdict)) => Err(Final(verdict.clone()).into()),
            (done, _) => done,
        }
    }

    /// Does the task that `make` makes in a process, and in others after it if it is lost. `note` is
    /// told what it makes.
    fn run_somewhere(
        &self,
        env: &TaskContext<'_>,
        about: About,
        make: &dyn Fn() -> Task,
        note: &dyn Fn(News),
    ) -> Result<()> {
        let losses = Cell::new(0);
        let note = |news: News| {
            // What gets on ends no process by itself.
            losses.set(0);
            note(news);
        };
        loop {
            if self.hearing.is_over() {
                return Err(Stopped.into());
            }
            let task = make();
            let id = task.id.clone();
            let why = match self.try_once(env, about, task, &note)? {
                Tried::Ended(done) => return done,
                Tried::Lost(why) => why,
            };
            if self.hearing.is_over() {
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
                partition_id: about.partition,
                stage: about.stage,
                retry_count: losses.get(),
                error_message,
            });
        }
    }

    /// Gives a task to a process.
    fn try_once(
        &self,
        env: &TaskContext<'_>,
        about: About,
        task: Task,
        note: &dyn Fn(News),
    ) -> Result<Tried> {
        match &self.crew {
            Crew::Processes(processes) => {
                let place = processes.take()?;
                let tried = processes.worker(place).and_then(|worker| match worker {
                    Ok(worker) => give(&worker, task, note),
                    Err(why) => Ok(Tried::Lost(why)),
                });
                processes.leave(place);
                tried
            }
            Crew::Fleet(fleet) => {
                let id = task.id.clone();
                let size = (about.like, about.bytes);
                fleet.run(task, size, note, &|slow, other| {
                    let (slow, other) = (slow.name(), other.name());
                    tracing::warn!("task {id} is slow on {slow}, and is given to {other}, too");
                    env.log.emit(Event::TaskCopied {
                        partition_id: about.partition,
                        stage: about.stage,
                        slow,
                        other,
                    });
                })
            }
        }
    }
}

/// Gives a task to a process of this machine, and waits for what becomes of it.
fn give(worker: &Worker, task: Task, note: &dyn Fn(News)) -> Result<Tried> {
    let (to, answers) = channel();
    worker.expect(&task.id, to);
    worker.say(&ToWorker::Task(task))?;
    for answer in answers {
        match answer {
            Answer::Committed(manifest) => note(News::Committed(manifest)),
            Answer::Made(file) => note(News::Made(file)),
            Answer::Done => return Ok(Tried::Ended(Ok(()))),
            Answer::Failed(failure) => return Ok(Tried::Ended(Err(failure.into_error()))),
        }
    }
    Ok(Tried::Lost(worker.lost().unwrap_or_default()))
}

/// The task that does `steps`, of which `held` is done.
fn task(steps: &Steps<'_>, held: &Held) -> Task {
    Task {
        id: steps.id(),
        work: Work::Steps(StepsTask {
            segment: steps.segment.index,
            partition: steps.partition.id as usize,
            stored: steps.stored.to_vec(),
            stage: steps.stage,
            manifests: held.manifests().cloned().collect(),
        }),
    }
}
