//! Operators that use a model or a tokenizer which the host lends, with Data-Juicer's names, parameters and results.

mod alphabetic_table;
mod alphanumeric;
mod detector;
mod embedder;
mod embedding;
mod fasttext_classifier;
mod language_id_score;
#[cfg(test)]
#[path = "../../../tests/parity/lent.rs"]
mod lent;
mod lines;
#[path = "../../text-mappers/src/matches.rs"]
mod matches;
mod ngrams;
mod onnx_classifier;
mod perplexity;
mod pooling;
mod script;
mod text_chunk;
mod text_embd_similarity;
mod text_network;
mod token_num;
mod tokens;

pub use alphanumeric::AlphanumericFilter;
pub use embedding::EmbeddingMapper;
pub use fasttext_classifier::FasttextClassifierFilter;
pub use language_id_score::LanguageIdScoreFilter;
pub use onnx_classifier::OnnxClassifierFilter;
pub use perplexity::PerplexityFilter;
pub use text_chunk::TextChunkMapper;
pub use text_embd_similarity::TextEmbdSimilarityFilter;
pub use token_num::TokenNumFilter;

djhost_sdk::export!(
    LanguageIdScoreFilter,
    TokenNumFilter,
    AlphanumericFilter,
    TextChunkMapper,
    PerplexityFilter,
    FasttextClassifierFilter,
    EmbeddingMapper,
    TextEmbdSimilarityFilter,
    OnnxClassifierFilter
);
