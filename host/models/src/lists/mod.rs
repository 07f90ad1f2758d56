//! Lists with an entry on each line: domains, URLs, words.

mod entries;
mod list;

pub use list::List;
