//! Rows that a program has in memory become a file in the run directory of its job: from then on
//! they are a dataset like any other, with partitions, checkpoints and attempts in other processes.

mod columns;
mod compact;
mod lines;
mod place;

pub use columns::write_columns;
pub use lines::GivenLines;
