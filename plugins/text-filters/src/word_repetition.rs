//! `word_repetition_filter`

use crate::words;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{NgramCounter, lower_into, word_hash};

/// Keeps texts whose share of repeated word n-grams lies in a range.
///
/// Words are compared in lower case and without the special characters around them.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WordRepetitionFilter {
    /// The language, for a tokenizer model. Without `tokenization` it has no effect.
    pub lang: String,
    /// Cut words with the language's model. Not supported yet: must be false.
    pub tokenization: bool,
    /// Words of an n-gram.
    #[schemars(range(min = 1))]
    pub rep_len: usize,
    /// The least ratio of n-grams that occur more than once.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
    #[serde(skip)]
    ngrams: NgramCounter,
    #[serde(skip)]
    lower: String,
    #[serde(skip)]
    words: Vec<Word>,
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
            rep_len: 10,
            min_ratio: 0.0,
            max_ratio: 0.5,
            ngrams: NgramCounter::default(),
            lower: String::new(),
            words: Vec::new(),
        }
    }
}

impl TextFilter for WordRepetitionFilter {
    const NAME: &'static str = "word_repetition_filter";
    const STAT: Stat = Stat::float("word_rep_ratio");
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        crate::refuse_tokenization(self.tokenization)?;
        crate::require_positive("rep_len", self.rep_len)
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        self.lower.clear();
        lower_into(text, &mut self.lower);
        self.words.clear();
        let bytes = self.lower.as_bytes();
        words::each(&self.lower, |start, end| {
            self.words.push(Word { start: start as u32, end: end as u32, hash: word_hash(&bytes[start..end]) });
        });
        let words = &self.words;
        let word = |i: usize| &bytes[words[i].start as usize..words[i].end as usize];
        self.ngrams.count(words.len(), self.rep_len, |i| words[i].hash, |a, b| word(a) == word(b));
        Ok(crate::ratio(self.ngrams.repeated(), self.ngrams.total()))
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
    fn case_and_punctuation_do_not_matter() {
        let mut op = Runner::new(operator!(WordRepetitionFilter), r#"{"rep_len": 2, "max_ratio": 0.5}"#).unwrap();
        // `a b a b c`: a-b twice, b-a and b-c once, so 2 of 4.
        let out = op.filter(&["", "one", "a b a b c", "A b! (a) … B.\tc", "x x x x", "ΑΣ ας Ασ ας", "Г г г"]);
        assert_eq!(out.stat("word_rep_ratio"), [0.0, 0.0, 0.5, 0.5, 1.0, 0.0, 1.0].map(Some));
        assert_eq!(out.keep, [true, true, true, true, false, true, false]);
    }
}
