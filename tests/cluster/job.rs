//! A job at work, which something is done to.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use crate::crash::bench::{Bench, Events, text};

/// The variable with the faults of the first, second, … worker that is started.
pub(crate) const FAULTS: &str = djhost::testing::fault::OF_WORKERS;

/// So many workers may be started for a job that is held.
const WORKERS: usize = 20;

/// Keeps workers from ending their tasks until they may: so a test is certain of who has one.
pub(crate) struct Hold {
    dir: PathBuf,
    names: &'static str,
}

impl Hold {
    /// Workers wait before they give files such `names`, which their tasks do not end without.
    pub(crate) fn of(bench: &Bench, names: &'static str) -> Self {
        Self::in_dir(bench.path("released"), names)
    }

    /// The same, with the directory that says who may go on.
    pub(crate) fn in_dir(dir: PathBuf, names: &'static str) -> Self {
        fs::create_dir_all(&dir).unwrap();
        Self { dir, names }
    }

    /// What [`FAULTS`] is set to.
    pub(crate) fn faults(&self) -> String {
        let of = |worker| {
            let until = self.dir.join(format!("{worker}"));
            format!("hold@disk:rename:{}:{}", self.names, until.display())
        };
        (1..=WORKERS).map(of).collect::<Vec<_>>().join(";")
    }

    /// The worker of this number goes on.
    pub(crate) fn release(&self, worker: u64) {
        File::create(self.dir.join(worker.to_string())).unwrap();
    }

    /// All go on, but for one.
    pub(crate) fn release_others(&self, kept: u64) {
        (1..=WORKERS as u64)
            .filter(|worker| *worker != kept)
            .for_each(|worker| self.release(worker));
    }

    pub(crate) fn release_all(&self) {
        self.release_others(0);
    }
}

/// A worker, as events tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Doer {
    pub(crate) node: String,
    pub(crate) worker: u64,
    pub(crate) pid: u64,
}

impl Doer {
    /// All that have begun a task.
    pub(crate) fn all(events: &Events) -> BTreeSet<Self> {
        let events = events.0.iter().filter(|e| !e["worker"].is_null());
        events.map(Self::of).collect()
    }

    /// Whose event it is.
    pub(crate) fn of(event: &Value) -> Self {
        Self {
            node: event["node"].as_str().unwrap().to_owned(),
            worker: event["worker"].as_u64().unwrap(),
            pid: event["process_id"].as_u64().unwrap(),
        }
    }
}

/// A job at work. It is killed if its test fails.
pub(crate) struct Job<'a> {
    bench: &'a Bench,
    child: Child,
    /// The process that ran the job before.
    before: Option<Value>,
    /// What workers did that has been waited for.
    seen: usize,
}

impl<'a> Job<'a> {
    /// Starts the job of `bench`.
    pub(crate) fn start(bench: &'a Bench, args: &[&str]) -> Self {
        Self::start_with(bench, args, &[])
    }

    /// The same with faults: variables and what they are set to.
    pub(crate) fn start_with(bench: &'a Bench, args: &[&str], faults: &[(&str, &str)]) -> Self {
        let errors = File::create(bench.path("errors.txt")).unwrap();
        let mut command = bench.command(args);
        command.envs(faults.iter().copied()).stderr(errors);
        Self {
            bench,
            before: process(&bench.events()),
            child: command.spawn().unwrap(),
            seen: 0,
        }
    }

    /// The process that the test has started.
    pub(crate) fn pid(&self) -> u64 {
        self.child.id().into()
    }

    /// Waits until workers have done so many things more, and returns the process that did the last
    /// one; None: the job has ended.
    pub(crate) fn work(&mut self, things: usize) -> Option<u64> {
        loop {
            let has_ended = self.child.try_wait().unwrap().is_some();
            let events = self.bench.events();
            let mut of_workers = events.0.iter().filter(|e| !e["worker"].is_null());
            if has_ended {
                return None;
            }
            if let Some(event) = of_workers.nth(self.seen + things - 1)
                && process(&events) != self.before
            {
                self.seen += things;
                return event["process_id"].as_u64();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until its events have something; returns what.
    pub(crate) fn sees<T>(&mut self, wanted: impl Fn(&Events) -> Option<T>) -> T {
        loop {
            let has_ended = self.child.try_wait().unwrap().is_some();
            let events = self.bench.events();
            if process(&events) != self.before
                && let Some(found) = wanted(&events)
            {
                return found;
            }
            let said = fs::read(self.bench.path("errors.txt")).unwrap();
            assert!(!has_ended, "it has ended before: {}", text(&said));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until so many workers have had a task.
    pub(crate) fn has_workers(&mut self, number: usize) -> BTreeSet<Doer> {
        self.sees(|events| {
            let all = Doer::all(events);
            (all.len() >= number).then_some(all)
        })
    }

    /// Waits until it says something; returns the line.
    pub(crate) fn says(&mut self, what: &str) -> String {
        loop {
            let has_ended = self.child.try_wait().unwrap().is_some();
            let said = fs::read_to_string(self.bench.path("errors.txt")).unwrap();
            if let Some(line) = said.lines().find(|line| line.contains(what)) {
                return line.to_owned();
            }
            assert!(!has_ended, "it has ended without `{what}`: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills the process that the test has started; false: it has ended.
    pub(crate) fn kill(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none() && self.child.kill().is_ok()
    }

    /// Waits until it ends; returns its exit code, None if it was killed, and what it has said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let said = fs::read(self.bench.path("errors.txt")).unwrap();
        (code, text(&said))
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process of an attempt.
fn process(events: &Events) -> Option<Value> {
    let starts = events.of("job_start");
    starts.first().map(|event| event["process_id"].clone())
}
