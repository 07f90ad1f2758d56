//! `word_repetition_filter`

use crate::seen_ngrams::{LONGEST, SeenNgrams};
use crate::tokenizer::Tokenizer;
use crate::words;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{NgramCounter, lower_into, word_hash};

/// Keeps texts whose share of repeated word n-grams lies in a range.
///
/// Words are compared in lower case and without the special characters around them.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WordRepetitionFilter {
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
    /// Words of an n-gram.
    #[schemars(range(min = 1))]
    pub rep_len: usize,
    /// The least ratio of n-grams that occur more than once.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
    #[serde(skip)]
    tokenizer: Tokenizer,
    #[serde(skip)]
    ngrams: NgramCounter,
    #[serde(skip)]
    lower: String,
    #[serde(skip)]
    words: Vec<Word>,
    #[serde(skip)]
    seen: SeenNgrams,
}

/// A word of the lower-case text: where it is, and its hash.
struct Word {
    start: u32,
    end: u32,
    hash: u64,
}

impl Default for WordRepetitionFilter {
    fn default() -> Self {
        Self {
            lang: "en".into(),
            tokenization: false,
            tokenizer_model: String::new(),
            rep_len: 10,
            min_ratio: 0.0,
            max_ratio: 0.5,
            tokenizer: Tokenizer::default(),
            ngrams: NgramCounter::default(),
            lower: String::new(),
            words: Vec::new(),
            seen: SeenNgrams::default(),
        }
    }
}

impl TextFilter for WordRepetitionFilter {
    const NAME: &'static str = "word_repetition_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const STAT: Stat = Stat::float("word_rep_ratio");
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        crate::require_positive("rep_len", self.rep_len)?;
        self.tokenizer = Tokenizer::new(self.tokenization)?;
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        self.words.clear();
        self.tokenizer
            .lower_words(text, &mut self.lower, |word, start, end| {
                self.words.push(Word {
                    start: start as u32,
                    end: end as u32,
                    hash: word_hash(word),
                });
            })?;
        let (words, bytes) = (&self.words, self.lower.as_bytes());
        let word = |i: usize| &bytes[words[i].start as usize..words[i].end as usize];
        self.ngrams.count(
            words.len(),
            self.rep_len,
            |i| words[i].hash,
            |a, b| word(a) == word(b),
        );
        Ok(crate::ratio(self.ngrams.repeated(), self.ngrams.total()))
    }

    fn bounds(&mut self, text: &str) -> Option<(f64, f64)> {
        if self.tokenizer.has_model() || self.rep_len > LONGEST {
            return None;
        }
        let text = if text.is_ascii() {
            text
        } else {
            self.lower.clear();
            lower_into(text, &mut self.lower);
            &self.lower
        };
        self.seen.clear(text.len(), self.rep_len);
        let bytes = text.as_bytes();
        words::each(text, |start, end| {
            self.seen.add(beginning(bytes, start, end));
        });
        let repeated = self.seen.repeated_at_most();
        Some((0.0, crate::ratio(repeated, self.seen.total())))
    }

    fn range(&self) -> (f64, f64) {
        (self.min_ratio, self.max_ratio)
    }
}

/// The first eight bytes of a word, in lower case if they are letters, and its length: the same for
/// words that differ in case only.
#[inline(always)]
fn beginning(text: &[u8], start: usize, end: usize) -> u64 {
    const CASE: u64 = 0x2020_2020_2020_2020;
    let length = end - start;
    let eight = match text[start..].first_chunk() {
        Some(eight) => *eight,
        None => {
            let mut eight = [0; 8];
            eight[..length].copy_from_slice(&text[start..end]);
            eight
        }
    };
    let unused = 64 - 8 * length.min(8) as u32;
    (((u64::from_le_bytes(eight) | CASE) << unused) >> unused) ^ (length as u64) << 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn case_and_punctuation_do_not_matter() {
        let mut op = Runner::new(
            operator!(WordRepetitionFilter),
            r#"{"rep_len": 2, "max_ratio": 0.5}"#,
        )
        .unwrap();
        // `a b a b c`: a-b twice, b-a and b-c once, so 2 of 4.
        let out = op.filter(&[
            "",
            "one",
            "a b a b c",
            "A b! (a) … B.\tc",
            "x x x x",
            "ΑΣ ας Ασ ας",
            "Г г г",
        ]);
        assert_eq!(
            out.stat("word_rep_ratio"),
            [0.0, 0.0, 0.5, 0.5, 1.0, 0.0, 1.0].map(Some)
        );
        assert_eq!(out.keep, [true, true, true, true, false, true, false]);
    }
}
