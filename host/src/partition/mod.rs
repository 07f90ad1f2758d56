//! Partitions: which rows belong together as one piece of work.

pub mod auto;
mod csv_header;
mod csv_lines;
mod csv_rows;
mod csv_sieve;
mod json_rows;
mod located;
mod materialise;
mod split;
mod survey;

pub use crate::dataset::{Partition, Slice};
pub use csv_header::check_headers;
pub use materialise::materialise;
pub use split::{SplitBy, split, split_like};
pub use survey::{Survey, survey};
