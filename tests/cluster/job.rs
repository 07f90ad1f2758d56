//! A job at work, which something is done to.

use std::fs::{self, File};
use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use crate::crash::bench::{Bench, Events, text};

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
        let errors = File::create(bench.path("errors.txt")).unwrap();
        Self {
            bench,
            before: process(&bench.events()),
            child: bench.command(args).stderr(errors).spawn().unwrap(),
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
