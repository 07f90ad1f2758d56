//! Makes a simple tree of a page: without what is never text, with few names of elements.

mod convert;
mod links;
mod prune;
mod strip;

pub(crate) use convert::convert;
pub(crate) use links::{remove_linked, remove_linked_tables};
pub(crate) use prune::{remove_matching, remove_unless_most};
pub(crate) use strip::strip;
