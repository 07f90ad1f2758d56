//! Operators: sandboxed WebAssembly components and the pools of their instances. The only folder that knows wasmtime; it does not know
//! partitions, stages or files of a run.
//!
//! ```text
//! inspect ─► cache ─► registry ─► pool ─► instance ─► abi::v0_1 ─► reply
//! ```

mod abi;
mod cache;
pub mod contract;
mod cpu;
mod engine;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod grants;
mod inspect;
mod instance;
mod lock;
mod pool;
mod registry;
mod sandbox;
mod views;
mod words;

pub use contract::{Computed, Cost, Descriptor, Input, Kind, Limits, Output, Rejection, Reply, Signature, Update};
pub use cpu::thread_cpu;
pub use grants::{GrantedDir, Grants};
pub use instance::{CallError, OpInstance};
pub use lock::{check_locks, lock_plugins};
pub use pool::{OpPool, key_hashes};
pub use registry::{LoadedComponent, OpEntry, Registry, Source};
pub use views::{concat_views, overlay};
pub use words::printable;
