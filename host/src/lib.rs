//! djhost runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.

pub mod cli;
pub mod dataset;
pub mod error;
pub mod event;
pub mod job;
