//! djhost runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
//!
//! The modules in the order in which they build on each other, lowest first; `host/ARCHITECTURE.md` has the map.

pub mod error;
pub mod sanitize;
pub mod term;
pub mod rundir;
pub mod jobs;
pub mod config;
pub mod data;
pub mod wasm;
pub mod plan;
pub mod global;
pub mod checkpoint;
pub mod partition;
pub mod exec;
pub mod run;
pub mod cli;
pub mod testing;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
