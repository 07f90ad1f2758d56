//! djhost runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.

pub mod dataset;
pub mod error;
pub mod partition;
