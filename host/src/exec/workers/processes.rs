//! Processes of this machine that run tasks. They are started when they are needed first; one that
//! ends is replaced.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::Scope;

use anyhow::{Context, Result};

use super::pool::Hearing;
use super::protocol::{Init, ToWorker};
use super::worker::{Link, Worker, said};
use crate::remote::given;
use crate::rundir::fault;
use crate::threads::inherit;

/// What a process writes.
type Output = Box<dyn Read + Send>;

/// What processes are started with.
pub(crate) struct Division {
    /// The program and its first arguments; it takes those of djhost after them.
    pub(crate) program: Vec<OsString>,
    /// The number of processes, from 1.
    pub(crate) processes: usize,
    /// Tasks at a time, over all processes; at least one for each.
    pub(crate) threads: usize,
}

impl Division {
    /// Tasks at a time of each process.
    pub(super) fn shares(&self) -> Vec<usize> {
        let (each, more) = (self.threads / self.processes, self.threads % self.processes);
        (0..self.processes)
            .map(|place| (each + usize::from(place < more)).max(1))
            .collect()
    }
}

/// Running processes.
pub(super) struct Processes<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    program: &'env [OsString],
    init: &'env Init,
    hearing: Hearing<'env>,
    places: Vec<Place>,
    /// Places of processes that could have another task, each as often as it could.
    free: Mutex<Vec<usize>>,
    started: AtomicUsize,
}

/// Where a process is, or will be.
struct Place {
    threads: usize,
    worker: Mutex<Option<Arc<Worker>>>,
    /// The most memory that a process has had here.
    memory: AtomicU64,
}

impl<'scope, 'env> Processes<'scope, 'env> {
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        division: &'env Division,
        init: &'env Init,
        hearing: Hearing<'env>,
    ) -> Self {
        let shares = division.shares();
        Self {
            scope,
            program: &division.program,
            init,
            hearing,
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
                    memory: AtomicU64::new(0),
                })
                .collect(),
            started: AtomicUsize::new(0),
        }
    }

    /// Tasks at a time.
    pub(super) fn slots(&self) -> usize {
        self.places.iter().map(|place| place.threads).sum()
    }

    /// The sum of the most memory that there was at each place.
    pub(super) fn memory(&self) -> u64 {
        let of = |place: &Place| {
            let worker = place.worker.lock().expect("no panic while held");
            let now = worker
                .as_ref()
                .map_or(0, |w| w.memory.load(Ordering::Relaxed));
            now.max(place.memory.load(Ordering::Relaxed))
        };
        self.places.iter().map(of).sum()
    }

    /// A place for a task. It is to be [left](Self::leave).
    pub(super) fn take(&self) -> Result<usize> {
        let place = self.free.lock().expect("no panic while held").pop();
        place.context("internal error: more tasks than processes take")
    }

    pub(super) fn leave(&self, place: usize) {
        self.free.lock().expect("no panic while held").push(place);
    }

    /// The process at `place`, ready for tasks; or why the one that was started has gone.
    pub(super) fn worker(&self, place: usize) -> Result<Result<Arc<Worker>, String>> {
        let place = &self.places[place];
        // Held while it starts: others who want it wait for the same.
        let mut current = place.worker.lock().expect("no panic while held");
        if let Some(worker) = &*current {
            if worker.lost().is_none() {
                return Ok(Ok(Arc::clone(worker)));
            }
            let had = worker.memory.load(Ordering::Relaxed);
            place.memory.fetch_max(had, Ordering::Relaxed);
        }
        *current = None;
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let (process, output, errors) = Process::start(self.program, number)?;
        let process = Arc::new(process);
        let (to, ready) = channel();
        let link = Box::new(Arc::clone(&process));
        let worker = Arc::new(Worker::new(number, None, link, to));
        self.listen(&worker, process, (output, errors));
        worker.say(&ToWorker::Init(Init {
            threads: place.threads,
            ..self.init.clone()
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
    fn listen(&self, worker: &Arc<Worker>, process: Arc<Process>, (output, errors): Streams) {
        self.hearing.knows(worker);
        let (mine, hearing) = (Arc::clone(worker), self.hearing.clone());
        self.scope.spawn(inherit(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { break };
                if !mine.hear(&line, |message| hearing.take(&mine, message)) {
                    break;
                }
            }
            mine.gone(&process.wait());
        }));
        let mine = Arc::clone(worker);
        self.scope.spawn(inherit(move || {
            for line in BufReader::new(errors).split(b'\n') {
                let Ok(line) = line else { return };
                mine.hear_error(&String::from_utf8_lossy(&line));
            }
        }));
    }
}

/// The standard output and error of a process.
type Streams = (Output, Output);

/// A child, and the pipe to it.
struct Process {
    child: Mutex<Child>,
    input: Mutex<Option<ChildStdin>>,
}

impl Process {
    /// Starts `program`, with its first arguments, as number `number`.
    fn start(program: &[OsString], number: usize) -> Result<(Self, Output, Output)> {
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
        command.envs(given::used());
        if let Some(fault) = fault::of_worker(number) {
            command.env(fault::VARIABLE, fault);
        }
        let mut child = command.spawn().with_context(|| {
            format!(
                "a process for tasks cannot be started: `{}`",
                name.to_string_lossy()
            )
        })?;
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            anyhow::bail!("internal error: a process without streams");
        };
        let process = Self {
            input: Mutex::new(child.stdin.take()),
            child: Mutex::new(child),
        };
        Ok((process, Box::new(output), Box::new(errors)))
    }

    /// Waits until it has ended, as its output has, and says how.
    fn wait(&self) -> String {
        drop(self.input.lock().expect("no panic while held").take());
        match self.child.lock().expect("no panic while held").wait() {
            Ok(status) => said(status.signal(), status.code()),
            Err(error) => error.to_string(),
        }
    }
}

impl Link for Arc<Process> {
    fn say(&self, line: &str) {
        if let Some(input) = &mut *self.input.lock().expect("no panic while held") {
            // An error means that it has gone, as the end of its output tells.
            let _ = input.write_all(line.as_bytes());
        }
    }

    fn kill(&self) {
        // An error means that it has ended.
        let _ = self.child.lock().expect("no panic while held").kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_divided_among_processes() {
        let shares = |processes, threads| {
            Division {
                program: Vec::new(),
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
