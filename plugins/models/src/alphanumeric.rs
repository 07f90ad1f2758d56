//! `alphanumeric_filter`

use crate::alphabetic_table::ALPHABETIC;
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;
use djhost_sdk::text;

/// Keeps texts whose share of letters and digits lies in a range.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AlphanumericFilter {
    /// Take the ratio of letters (without digits) to tokens of a tokenizer, with the stat
    /// `alpha_token_ratio`.
    pub tokenization: bool,
    /// The tokenizer for `tokenization`: a `tokenizer.json`, or a directory with one, also below a
    /// model directory under the name that the Hugging Face hub has for it. Nothing is downloaded.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "file": "{hf_tokenizer}", "when": "tokenization",
        "published": "https://huggingface.co/{hf_tokenizer} (`tokenizer.json`)"
    }))]
    pub hf_tokenizer: String,
    /// The least ratio of letters and digits, of any script, to characters.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
    #[serde(skip)]
    tokenizer: Option<Model>,
}

impl Default for AlphanumericFilter {
    fn default() -> Self {
        Self {
            tokenization: false,
            hf_tokenizer: "EleutherAI/pythia-6.9b-deduped".into(),
            min_ratio: 0.25,
            max_ratio: i64::MAX as f64,
            tokenizer: None,
        }
    }
}

impl TextFilter for AlphanumericFilter {
    const NAME: &'static str = "alphanumeric_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const STAT: Stat = Stat::float("alnum_ratio");

    fn prepare(&mut self) -> Result<(), String> {
        if self.tokenization {
            self.tokenizer = Some(Model::open("hf_tokenizer")?);
        }
        Ok(())
    }

    fn writes(&self) -> Stat {
        if self.tokenization {
            Stat::float("alpha_token_ratio")
        } else {
            Self::STAT
        }
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        Ok(match &self.tokenizer {
            Some(tokenizer) => ratio(letters(text), tokenizer.count(text, false)? as usize),
            None => ratio(text::alphanumeric(text), text::code_points(text)),
        })
    }

    fn bounds(&mut self, text: &str) -> Option<(f64, f64)> {
        if self.tokenizer.is_some() {
            return None;
        }
        // A text has at most as many characters as bytes, so the first parts may be enough for the
        // least ratio.
        let (mut found, mut from) = (0, 0);
        while from < text.len() {
            let to = text.ceil_char_boundary(from + PART.max(text.len() / 16));
            found += text::alphanumeric(&text[from..to]);
            from = to;
            let least = ratio(found, text.len());
            if least > self.min_ratio {
                return Some((least, 1.0));
            }
        }
        let exact = ratio(found, text::code_points(text));
        Some((exact, exact))
    }

    fn range(&self) -> (f64, f64) {
        (self.min_ratio, self.max_ratio)
    }
}

/// The least that is looked at together, in bytes.
const PART: usize = 1024;

/// The number of code points for which Python's `str.isalpha` is true.
fn letters(text: &str) -> usize {
    text::count_class(
        text,
        |lanes| lanes.with_bits(0x20).within(b'a', b'z'),
        |c| ALPHABETIC.has(c),
    )
}

/// `part / whole`; 0 for nothing of nothing, as in Data-Juicer.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn letters_and_digits_of_any_script_count() {
        let mut op = Runner::new(operator!(AlphanumericFilter), r#"{"min_ratio": 0.5}"#).unwrap();
        let out = op.filter(&["", "ab1!", "日本語。", "²③", "-- -", "e\u{301}"]);
        assert_eq!(
            out.stat("alnum_ratio"),
            [0.0, 0.75, 0.75, 1.0, 0.0, 0.5].map(Some)
        );
        assert_eq!(out.keep, [false, true, true, true, false, true]);
    }

    #[test]
    fn letters_are_counted_by_tokens() {
        let params =
            r#"{"tokenization": true, "hf_tokenizer": "../examples/files/tokenizer.json"}"#;
        let _lent = crate::lent::lend_models(operator!(AlphanumericFilter), params);
        let out = Runner::new(operator!(AlphanumericFilter), params)
            .unwrap()
            .filter(&["", "a walk!", "-- 42", "日本²"]);
        assert_eq!(
            out.stat("alpha_token_ratio"),
            [0.0, 5.0 / 3.0, 0.0, 2.0 / 3.0].map(Some)
        );
    }
}
