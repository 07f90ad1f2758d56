//! Supervised models of fastText: `.bin` and `.ftz` files, whose labels are predicted as fastText
//! does.

mod dictionary;
mod kept;
mod matrix;
mod model;
mod output;
mod reader;
#[cfg(test)]
mod tests;

pub use model::Model;
pub(crate) use model::is_one;
