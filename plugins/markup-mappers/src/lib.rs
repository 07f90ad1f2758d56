//! Mappers that read HTML, with Data-Juicer's names, parameters and results.

mod clean_html;
mod extract_tables_from_html;
mod html5;
mod markup;
mod soup;
mod tables;

pub use clean_html::CleanHtmlMapper;
pub use extract_tables_from_html::ExtractTablesFromHtmlMapper;

djhost_sdk::export!(CleanHtmlMapper, ExtractTablesFromHtmlMapper);
