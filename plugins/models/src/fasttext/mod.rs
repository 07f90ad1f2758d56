//! Supervised fastText models: reads `.bin` and `.ftz` files and predicts the best label as
//! fastText does.

mod dictionary;
mod matrix;
mod model;
mod output;
mod reader;
#[cfg(test)]
mod tests;

pub use model::{Model, Scratch};
