//! A job on disk: its run directory, who runs it, how it is found, watched and stopped.

pub mod faulty;
pub mod lock;
pub mod logs;
pub mod mapping;
pub mod paths;
pub mod process;
pub mod stop;
pub mod storage;
pub mod summary;

pub use lock::{Holder, JobLock};
pub use logs::Logs;
pub use mapping::DatasetMapping;
pub use paths::RunPaths;
pub use process::ProcessId;
pub use stop::{StopFlag, StopRequest};
pub use storage::Storage;
pub use summary::{JobSummary, Ledger, Status};
