//! A job on disk: its run directory, who runs it, how it is found, watched and stopped.

mod api;
#[doc(hidden)]
pub mod example;
mod export_lock;
#[doc(hidden)]
pub mod fault;
pub mod faulty;
pub mod find;
pub mod lock;
pub mod logs;
pub mod mapping;
mod own;
pub mod paths;
pub mod process;
pub mod reasons;
pub mod show;
pub mod stop;
mod stopper;
pub mod storage;
pub mod summary;
#[cfg(test)]
mod tests;

pub use api::{JobEntry, JobPage, JobUtils, list_jobs, list_running_jobs, list_some_jobs, show_job_progress};
pub use export_lock::ExportLock;
pub use find::{JobFinder, register};
pub use lock::{FreeLock, Holder, JobLock};
pub use logs::Logs;
pub use mapping::DatasetMapping;
pub use own::new_file;
pub use paths::RunPaths;
pub use process::ProcessId;
pub use stop::{StopFlag, StopRequest};
pub use stopper::{StopOutcome, StopReport, stop_job, stop_job_in};
pub use storage::{Storage, TempFile};
pub use summary::{JobSummary, Ledger, Status};
