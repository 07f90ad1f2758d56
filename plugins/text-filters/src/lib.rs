//! Filters over the length, the characters, the words and the repetitions of texts, and over other
//! fields, with Data-Juicer's names, parameters and results.

mod average_line_length;
mod character_repetition;
mod evaluate;
mod expression;
mod field;
mod flagged_words;
mod general_field;
mod maximum_line_length;
mod seen_ngrams;
mod special;
mod special_characters;
mod special_table;
mod specified_field;
mod specified_numeric_field;
mod stopwords;
mod suffix;
mod text_length;
mod tokenizer;
mod word_list;
mod word_repetition;
mod words;
mod words_num;

pub use average_line_length::AverageLineLengthFilter;
pub use character_repetition::CharacterRepetitionFilter;
pub use flagged_words::FlaggedWordsFilter;
pub use general_field::GeneralFieldFilter;
pub use maximum_line_length::MaximumLineLengthFilter;
pub use special_characters::SpecialCharactersFilter;
pub use specified_field::SpecifiedFieldFilter;
pub use specified_numeric_field::SpecifiedNumericFieldFilter;
pub use stopwords::StopwordsFilter;
pub use suffix::SuffixFilter;
pub use text_length::TextLengthFilter;
pub use word_repetition::WordRepetitionFilter;
pub use words_num::WordsNumFilter;

djhost_sdk::export!(
    TextLengthFilter,
    WordsNumFilter,
    SpecialCharactersFilter,
    AverageLineLengthFilter,
    MaximumLineLengthFilter,
    CharacterRepetitionFilter,
    WordRepetitionFilter,
    StopwordsFilter,
    FlaggedWordsFilter,
    SpecifiedFieldFilter,
    SpecifiedNumericFieldFilter,
    SuffixFilter,
    GeneralFieldFilter,
);

/// Bytes at the beginning of a text that are looked at first, where these may decide.
const BEGINNING: usize = 1024;

/// `part / whole`; 0 for nothing of nothing, as in Data-Juicer.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn require_positive(name: &str, value: usize) -> Result<(), String> {
    match value {
        0 => Err(format!("`{name}` is 0: it must be at least 1")),
        _ => Ok(()),
    }
}
