//! A job on disk: its run directory, who runs it, how it is found, watched and stopped.

pub mod lock;
pub mod mapping;
pub mod paths;
pub mod process;
pub mod storage;
pub mod summary;

pub use lock::{Holder, JobLock};
pub use mapping::DatasetMapping;
pub use paths::RunPaths;
pub use process::ProcessId;
pub use storage::Storage;
pub use summary::{JobSummary, Ledger, Status};
