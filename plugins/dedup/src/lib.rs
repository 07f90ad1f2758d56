//! Deduplicators of documents, with Data-Juicer's names, parameters and results.

mod digits;
mod document;

pub use document::DocumentDeduplicator;

djhost_sdk::export!(DocumentDeduplicator);
