//! `character_repetition_filter`

use djhost_sdk::prelude::*;
use djhost_sdk::text::{FrequentNgrams, NgramCounter, code_points};

/// Keeps texts whose share of repeated character n-grams lies in a range.
///
/// The share of the most frequent n-grams: of the square root of the number of different ones, or
/// as many as occur more than once if these are fewer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CharacterRepetitionFilter {
    /// Characters of an n-gram.
    #[schemars(range(min = 1))]
    pub rep_len: usize,
    /// The least ratio.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
    #[serde(skip)]
    ngrams: NgramCounter,
    #[serde(skip)]
    frequent: FrequentNgrams,
}

impl Default for CharacterRepetitionFilter {
    fn default() -> Self {
        Self {
            rep_len: 10,
            min_ratio: 0.0,
            max_ratio: 0.5,
            ngrams: NgramCounter::default(),
            frequent: FrequentNgrams::default(),
        }
    }
}

impl TextFilter for CharacterRepetitionFilter {
    const NAME: &'static str = "character_repetition_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const STAT: Stat = Stat::float("char_rep_ratio");
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        crate::require_positive("rep_len", self.rep_len)
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        self.ngrams.count_characters(text, self.rep_len);
        let most = (self.ngrams.distinct() as f64).sqrt() as usize;
        Ok(crate::ratio(
            self.ngrams.most_frequent(most),
            self.ngrams.total(),
        ))
    }

    fn bounds(&mut self, text: &str) -> Option<(f64, f64)> {
        let characters = code_points(text);
        let total = (characters + 1).saturating_sub(self.rep_len);
        // All different, they would be no more than all there are.
        let most = (total as f64).sqrt() as usize;
        let repeated = self.frequent.at_most(text, characters, self.rep_len, most);
        Some((0.0, crate::ratio(repeated, total)))
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
    fn the_most_frequent_ngrams_make_the_ratio() {
        let mut op = Runner::new(
            operator!(CharacterRepetitionFilter),
            r#"{"rep_len": 2, "max_ratio": 0.6}"#,
        )
        .unwrap();
        // `ababab`: ab 3, ba 2; the root of 2 is 1, so 3 of 5. `aaaa`: aa 3 of 3. `日本日本`: 日本 2, 本日
        // 1, so 2 of 3.
        let out = op.filter(&["", "a", "ababab", "aaaa", "日本日本", "abcdef"]);
        assert_eq!(
            out.stat("char_rep_ratio"),
            [0.0, 0.0, 0.6, 1.0, 2.0 / 3.0, 0.0].map(Some)
        );
        assert_eq!(out.keep, [true, true, true, false, false, true]);
    }

    #[test]
    fn rep_len_must_be_positive() {
        let error =
            Runner::new(operator!(CharacterRepetitionFilter), r#"{"rep_len": 0}"#).unwrap_err();
        assert!(error.to_string().contains("`rep_len`"), "{error}");
    }
}
