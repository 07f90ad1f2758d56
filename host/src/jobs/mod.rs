//! Jobs from the outside: find, list, watch and stop them.
//!
//! `djhost monitor`, `stop`, `jobs` and `logs` use this module, and a Rust program can do the same
//! with it. Everything works on the run directory alone, so the job may run in any process or none.

mod api;
pub mod clean;
#[cfg(test)]
pub(crate) mod event_tests;
pub mod find;
pub mod progress;
pub(crate) mod reasons;
pub mod show;
pub mod snapshot;
mod stop;
#[cfg(test)]
mod tests;
mod trace;

pub use crate::rundir::trace::{Bounds, Entry, Fate, Missing, TraceDocument, TracedFile, TracedOp};
pub use crate::rundir::{
    DatasetMapping, Holder, JobSummary, Ledger, ProcessId, RunPaths, Status, StopFlag, events,
};
pub use api::{
    Job, JobEntry, JobPage, JobUtils, list_jobs, list_running_jobs, list_some_jobs,
    show_job_progress,
};
pub use find::{JobFinder, register};
pub use progress::*;
pub use show::progress_text;
pub use snapshot::{Facts, snapshot};
pub use stop::{StopOutcome, StopReport, stop_job, stop_job_in};
pub use trace::{Near, Trace, WhatIf};
pub(crate) use trace::{number, shown};
