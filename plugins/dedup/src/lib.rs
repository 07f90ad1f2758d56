//! Deduplicators of documents, with Data-Juicer's names, parameters and results.

mod bands;
mod bloom_paragraph;
mod digest;
mod document;
mod document_line;
mod document_minhash;
mod document_simhash;
mod lanes;
mod letters;
mod minhash;
mod permutations;
mod ray;
mod ray_bts_minhash;
mod ray_document;
mod seen_key;
mod sentence;
mod shingles;
mod simplify;
mod sketch;
mod twister;
mod wide;

pub use bloom_paragraph::{BloomParagraphDeduplicator, Unit};
pub use document::DocumentDeduplicator;
pub use document_line::DocumentLineDeduplicator;
pub use document_minhash::DocumentMinhashDeduplicator;
pub use document_simhash::DocumentSimhashDeduplicator;
pub use minhash::{HashFunction, MinhashParams};
pub use ray::NumberOrAuto;
pub use ray_bts_minhash::RayBtsMinhashDeduplicator;
pub use ray_document::RayDocumentDeduplicator;
pub use sentence::SentenceDeduplicator;
pub use shingles::Tokenization;

djhost_sdk::export!(
    DocumentDeduplicator,
    RayDocumentDeduplicator,
    DocumentMinhashDeduplicator,
    RayBtsMinhashDeduplicator,
    DocumentSimhashDeduplicator,
    DocumentLineDeduplicator,
    BloomParagraphDeduplicator,
    SentenceDeduplicator,
);
