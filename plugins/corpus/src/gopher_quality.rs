//! `gopher_quality_filter`

use crate::lines::lines;
use crate::rules::{self, Rules, Verdict, above, below, ratio};
use djhost_sdk::prelude::*;
use djhost_sdk::text::{code_points, is_space};
use djhost_words::Classes;
use djhost_words::classes::{LETTER, SYMBOL};
use djhost_words::{Language, Words};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Drops texts that do not read like prose: the rules of Gopher on words, symbols, bullets, ellipses
/// and stop words.
///
/// With the names, defaults, order and results of datatrove's `GopherQualityFilter`. The first rule
/// that a text breaks is the stat `gopher_quality_reason`: `gopher_short_doc`, `gopher_long_doc`,
/// `gopher_below_avg_threshold`, `gopher_above_avg_threshold`, `gopher_too_many_hashes`,
/// `gopher_too_many_ellipsis`, `gopher_too_many_bullets`, `gopher_too_many_end_ellipsis`,
/// `gopher_below_alpha_threshold` or `gopher_enough_stop_words` (too few of them); it is empty for
/// texts that stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GopherQualityFilter {
    /// The least number of words that are not only symbols; null or 0: any.
    pub min_doc_words: Option<f64>,
    /// The greatest number of these words; null or 0: any.
    pub max_doc_words: Option<f64>,
    /// The least mean length of these words, in characters; null or 0: any.
    pub min_avg_word_length: Option<f64>,
    /// The greatest mean length; null or 0: any.
    pub max_avg_word_length: Option<f64>,
    /// The most `#` per word, and the most ellipses per word; null or 0: any.
    pub max_symbol_word_ratio: Option<f64>,
    /// The greatest share of lines that begin with `•` or `-`; null or 0: any.
    pub max_bullet_lines_ratio: Option<f64>,
    /// The greatest share of lines that end with an ellipsis; null or 0: any.
    pub max_ellipsis_lines_ratio: Option<f64>,
    /// The least share of words with a letter (so datatrove calls it); null or 0: any.
    pub max_non_alpha_words_ratio: Option<f64>,
    /// The least number of different stop words; null or 0: any.
    pub min_stop_words: Option<f64>,
    /// The stop words. Without it: the, be, to, of, and, that, have, with.
    pub stop_words: Option<Vec<String>>,
    /// The language by whose rules words are found: `en`, or `xx` for languages without rules.
    pub language: String,
    #[serde(skip)]
    tools: Option<Tools>,
}

struct Tools {
    words: Words,
    classes: Classes,
    /// Without repetitions.
    stop_words: Vec<String>,
    found: Vec<bool>,
}

const STOP_WORDS: [&str; 8] = ["the", "be", "to", "of", "and", "that", "have", "with"];

impl Default for GopherQualityFilter {
    fn default() -> Self {
        Self {
            min_doc_words: Some(50.0),
            max_doc_words: Some(100_000.0),
            min_avg_word_length: Some(3.0),
            max_avg_word_length: Some(10.0),
            max_symbol_word_ratio: Some(0.1),
            max_bullet_lines_ratio: Some(0.9),
            max_ellipsis_lines_ratio: Some(0.3),
            max_non_alpha_words_ratio: Some(0.8),
            min_stop_words: Some(2.0),
            stop_words: None,
            language: "en".into(),
            tools: None,
        }
    }
}

