//! Operators: sandboxed WebAssembly components and pools of their instances. The only folder that
//! knows wasmtime; it does not know partitions, stages or files of a run.
//!
//! ```text
//! find ─► inspect ─► compile ─► cache ─► component ─► registry ─► pool ─► instance ─► abi ─► reply
//! ```

mod abi;
pub(crate) mod absent;
mod bounds;
mod cache;
mod clusters;
mod compile;
mod compiling;
mod component;
pub(crate) mod contract;
mod cpu;
mod drop_reasons;
mod engine;
mod find;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod grants;
mod inspect;
mod instance;
mod lock;
pub(crate) mod packs;
mod pool;
mod registry;
mod sandbox;
mod seen;
pub(crate) mod services;
mod size;

pub(crate) use cache::compiled_components;
pub(crate) use clusters::{Clusters, Keep};
pub use compile::compile_with;
pub(crate) use compile::{compile_stdin, program, this_program};
pub(crate) use compiling::{Compiling, compiling};
pub(crate) use component::Source;
pub(crate) use contract::{
    Computed, Cost, Descriptor, Input, Kind, Rejection, Reply, Signature, Update,
};
pub use contract::{Limits, Output};
pub use cpu::thread_cpu;
pub(crate) use find::{check_dirs, fetch_remote};
pub(crate) use grants::GrantedModel;
pub use grants::Grants;
pub(crate) use instance::{CallError, OpInstance};
pub(crate) use lock::{check_locks, lock_plugins};
pub(crate) use pool::OpPool;
pub use pool::key_hashes;
pub(crate) use registry::OpEntry;
pub use registry::{Registry, Replace};
pub(crate) use seen::Seen;
pub(crate) use size::row_sizes;
