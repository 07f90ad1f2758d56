//! The main text of HTML pages.

mod body;
mod clean;
mod dom;
mod extract;
mod html_extract;
mod metadata;
mod output;
mod parse;
mod plain;
mod rescue;
mod select;

pub use html_extract::{Favor, HtmlExtractMapper, Method, OutputFormat};

djhost_sdk::export!(HtmlExtractMapper);
