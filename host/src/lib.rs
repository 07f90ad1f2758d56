//! djhost runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
//!
//! The modules in the order in which data flows through them; `host/ARCHITECTURE.md` has the map.

pub mod cli;
pub mod config;
pub mod plan;
pub mod run;
pub mod dataset;
pub mod partition;
pub mod schedule;
pub mod stage;
pub mod op;
pub mod global;
pub mod checkpoint;
pub mod event;
pub mod job;
pub mod term;
pub mod error;
pub(crate) mod varint;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
