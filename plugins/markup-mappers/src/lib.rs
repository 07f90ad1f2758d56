//! Mappers that read HTML, with Data-Juicer's names, parameters and results.

mod clean_html;
mod html5;

pub use clean_html::CleanHtmlMapper;

djhost_sdk::export!(CleanHtmlMapper);
