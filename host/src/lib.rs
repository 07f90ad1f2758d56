//! djhost runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
//!
//! The modules in the order in which they build on each other, lowest first; `host/ARCHITECTURE.md` has the map.

#![deny(missing_docs)]
// Inner parts that the tests and benches look at are public with the feature `testing` only; with it, nothing unused is allowed.
#![cfg_attr(not(feature = "testing"), allow(unreachable_pub, dead_code, unused_imports))]

pub mod error;
mod sanitize;
mod term;
mod rundir;
pub mod jobs;
pub mod config;
mod data;
mod wasm;
mod plan;
mod global;
mod checkpoint;
mod partition;
mod exec;
pub mod run;
#[doc(hidden)]
pub mod cli;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
