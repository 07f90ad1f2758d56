//! Groupers, with Data-Juicer's names and parameters: many rows into one, and one into many.
//!
//! An operator here only says which rows belong together, or splits one row; the host makes the row
//! of a group.

mod key;
mod naive;
mod reverse;
mod split;

pub use key::KeyValueGrouper;
pub use naive::NaiveGrouper;
pub use reverse::NaiveReverseGrouper;

djhost_sdk::export!(NaiveGrouper, KeyValueGrouper, NaiveReverseGrouper);
