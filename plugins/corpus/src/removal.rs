//! `word_removal_ratio_filter`

use crate::rules::{self, Rules, Verdict};
use djhost_sdk::prelude::*;
use djhost_words::Classes;
use djhost_words::classes::ALPHANUMERIC;
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Drops texts that lost too many of their words since they were counted: DCLM's rule after those on
/// lines.
///
/// With the results of DCLM's `word_removal_ratio_filter`. The stat `word_removal_ratio` is the share that
/// is gone; `word_removal_reason` is `no_words` if there were none before, `words_removed`, or empty for
/// texts that stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WordRemovalRatioFilter {
    /// The field with the number of words before, such as the `word_count_key` of `line_filter_mapper`.
    pub prev_word_count_key: String,
    /// The greatest share of words that may be gone.
    pub max_removed_ratio: f64,
}

impl Default for WordRemovalRatioFilter {
    fn default() -> Self {
        Self {
            prev_word_count_key: "previous_word_count".into(),
            max_removed_ratio: 0.05,
        }
    }
}

/// The number of words of `text`: what fastText's white space separates and what begins with a letter or
/// a digit.
pub(crate) fn words(text: &str) -> usize {
    let classes = Classes::get();
    let words = text.split([' ', '\n', '\r', '\t', '\u{b}', '\u{c}', '\0']);
    let is_word = |word: &&str| {
        word.chars()
            .next()
            .is_some_and(|c| classes.has(c, ALPHANUMERIC))
    };
    words.filter(is_word).count()
}

impl Rules for WordRemovalRatioFilter {
    const REASON: &'static str = "word_removal_reason";

    fn stats(&self) -> Vec<Cow<'static, str>> {
        vec!["word_removal_ratio".into()]
    }

    fn judge(&mut self, row: Row<'_>, verdict: &mut Verdict<'_>) -> ControlFlow<()> {
        let before = row.number(1).unwrap_or_default();
        if before == 0.0 {
            return verdict.rule(0, 0.0, true, "no_words");
        }
        let now = words(row.text(0).unwrap_or_default()) as f64;
        let removed = (before - now) / before;
        verdict.rule(
            0,
            removed,
            removed > self.max_removed_ratio,
            "words_removed",
        )
    }
}

impl Operator for WordRemovalRatioFilter {
    const NAME: &'static str = "word_removal_ratio_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const KIND: Kind = Kind::Filter;

    fn prepare(&mut self) -> Result<(), String> {
        match self.prev_word_count_key.is_empty() {
            true => Err("`prev_word_count_key` is empty: it must name the field with the number of words before".into()),
            false => Ok(()),
        }
    }

    fn signature(&self, common: &Common) -> Signature {
        let count = Input::required(&self.prev_word_count_key, ColumnType::S64);
        rules::signature(
            self,
            vec![Input::required(&common.text_key, ColumnType::Utf8), count],
        )
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        rules::process(self, common, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn words_begin_with_letters_or_digits() {
        assert_eq!(words("the cat (and) _x ½ 2\u{a0}b\0é - 日本"), 6);
        assert_eq!(words(""), 0);
    }

    #[test]
    fn texts_that_lost_many_words_go() {
        let mut op = Runner::new(
            operator!(WordRemovalRatioFilter),
            r#"{"max_removed_ratio": 0.5}"#,
        )
        .unwrap();
        let row = |text: &str, before| {
            serde_json::json!({"text": text, "previous_word_count": before}).to_string()
        };
        let rows = [row("a b", 4), row("a", 4), row("a b c", 2), row("", 0)];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let out = op.filter_json(&rows);
        assert_eq!(out.keep, [true, false, true, false]);
        assert_eq!(
            out.stat("word_removal_ratio"),
            [0.5, 0.75, -0.5, 0.0].map(Some)
        );
        assert!(
            Runner::new(
                operator!(WordRemovalRatioFilter),
                r#"{"prev_word_count_key": ""}"#
            )
            .is_err()
        );
    }
}
