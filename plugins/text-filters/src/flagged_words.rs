//! `flagged_words_filter`

use crate::tokenizer::Tokenizer;
use crate::word_list::{Finder, Source};
use djhost_sdk::prelude::*;

/// Keeps texts whose share of flagged words among the words lies in a range.
///
/// Words are compared in lower case and without the special characters around them.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FlaggedWordsFilter {
    /// The language of the words; `all` joins those of all languages.
    pub lang: String,
    /// Take the pieces of a sentencepiece model for words.
    pub tokenization: bool,
    /// The model for `tokenization`: a sentencepiece model file. Empty: that of the language in a
    /// model directory, such as `en.sp.model`.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "file": "{lang}.sp.model", "when": "tokenization",
        "published": "https://huggingface.co/edugp/kenlm/resolve/main/wikipedia/{lang}.sp.model"
    }))]
    pub tokenizer_model: String,
    /// The least ratio of flagged words to words.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
    /// A directory of word lists: JSON files with `flagged_words` in their names, an object with an
    /// array of words for each language. Empty: the list that ships.
    #[schemars(extend("format" = "read-dir"))]
    pub flagged_words_dir: String,
    /// Count groups of words in a row too, for languages without spaces between words.
    pub use_words_aug: bool,
    /// Words of a group.
    pub words_aug_group_sizes: Vec<usize>,
    /// What stands between the words of a group.
    pub words_aug_join_char: String,
    #[serde(skip)]
    finder: Finder,
}

impl Default for FlaggedWordsFilter {
    fn default() -> Self {
        Self {
            lang: "en".into(),
            tokenization: false,
            tokenizer_model: String::new(),
            min_ratio: 0.0,
            max_ratio: 0.045,
            flagged_words_dir: String::new(),
            use_words_aug: false,
            words_aug_group_sizes: vec![2],
            words_aug_join_char: String::new(),
            finder: Finder::default(),
        }
    }
}

impl TextFilter for FlaggedWordsFilter {
    const NAME: &'static str = "flagged_words_filter";
    const STAT: Stat = Stat::float("flagged_words_ratio");

    fn prepare(&mut self) -> Result<(), String> {
        let tokenizer = Tokenizer::new(self.tokenization)?;
        let shipped = include_str!("lists/flagged_words.json");
        let words = Source {
            parameter: "flagged_words_dir",
            dir: &self.flagged_words_dir,
            kind: "flagged_words",
            shipped,
        }
        .words(&self.lang)?;
        let groups: &[usize] = if self.use_words_aug {
            &self.words_aug_group_sizes
        } else {
            &[]
        };
        self.finder = Finder::new(words, groups, &self.words_aug_join_char, tokenizer)?;
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        self.finder.ratio(text)
    }

    fn range(&self) -> (f64, f64) {
        (self.min_ratio, self.max_ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn flagged_texts_go() {
        let mut op = Runner::new(operator!(FlaggedWordsFilter), "{}").unwrap();
        let out = op.filter(&["", "A clean text", "free porn!"]);
        assert_eq!(out.stat("flagged_words_ratio"), [0.0, 0.0, 0.5].map(Some));
        assert_eq!(out.keep, [true, true, false]);
    }

    #[test]
    fn phrases_are_found_in_groups_with_spaces() {
        let params =
            r#"{"use_words_aug": true, "words_aug_group_sizes": [2], "words_aug_join_char": " "}"#;
        let mut op = Runner::new(operator!(FlaggedWordsFilter), params).unwrap();
        assert_eq!(
            op.filter(&["an auto erotic text"])
                .stat("flagged_words_ratio")[0],
            Some(2.0 / 7.0)
        );
    }
}
