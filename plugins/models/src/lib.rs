//! Filters that ask a model, with Data-Juicer's names, parameters and results.

mod detector;
#[doc(hidden)]
pub mod fasttext;
mod language_id_score;

pub use language_id_score::LanguageIdScoreFilter;

djhost_sdk::export!(LanguageIdScoreFilter);
