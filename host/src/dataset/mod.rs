//! Datasets in and out.

pub mod batch;

pub use batch::{Batch, Column, STATS, Stat};
