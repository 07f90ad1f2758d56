//! Operators: sandboxed WebAssembly components and the pools of their instances. The only folder that knows wasmtime; it does not know
//! partitions, stages or files of a run.
//!
//! ```text
//! find ─► inspect ─► compile ─► cache ─► component ─► registry ─► pool ─► instance ─► abi::v0_1 ─► reply
//! ```

mod abi;
pub(crate) mod absent;
mod bounds;
mod cache;
mod compile;
mod compiling;
mod component;
pub mod contract;
mod cpu;
mod engine;
mod find;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod grants;
mod inspect;
mod instance;
mod lock;
mod packs;
mod pool;
mod registry;
mod sandbox;
mod size;

pub use compile::{COMMAND as COMPILE_COMMAND, compile_stdin, compile_with, this_program};
pub use compiling::{Compiling, compiling};
pub use component::{LoadedComponent, Source};
pub use contract::{Computed, Cost, Descriptor, Input, Kind, Limits, Output, Rejection, Reply, Signature, Update};
pub use cpu::thread_cpu;
pub use grants::{GrantedDir, Grants};
pub use instance::{CallError, OpInstance};
pub use lock::{check_locks, lock_plugins};
pub use pool::{OpPool, key_hashes};
pub use registry::{OpEntry, Registry, Replace};
pub use size::row_sizes;
