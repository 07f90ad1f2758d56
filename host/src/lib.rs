//! djhost runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
//!
//! A program plans, runs and watches a job through [`run`] and [`jobs`]; [`jobs::stop_job`] stops
//! one that another process runs.
//!
//! ```
//! # fn main() -> anyhow::Result<()> {
//! # let dir = tempfile::tempdir()?;
//! # let path = |name: &str| dir.path().join(name).display().to_string();
//! # std::fs::write(path("in.jsonl"), "{\"text\": \"a text of some length\"}\n{\"text\": \"short\"}\n")?;
//! # let places = format!("dataset_path: {}\nexport_path: {}\nwork_dir: {}\n", path("in.jsonl"), path("out.jsonl"), path("work"));
//! # std::fs::write(path("recipe.yaml"), places + "process:\n  - text_length_filter: {min_len: 10}\n")?;
//! # let recipe = path("recipe.yaml");
//! use djhost::jobs::{Job, RunPaths, Status, StopFlag};
//! use djhost::run::{Logs, RunOptions, plan_text, planned_partitions, prepare, run};
//!
//! // Plan: all mistakes of the user surface here, and nothing is written.
//! let prepared = prepare(Some(recipe.as_ref()), &[])?;
//! assert!(plan_text(&prepared, &planned_partitions(&prepared)?, None).contains("text_length_filter"));
//! let job = Job::new(RunPaths::new(&prepared.resolved.dirs.run_dir));
//!
//! // Run. Another thread may end it with `stop.request(…)`; it can be continued then. `scratch`: `djhost jobs` does not list it.
//! let stop = StopFlag::new();
//! let options = RunOptions { quiet: true, scratch: true, ..RunOptions::default() };
//! let outcome = run(prepared, &options, &Logs::init(Some("warn"), true)?, &stop)?;
//! assert_eq!(outcome.code, djhost::error::exit::DONE);
//!
//! // Watch, from here or from any other process, also while it runs.
//! assert_eq!(job.overall_progress()?.rows.output, 1);
//! let summary = job.load_job_summary()?.expect("the job has begun");
//! assert_eq!((summary.status, summary.ledger.read, summary.ledger.dropped[&0]), (Status::Completed, 2, 1));
//! # Ok(())
//! # }
//! ```
//!
//! Several jobs may run at once in one process ([`run::Logs::of_job`]), over rows in memory, too
//! ([`run::Draft`]).
//!
//! The modules, each built only on those before it (`tests/house` checks it; `host/ARCHITECTURE.md`
//! has the map): `error`, `sanitize`, `term`, `threads`, `rundir`, `jobs`, `config`, `data`, `wasm`, `ops`,
//! `plan`, `global`, `checkpoint`, `partition`, `exec`, `run`, `report`,
//! `cli`.

#![deny(missing_docs)]
// Inner parts that the tests and benches look at are public with the feature `testing` only; with
// it, nothing unused is allowed.
#![cfg_attr(
    not(feature = "testing"),
    allow(unreachable_pub, dead_code, unused_imports)
)]

mod checkpoint;
#[doc(hidden)]
pub mod cli;
pub mod config;
mod data;
pub mod error;
mod exec;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod global;
pub mod jobs;
mod models;
pub mod ops;
mod partition;
mod plan;
mod remote;
pub mod report;
pub mod run;
mod rundir;
mod sanitize;
mod term;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
mod threads;
mod wasm;
