//! `c4_paragraph_filter`

use crate::rules::{self, Rules, Verdict};
use djhost_sdk::prelude::*;
use djhost_sdk::text::code_points;
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Keeps texts with at least three long lines: the rule of mC4 on paragraphs.
///
/// With the results of datatrove's `C4ParagraphFilter`. The stat `c4_paragraphs` is the number of long
/// lines; `c4_paragraph_reason` is `< 3 paragraphs` with the number of `min_paragraphs`, or empty for
/// texts that stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct C4ParagraphFilter {
    /// The least number of long lines.
    pub min_paragraphs: usize,
    /// The least number of characters that a long line has.
    pub min_paragraph_len: usize,
}

impl Default for C4ParagraphFilter {
    fn default() -> Self {
        Self {
            min_paragraphs: 3,
            min_paragraph_len: 200,
        }
    }
}

impl Rules for C4ParagraphFilter {
    const REASON: &'static str = "c4_paragraph_reason";
    const WHOLE: &'static [&'static str] = &["c4_paragraphs"];

    fn stats(&self) -> Vec<Cow<'static, str>> {
        vec!["c4_paragraphs".into()]
    }

    fn judge(&mut self, row: Row<'_>, verdict: &mut Verdict<'_>) -> ControlFlow<()> {
        let lines = row.text(0).unwrap_or_default().split('\n');
        let long = |line: &&str| {
            line.len() >= self.min_paragraph_len && code_points(line) >= self.min_paragraph_len
        };
        let count = lines.filter(long).count();
        verdict.rule(
            0,
            count as f64,
            count < self.min_paragraphs,
            format!("< {} paragraphs", self.min_paragraphs),
        )
    }
}

impl Operator for C4ParagraphFilter {
    const NAME: &'static str = "c4_paragraph_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const KIND: Kind = Kind::Filter;

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
