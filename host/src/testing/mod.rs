//! For this repository's tests and benches: doubles (a disk that fails at a chosen call, run
//! directories of jobs that process nothing), and internals that are tested or measured by
//! themselves. Not part of the public interface.

pub mod example_job;
pub mod faulty_disk;
mod in_pieces;
pub mod web;

pub use crate::data::{Batch, Column};
pub use crate::global::{
    Crew, Duplicates, KeyTable, KeysWriter, Mask, count_keys, first_of_groups, first_of_keys,
    first_of_near,
};
pub use crate::partition::auto::Modality;
pub use crate::rundir::stop_request::FORCED;
pub use crate::rundir::{RunPaths, Status, StopFlag, fault, lock, process};
pub use crate::wasm::{Grants, Limits, Output, Registry, Replace, key_hashes, thread_cpu};
pub use example_job::{PretendedJob, finished_job};
pub use in_pieces::first_in_pieces;
