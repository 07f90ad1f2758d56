//! `words_num_filter`

use crate::tokenizer::Tokenizer;
use djhost_sdk::prelude::*;

/// Keeps texts whose number of words lies in a range.
///
/// Words are what spaces, line feeds and tabs separate, or the pieces of a sentencepiece model, as
/// far as there is more to them than special characters.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WordsNumFilter {
    /// The language, by which the model for `tokenization` is found.
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
    /// The least number of words.
    pub min_num: i64,
    /// The greatest number of words.
    pub max_num: i64,
    #[serde(skip)]
    tokenizer: Tokenizer,
}

impl Default for WordsNumFilter {
    fn default() -> Self {
        Self {
            lang: "en".into(),
            tokenization: false,
            tokenizer_model: String::new(),
            min_num: 10,
            max_num: i64::MAX,
            tokenizer: Tokenizer::default(),
        }
    }
}

impl TextFilter for WordsNumFilter {
    const NAME: &'static str = "words_num_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const STAT: Stat = Stat::integer("num_words");

    fn prepare(&mut self) -> Result<(), String> {
        self.tokenizer = Tokenizer::new(self.tokenization)?;
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        Ok(self.tokenizer.count(text)? as f64)
    }

    fn bounds(&mut self, text: &str) -> Option<(f64, f64)> {
        let least = self.tokenizer.count_at_least(text)?;
        Some((least as f64, text.len() as f64))
    }

    fn range(&self) -> (f64, f64) {
        (self.min_num as f64, self.max_num as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn words_of_special_characters_only_do_not_count() {
        let mut op = Runner::new(operator!(WordsNumFilter), r#"{"min_num": 2}"#).unwrap();
        let out = op.filter(&[
            "",
            "one two",
            "one -- 2 … 😀 three!",
            "日本 語",
            "a\rb\u{a0}c\td",
            "\n\n",
            "Г г",
        ]);
        assert_eq!(
            out.stat("num_words"),
            [0.0, 2.0, 2.0, 2.0, 2.0, 0.0, 1.0].map(Some)
        );
        assert_eq!(out.keep, [false, true, true, true, true, false, false]);
    }
}
