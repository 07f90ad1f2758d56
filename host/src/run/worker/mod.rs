//! A process that runs tasks of a job which another process runs: `djhost task --stdio`, started by
//! the pool in `exec/workers`, which has the protocol.

mod copy;
mod digest;
mod job;
mod lines;
mod once;

pub(super) use digest::PlanDigest;
pub use once::run_task;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::config::set_carried;
use crate::error::exit;
use crate::exec::workers::protocol::{
    Failure, FromWorker, Init, PROTOCOL, Ready, Task, ToWorker, Work,
};
use crate::exec::{Held, Steps, barrier_task, elsewhere, guarded, segment};
use crate::rundir::events::EventLog;
use crate::rundir::process::host_name;
use crate::rundir::{RunPaths, StopFlag};
use crate::threads;
use job::Job;
use lines::Lines;

/// How often it says what it has counted, while a task runs.
const PROGRESS: Duration = Duration::from_millis(500);

/// Runs tasks as `input` asks, and answers to `output`, until it is told to stop. The end of the
/// input ends the process: nobody is there any more who wants the answers.
///
/// Returns the exit code of the process.
pub fn serve(input: impl Read + Send + 'static, output: impl Write + Send + 'static) -> Result<u8> {
    let lines = Lines::new(output);
    let (asked, asks) = channel();
    let theirs = Arc::clone(&lines);
    std::thread::Builder::new()
        .name("djhost-asked".into())
        .spawn(move || listen(input, &asked, &theirs))
        .context("cannot start a thread")?;
    let init = match asks.recv() {
        Ok(ToWorker::Init(init)) => init,
        Ok(_) => bail!("the first line is not `init`"),
        // The end of the input ends the process elsewhere.
        Err(_) => return Ok(exit::DONE),
    };
    log_to(&lines)?;
    let (job, threads) = match begin(&init) {
        Ok(job) => (job, init.threads.max(1)),
        Err(error) => {
            let reason = format!("{error:#}");
            lines.say(&FromWorker::Refused { reason });
            return Ok(exit::USAGE);
        }
    };
    lines.say(&FromWorker::Ready(Ready {
        plan: job.digest.to_string(),
        process: std::process::id(),
        host: host_name(),
        arch: std::env::consts::ARCH.to_owned(),
    }));
    let theirs = Arc::clone(&lines);
    let log = EventLog::sent(init.attempt, move |event, thread| {
        theirs.say(&FromWorker::Event { event, thread });
    });
    let worked = work(&job, &log, threads, &asks, &lines);
    copy::remove();
    lines.send();
    worked?;
    Ok(exit::DONE)
}

/// Passes on what is asked. Ends the process with its input, whatever it is doing.
#[expect(
    clippy::exit,
    reason = "threads that work for nobody are not waited for"
)]
fn listen(input: impl Read, asked: &Sender<ToWorker>, lines: &Lines) {
    for line in BufReader::new(input).lines() {
        let ask = line
            .map_err(anyhow::Error::from)
            .and_then(|line| Ok(serde_json::from_str(&line)?));
        match ask {
            // Who asks after `stop` gets no answer.
            Ok(ask) => drop(asked.send(ask)),
            Err(error) => {
                let reason = format!("a line that is no message: {error}");
                lines.say(&FromWorker::Refused { reason });
                std::process::exit(exit::FAILED.into());
            }
        }
    }
    copy::remove();
    std::process::exit(exit::DONE.into());
}

/// Logs to the process that asks.
fn log_to(lines: &Arc<Lines>) -> Result<()> {
    let lines = Arc::clone(lines);
    super::Logs::sent(None, move |level, target, text| {
        lines.log(level, target, text);
    })
}

/// Plans the job that `init` names. Fails if it is not planned as there.
fn begin(init: &Init) -> Result<Job> {
    ensure!(
        init.protocol == PROTOCOL,
        "it speaks version {PROTOCOL} of the protocol, the job version {}",
        init.protocol
    );
    if let Some(home) = std::env::var_os("DJHOST_CARRIED").map(PathBuf::from) {
        let place = |(dir, here): &(PathBuf, String)| (dir.clone(), home.join(here));
        set_carried(init.carried.iter().map(place).collect());
    }
    let there = std::env::set_current_dir(&init.directory);
    // A job whose files are all in buckets needs none.
    let is_needed = init.address.is_none();
    there.or_else(|error| if is_needed { Err(error) } else { Ok(()) })
        .with_context(|| {
            format!(
                "machine `{}` does not see the working directory `{}`, where the paths of the recipe begin",
                host_name(),
                init.directory.display()
            )
        })?;
    ensure!(
        init.address.is_some() || init.run.exists(),
        "machine `{}` does not see the run directory `{}`: `work_dir` has to be on storage that all machines mount at the same path",
        host_name(),
        init.run.display()
    );
    let paths = match &init.address {
        Some(address) => copy::of(address)?,
        None if init.temporary => RunPaths::new(&init.run).temporary(),
        None => RunPaths::new(&init.run),
    };
    let job = Job::load(paths, init.attempt, init.worker)?;
    if let Some(difference) = init
        .plan
        .as_deref()
        .and_then(|plan| job.digest.difference(plan))
    {
        bail!("{difference}{}", job.first_other(&init.ops));
    }
    Ok(job)
}

