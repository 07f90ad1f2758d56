//! `gopher_repetition_filter`

use crate::lines::between_line_feeds;
use crate::repeats::{Joined, Pieces, Runs};
use crate::rules::{self, Rules, Verdict, above, ratio};
use djhost_sdk::prelude::*;
use djhost_sdk::text::{code_points, strip};
use djhost_words::{Language, Words};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Drops texts that repeat themselves: the rules of Gopher on paragraphs, lines and runs of words.
///
/// With the names, defaults, order and results of datatrove's `GopherRepetitionFilter`. The first rule
/// that a text breaks is the stat `gopher_repetition_reason`: `empty`, `dup_para_frac`,
/// `dup_para_char_frac`, `dup_line_frac`, `dup_line_char_frac`, `top_2_gram`, …, or
/// `duplicated_5_n_grams`, …; it is empty for texts that stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GopherRepetitionFilter {
    /// The greatest share of lines that are in the text before; null or 0: any.
    pub dup_line_frac: Option<f64>,
    /// The greatest share of paragraphs that are in the text before; null or 0: any.
    pub dup_para_frac: Option<f64>,
    /// The greatest share of characters in such lines; null or 0: any.
    pub dup_line_char_frac: Option<f64>,
    /// The greatest share of characters in such paragraphs; null or 0: any.
    pub dup_para_char_frac: Option<f64>,
    /// Pairs of a number of words and the greatest share of characters in the commonest run of so many
    /// words.
    pub top_n_grams: Vec<(usize, f64)>,
    /// Pairs of a number of words and the greatest share of characters in runs of so many words that
    /// are in the text before.
    pub dup_n_grams: Vec<(usize, f64)>,
    /// The language by whose rules words are found: `en`, or `xx` for languages without rules.
    pub language: String,
    #[serde(skip)]
    tools: Option<Tools>,
}

struct Tools {
    words: Words,
    pieces: Pieces,
    runs: Runs,
    joined: Joined,
}

impl Default for GopherRepetitionFilter {
    fn default() -> Self {
        Self {
            dup_line_frac: Some(0.3),
            dup_para_frac: Some(0.3),
            dup_line_char_frac: Some(0.2),
            dup_para_char_frac: Some(0.2),
            top_n_grams: vec![(2, 0.2), (3, 0.18), (4, 0.16)],
            dup_n_grams: vec![
                (5, 0.15),
                (6, 0.14),
                (7, 0.13),
                (8, 0.12),
                (9, 0.11),
                (10, 0.1),
            ],
            language: "en".into(),
            tools: None,
        }
    }
}

impl Rules for GopherRepetitionFilter {
    const REASON: &'static str = "gopher_repetition_reason";

    fn stats(&self) -> Vec<Cow<'static, str>> {
        let fixed = [
            "dup_para_frac",
            "dup_para_char_frac",
            "dup_line_frac",
            "dup_line_char_frac",
        ];
        let top = self
            .top_n_grams
            .iter()
            .map(|(n, _)| Cow::Owned(top_name(*n)));
        let duplicated = self
            .dup_n_grams
            .iter()
            .map(|(n, _)| Cow::Owned(duplicated_name(*n)));
        fixed
            .map(Cow::Borrowed)
            .into_iter()
            .chain(top)
            .chain(duplicated)
            .collect()
    }

    fn judge(&mut self, row: Row<'_>, verdict: &mut Verdict<'_>) -> ControlFlow<()> {
        let text = row.text(0).unwrap_or_default();
        let Some(Tools {
            words,
            pieces,
            runs,
            joined,
        }) = &mut self.tools
        else {
            return ControlFlow::Break(());
        };
        if text.is_empty() {
            verdict.check(true, "empty")?;
        }
        let length = code_points(text);
        let found = pieces.repeated(text, between_line_feeds(strip(text), 2));
        let value = ratio(found.repeated, found.pieces);
        verdict.rule(0, value, above(value, self.dup_para_frac), "dup_para_frac")?;
        let value = ratio(found.characters, length);
        verdict.rule(
            1,
            value,
            above(value, self.dup_para_char_frac),
            "dup_para_char_frac",
        )?;

        let found = pieces.repeated(text, between_line_feeds(text, 1));
        let value = ratio(found.repeated, found.pieces);
        verdict.rule(2, value, above(value, self.dup_line_frac), "dup_line_frac")?;
        let value = ratio(found.characters, length);
        verdict.rule(
            3,
            value,
            above(value, self.dup_line_char_frac),
            "dup_line_char_frac",
        )?;

        let words = words.cut(text);
        let mut rule = 4;
        let mut last = usize::MAX;
        for &(n, most) in &self.top_n_grams {
            // Runs grow; a list in another order begins anew.
            if n < last {
                runs.start(text, words);
            }
            last = n;
            let top = runs.most_common(n).map_or(0, |(count, first)| {
                let letters: usize = words[first..first + n]
                    .iter()
                    .map(|&(start, end)| code_points(&text[start as usize..end as usize]))
                    .sum();
                count * (letters + n - 1)
            });
            let value = ratio(top, length);
            verdict.rule(rule, value, value > most, top_name(n))?;
            rule += 1;
        }
        if !self.dup_n_grams.is_empty() {
            joined.start(text, words);
        }
        for &(n, most) in &self.dup_n_grams {
            let value = ratio(joined.repeated(n), length);
            verdict.rule(rule, value, value > most, duplicated_name(n))?;
            rule += 1;
        }
        ControlFlow::Continue(())
    }
}

fn top_name(n: usize) -> String {
    format!("top_{n}_gram")
}

fn duplicated_name(n: usize) -> String {
    format!("duplicated_{n}_n_grams")
}

impl Operator for GopherRepetitionFilter {
    const NAME: &'static str = "gopher_repetition_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const KIND: Kind = Kind::Filter;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        for (name, grams) in [
            ("top_n_grams", &self.top_n_grams),
            ("dup_n_grams", &self.dup_n_grams),
        ] {
            for (i, (n, _)) in grams.iter().enumerate() {
                if *n == 0 {
                    return Err(format!(
                        "`{name}` has a run of 0 words: it must be at least 1"
                    ));
                }
                if grams[..i].iter().any(|(other, _)| other == n) {
                    return Err(format!(
                        "`{name}` has {n} twice: each number of words has one limit"
                    ));
                }
            }
        }
        self.tools = Some(Tools {
            words: Words::new(Language::parse(&self.language)?),
            pieces: Pieces::default(),
            runs: Runs::default(),
            joined: Joined::default(),
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
