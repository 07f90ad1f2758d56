//! Decides which rows form one unit of work: a survey of the rows, automatic sizes, cutting, and
//! the table of partitions that a job keeps.

pub(crate) mod auto;
pub(crate) mod identity;
mod pages;
mod sample;
mod split;
pub(crate) mod survey;
pub(crate) mod table;

pub(crate) use split::{SplitBy, split};
pub use table::Chosen;
