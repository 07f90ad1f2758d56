//! djhost runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
//!
//! The modules in the order in which data flows through them; `host/ARCHITECTURE.md` has the map.

pub mod config;
pub mod plan;
pub mod dataset;
pub mod partition;
pub mod op;
pub mod stage;
pub mod global;
pub mod checkpoint;
pub mod schedule;
pub mod run;
pub mod event;
pub mod job;
pub mod cli;
pub mod error;
