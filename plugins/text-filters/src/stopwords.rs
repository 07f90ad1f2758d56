//! `stopwords_filter`

use crate::tokenizer::Tokenizer;
use crate::word_list::{Finder, Source};
use djhost_sdk::prelude::*;

/// Keeps texts whose share of stop words among the words lies in a range.
///
/// Words are compared in lower case and without the special characters around them.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StopwordsFilter {
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
    /// The least ratio of stop words to words.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
    /// A directory of word lists: JSON files with `stopwords` in their names, an object with an
    /// array of words for each language. Empty: the list that ships.
    #[schemars(extend("format" = "read-dir"))]
    pub stopwords_dir: String,
    /// Count groups of words in a row too, for languages without spaces between words.
    pub use_words_aug: bool,
    /// Words of a group.
    pub words_aug_group_sizes: Vec<usize>,
    /// What stands between the words of a group.
    pub words_aug_join_char: String,
    #[serde(skip)]
    finder: Finder,
}

impl Default for StopwordsFilter {
    fn default() -> Self {
        Self {
            lang: "en".into(),
            tokenization: false,
            tokenizer_model: String::new(),
            min_ratio: 0.3,
            max_ratio: 1.0,
            stopwords_dir: String::new(),
            use_words_aug: false,
            words_aug_group_sizes: vec![2],
            words_aug_join_char: String::new(),
            finder: Finder::default(),
        }
    }
}

impl TextFilter for StopwordsFilter {
    const NAME: &'static str = "stopwords_filter";
    const STAT: Stat = Stat::float("stopwords_ratio");

    fn prepare(&mut self) -> Result<(), String> {
        let tokenizer = Tokenizer::new(self.tokenization)?;
        let shipped = include_str!("lists/stopwords.json");
        let words = Source {
            parameter: "stopwords_dir",
            dir: &self.stopwords_dir,
            kind: "stopwords",
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

    fn ratios(params: &str, texts: &[&str]) -> Vec<Option<f64>> {
        Runner::new(operator!(StopwordsFilter), params)
            .unwrap()
            .filter(texts)
            .stat("stopwords_ratio")
    }

    #[test]
    fn the_list_that_ships_works_out_of_the_box() {
        assert_eq!(
            ratios("{}", &["", "The cat (and) a zebra", "--"]),
            [0.0, 0.6, 0.0].map(Some)
        );
        assert_eq!(
            ratios(r#"{"lang": "de"}"#, &["der Zebra und"]),
            [Some(2.0 / 3.0)]
        );
        assert_eq!(
            ratios(r#"{"lang": "all"}"#, &["der zebra and"]),
            [Some(2.0 / 3.0)]
        );
    }

    #[test]
    fn groups_of_words_count_too() {
        let params = r#"{"lang": "zh", "use_words_aug": true}"#;
        // 我, 们 and 我们, of three words and two groups.
        assert_eq!(ratios(params, &["我 们 Zebra"]), [Some(3.0 / 5.0)]);
    }

    #[test]
    fn what_the_user_must_mend_is_named() {
        let refused = |params: &str| {
            Runner::new(operator!(StopwordsFilter), params)
                .unwrap_err()
                .to_string()
        };
        assert!(
            refused(r#"{"lang": "xx"}"#).contains("`lang` is `xx`: there are lists for `af`, `ar`")
        );
        assert!(
            refused(r#"{"stopwords_dir": "/does/not/exist"}"#)
                .contains("`stopwords_dir`: cannot read `/does/not/exist`")
        );
        assert!(
            refused(r#"{"stopwords_dir": "src"}"#)
                .contains("put a file there whose name contains `stopwords`")
        );
        assert!(
            refused(r#"{"use_words_aug": true, "words_aug_group_sizes": [0]}"#)
                .contains("`words_aug_group_sizes` has a 0")
        );
    }
}
