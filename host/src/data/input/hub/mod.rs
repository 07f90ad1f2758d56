//! Datasets as the Hugging Face hub lays them out, and as its library `datasets` reads them: the
//! configurations and splits that the card (`README.md`) declares, or those that the names of files
//! and directories tell. In a directory and below an address alike.

mod card;
mod choose;
mod patterns;
mod saved;
mod tree;

pub(crate) use card::front_matter;
pub(super) use choose::{Choice, check_single, choose, chosen_splits, could_be_rows};
pub(super) use saved::{is_cache, saved};
pub(super) use tree::Tree;
