//! Partitions: which rows belong together as one piece of work.

mod csv_rows;
mod json_rows;
mod materialise;
pub mod auto;
mod split;

pub use crate::dataset::{Partition, Slice};
pub use materialise::materialise;
pub use split::{SplitBy, split};
