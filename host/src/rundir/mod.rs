//! The run directory: every name in it, every format in it, and how its files are written so that
//! after a kill each is whole or absent. Nothing here starts, runs or watches a job.

pub(crate) mod checksum;
pub(crate) mod checksummed_json;
pub mod events;
pub(crate) mod export_lock;
#[doc(hidden)]
pub mod fault;
pub mod lock;
pub(crate) mod mapping;
pub(crate) mod mirror;
pub(crate) mod own_files;
pub(crate) mod paths;
pub mod process;
pub(crate) mod quarantine_entry;
pub(crate) mod shard_name;
pub(crate) mod stop_request;
pub(crate) mod storage;
pub(crate) mod summary;
pub(crate) mod task_lock;
pub(crate) mod trace;
pub(crate) mod varint;

pub(crate) use export_lock::{ExportLock, Owner as ExportOwner};
pub use lock::Holder;
pub(crate) use lock::{FreeLock, JobLock};
pub use mapping::DatasetMapping;
pub use paths::RunPaths;
pub use process::ProcessId;
pub use stop_request::StopFlag;
pub(crate) use stop_request::StopRequest;
pub(crate) use storage::{AtomicFile, Storage};
pub use summary::{JobSummary, Ledger, Status};
pub(crate) use task_lock::TaskLock;
