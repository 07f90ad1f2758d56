//! Doubles for tests: a disk that fails at a chosen call, run directories of jobs that process nothing.

pub mod example_job;
pub mod faulty_disk;
