//! `perplexity_filter`

use crate::lines::lines_of;
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;
use djhost_sdk::text::is_space;

/// Keeps texts whose perplexity lies in a range: those that a language model finds likely.
///
/// The text is cut into the pieces of a sentencepiece model; a KenLM model scores each line of the
/// pieces, with spaces between them. The perplexity is 10 to the power of the negative sum of the
/// logarithms, divided by the number of words and line ends, rounded to one decimal place; 0 for a
/// text without lines.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PerplexityFilter {
    /// The language, by which both models are found in the model directories: `en.sp.model` and
    /// `en.arpa.bin`.
    pub lang: String,
    /// The least perplexity.
    pub min_ppl: f64,
    /// The greatest perplexity.
    pub max_ppl: f64,
    /// The KenLM model, ARPA or binary. Empty: that of the language in a model directory.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "kenlm", "file": "{lang}.arpa.bin",
        "published": "https://huggingface.co/edugp/kenlm/resolve/main/wikipedia/{lang}.arpa.bin"
    }))]
    pub model: String,
    /// The sentencepiece model that the KenLM model was trained on. Empty: that of the language in a
    /// model directory.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "file": "{lang}.sp.model",
        "published": "https://huggingface.co/edugp/kenlm/resolve/main/wikipedia/{lang}.sp.model"
    }))]
    pub tokenizer_model: String,
    #[serde(skip)]
    models: Option<(Model, Model)>,
    #[serde(skip)]
    joined: String,
}

impl Default for PerplexityFilter {
    fn default() -> Self {
        Self {
            lang: "en".into(),
            min_ppl: 0.0,
            max_ppl: 1500.0,
            model: String::new(),
            tokenizer_model: String::new(),
            models: None,
            joined: String::new(),
        }
    }
}

impl TextFilter for PerplexityFilter {
    const NAME: &'static str = "perplexity_filter";
    const STAT: Stat = Stat::float("perplexity");
    const COST: Cost = Cost::Heavy;

    fn prepare(&mut self) -> Result<(), String> {
        self.models = Some((Model::open("tokenizer_model")?, Model::open("model")?));
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        let Some((tokenizer, model)) = &self.models else {
            return Err(Reject("there are no models".into()));
        };
        self.joined.clear();
        let pieces = tokenizer.pieces(text)?;
        for (i, piece) in pieces.iter().flatten().enumerate() {
            if i > 0 {
                self.joined.push(' ');
            }
            self.joined.push_str(piece);
        }
        let lines = || lines_of(&self.joined);
        let logarithm: f64 = model.scores(lines())?.iter().sum();
        let length: usize = lines().map(|line| words(line) + 1).sum();
        perplexity(logarithm, length)
    }

    fn range(&self) -> (f64, f64) {
        (self.min_ppl, self.max_ppl)
    }
}

fn perplexity(logarithm: f64, length: usize) -> Result<f64, Reject> {
    if length == 0 {
        return Ok(0.0);
    }
    let perplexity = 10f64.powf(-logarithm / length as f64);
    if perplexity.is_finite() {
        Ok(rounded(perplexity))
    } else {
        Err(Reject("the perplexity is too large for a number".into()))
    }
}

/// Python's `round(value, 1)`: the nearest decimal, by the exact value.
fn rounded(value: f64) -> f64 {
    format!("{value:.1}").parse().unwrap_or(value)
}

/// The number of words as Python's `split` finds them.
fn words(line: &str) -> usize {
    line.split(is_space).filter(|word| !word.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::models::{Lend, lend};
    use djhost_sdk::operator;

    /// Pieces are words with the mark of sentencepiece; a sentence's score is the number of its
    /// bytes.
    struct Pieces;

    impl Lend for Pieces {
        fn pieces(&self, text: &str) -> Result<Vec<String>, String> {
            Ok(text
                .split(' ')
                .filter(|word| !word.is_empty())
                .map(|word| format!("\u{2581}{word}"))
                .collect())
        }
    }

    struct Bytes;

    impl Lend for Bytes {
        fn score(&self, sentence: &str) -> Result<f64, String> {
            Ok(-(sentence.len() as f64) / 4.0)
        }
    }

    #[test]
    fn the_sum_over_lines_is_divided_by_words_and_line_ends() {
        let _lent = (lend("tokenizer_model", Pieces), lend("model", Bytes));
        let mut op = Runner::new(operator!(PerplexityFilter), r#"{"max_ppl": 50}"#).unwrap();
        let out = op.filter(&["ab cd", "", "ab\ncd"]);
        // `▁ab ▁cd`: 11 bytes, 2 words; `▁ab` and `cd`: 7 bytes, 2 words in 2 lines.
        let expected = [
            10f64.powf(11.0 / 4.0 / 3.0),
            0.0,
            10f64.powf(7.0 / 4.0 / 4.0),
        ];
        let expected = expected.map(|value| Some((value * 10.0).round() / 10.0));
        assert_eq!(out.stat("perplexity"), expected);
        assert_eq!(out.keep, [true; 3]);
    }

    #[test]
    fn numbers_are_rounded_as_in_python() {
        for (value, expected) in [
            (0.25, 0.2),
            (0.35, 0.3),
            (0.75, 0.8),
            (1_234.449_999, 1_234.4),
        ] {
            assert_eq!(rounded(value), expected);
        }
        assert!(perplexity(-1000.0, 1).is_err());
    }

    #[test]
    fn words_are_those_of_python() {
        assert_eq!(words(" a\u{3000}b\u{1c}c "), 3);
    }
}
