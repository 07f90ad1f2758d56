//! Filters over the length, the characters, the words and the repetitions of texts, with Data-Juicer's names, parameters and results.

mod text_length;

pub use text_length::TextLengthFilter;

djhost_sdk::export!(TextLengthFilter);
