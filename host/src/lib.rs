//! djhost runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
//!
//! The modules in the order in which data flows through them; `host/ARCHITECTURE.md` has the map.

pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod dataset;
pub mod error;
pub mod event;
pub mod global;
pub mod job;
pub mod op;
pub mod partition;
pub mod plan;
pub mod run;
pub mod schedule;
pub mod stage;