/// Runs tasks until `stop`.
fn work(
    job: &Job,
    log: &EventLog,
    threads: usize,
    asks: &Receiver<ToWorker>,
    lines: &Lines,
) -> Result<()> {
    let running: Mutex<HashMap<String, StopFlag>> = Mutex::default();
    let pool = threads::pool(threads, "djhost-worker")?;
    pool.in_place_scope(|scope| {
        loop {
            let lock = || running.lock().expect("no panic while held");
            match asks.recv_timeout(PROGRESS) {
                Ok(ToWorker::Task(task)) => {
                    let stop = StopFlag::new();
                    lock().insert(task.id.clone(), stop.clone());
                    let running = &running;
                    scope.spawn(move |_| {
                        let done = guarded(|| run(job, log, &stop, &task, lines));
                        running
                            .lock()
                            .expect("no panic while held")
                            .remove(&task.id);
                        lines.say(&progress(job));
                        lines.say(&match done {
                            Ok(()) => FromWorker::Done { id: task.id },
                            Err(error) => FromWorker::Failed {
                                id: task.id,
                                failure: Failure::of(&error),
                            },
                        });
                    });
                }
                Ok(ToWorker::Cancel(id)) => {
                    if let Some(stop) = lock().get(&id) {
                        stop.request("cancelled");
                    }
                }
                Ok(ToWorker::Init(_)) => tracing::warn!("`init` is only the first line"),
                Err(RecvTimeoutError::Timeout) => {
                    if !lock().is_empty() {
                        lines.say(&progress(job));
                    }
                    lines.send();
                }
                Ok(ToWorker::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    lock().values().for_each(|stop| stop.request("stopped"));
                    return;
                }
            }
        }
    });
    Ok(())
}

/// What was counted since the last call.
fn progress(job: &Job) -> FromWorker {
    let mut share = job.tally.take();
    share.peak_memory = super::state::usage().peak_memory;
    FromWorker::Progress(share)
}

/// Runs one task.
fn run(job: &Job, log: &EventLog, stop: &StopFlag, task: &Task, lines: &Lines) -> Result<()> {
    let (id, task) = match &task.work {
        Work::Steps(steps) => (&task.id, steps),
        Work::Barrier(barrier) => {
            let context = job.context(log, stop);
            elsewhere::adopt(&context, barrier.manifests())?;
            let file = barrier_task::run(&context, barrier)?;
            barrier_task::share(&context, &file)?;
            elsewhere::leave(&context, barrier.manifests())?;
            let id = task.id.clone();
            lines.say(&FromWorker::Made { id, file });
            return Ok(());
        }
    };
    let segment = job
        .plan()
        .segments
        .get(task.segment)
        .with_context(|| format!("there is no segment {}", task.segment))?;
    let partition = job
        .chosen
        .partitions
        .get(task.partition)
        .with_context(|| format!("there is no partition {}", task.partition))?;
    let mut held = Held::default();
    for manifest in &task.manifests {
        held.insert(Arc::new(manifest.clone()));
    }
    let steps = Steps {
        partition,
        segment,
        stored: &task.stored,
        stage: task.stage,
        held,
    };
    let context = job.context(log, stop);
    elsewhere::adopt(&context, &task.manifests)?;
    let (made, unshared) = (RefCell::new(task.manifests.clone()), Cell::new(None));
    let done = segment::run(&context, &steps, &|manifest| {
        if let Err(error) = elsewhere::share(&context) {
            return unshared.set(Some(error));
        }
        made.borrow_mut().push(manifest.clone());
        lines.say(&FromWorker::Committed {
            id: id.clone(),
            manifest: Box::new(manifest),
        });
    });
    let left = elsewhere::leave(&context, &*made.borrow());
    done.and(unshared.take().map_or(Ok(()), Err)).and(left)
}
