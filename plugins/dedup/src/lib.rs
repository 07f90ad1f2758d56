//! Deduplicators of documents, with Data-Juicer's names, parameters and results.

mod document;

pub use document::DocumentDeduplicator;

djhost_sdk::export!(DocumentDeduplicator);
