//! Mappers that clean texts, with Data-Juicer's names, parameters and results.

mod clean_email;
mod clean_links;
mod cleaner;
mod links;
mod replacement;
mod whitespace_normalization;

pub use clean_email::CleanEmailMapper;
pub use clean_links::CleanLinksMapper;
pub use whitespace_normalization::WhitespaceNormalizationMapper;

djhost_sdk::export!(WhitespaceNormalizationMapper, CleanEmailMapper, CleanLinksMapper);