impl Rules for GopherQualityFilter {
    const REASON: &'static str = "gopher_quality_reason";
    const WHOLE: &'static [&'static str] = &["gopher_words", "gopher_stop_words"];

    fn stats(&self) -> Vec<Cow<'static, str>> {
        [
            "gopher_words",
            "gopher_avg_word_length",
            "gopher_hash_ratio",
            "gopher_ellipsis_ratio",
            "gopher_bullet_lines_ratio",
            "gopher_ellipsis_lines_ratio",
            "gopher_alpha_words_ratio",
            "gopher_stop_words",
        ]
        .map(Cow::Borrowed)
        .into()
    }

    fn judge(&mut self, row: Row<'_>, verdict: &mut Verdict<'_>) -> ControlFlow<()> {
        let text = row.text(0).unwrap_or_default();
        let Some(Tools {
            words,
            classes,
            stop_words,
            found,
        }) = &mut self.tools
        else {
            return ControlFlow::Break(());
        };
        let words = words.cut(text);
        let (mut plain, mut characters, mut with_letter) = (0, 0, 0);
        found.fill(false);
        for &(start, end) in words {
            let word = &text[start as usize..end as usize];
            if word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                plain += 1;
                characters += word.len();
                with_letter += 1;
            } else {
                if word.chars().any(|c| !classes.has(c, SYMBOL)) {
                    plain += 1;
                    characters += code_points(word);
                }
                with_letter += usize::from(word.chars().any(|c| classes.has(c, LETTER)));
            }
            for (stop_word, found) in stop_words.iter().zip(&mut *found) {
                *found |= stop_word == word;
            }
        }
        let count = words.len();
        verdict.rule(
            0,
            plain as f64,
            below(plain as f64, self.min_doc_words),
            "gopher_short_doc",
        )?;
        verdict.check(above(plain as f64, self.max_doc_words), "gopher_long_doc")?;
        let mean = ratio(characters, plain);
        // Without words there is no mean.
        verdict.rule(
            1,
            mean,
            plain > 0 && below(mean, self.min_avg_word_length),
            "gopher_below_avg_threshold",
        )?;
        verdict.check(
            above(mean, self.max_avg_word_length),
            "gopher_above_avg_threshold",
        )?;
        let value = ratio(memchr::memchr_iter(b'#', text.as_bytes()).count(), count);
        verdict.rule(
            2,
            value,
            above(value, self.max_symbol_word_ratio),
            "gopher_too_many_hashes",
        )?;
        let value = ratio(
            text.matches("...").count() + text.matches('…').count(),
            count,
        );
        verdict.rule(
            3,
            value,
            above(value, self.max_symbol_word_ratio),
            "gopher_too_many_ellipsis",
        )?;
        let (mut all, mut bullets, mut ellipses) = (0, 0, 0);
        for line in lines(text) {
            all += 1;
            bullets += usize::from(line.trim_start_matches(is_space).starts_with(['•', '-']));
            let end = line.trim_end_matches(is_space);
            ellipses += usize::from(end.ends_with("...") || end.ends_with('…'));
        }
        let value = ratio(bullets, all);
        verdict.rule(
            4,
            value,
            above(value, self.max_bullet_lines_ratio),
            "gopher_too_many_bullets",
        )?;
        let value = ratio(ellipses, all);
        verdict.rule(
            5,
            value,
            above(value, self.max_ellipsis_lines_ratio),
            "gopher_too_many_end_ellipsis",
        )?;
        let value = ratio(with_letter, count);
        verdict.rule(
            6,
            value,
            count > 0 && below(value, self.max_non_alpha_words_ratio),
            "gopher_below_alpha_threshold",
        )?;
        let value = found.iter().filter(|found| **found).count() as f64;
        verdict.rule(
            7,
            value,
            below(value, self.min_stop_words),
            "gopher_enough_stop_words",
        )
    }
}

impl Operator for GopherQualityFilter {
    const NAME: &'static str = "gopher_quality_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const KIND: Kind = Kind::Filter;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        let mut stop_words = match &self.stop_words {
            Some(words) => words.clone(),
            None => STOP_WORDS.map(str::to_owned).into(),
        };
        stop_words.sort_unstable();
        stop_words.dedup();
        self.tools = Some(Tools {
            words: Words::new(Language::parse(&self.language)?),
            classes: Classes::get(),
            found: vec![false; stop_words.len()],
            stop_words,
        });
        Ok(())
    }

    fn signature(&self, common: &Common) -> Signature {
        rules::signature(
            self,
            vec![Input::required(&common.text_key, ColumnType::Utf8)],
        )
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        rules::process(self, common, batch)
    }
}
