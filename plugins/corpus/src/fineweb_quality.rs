//! `fineweb_quality_filter`

use crate::repeats::Pieces;
use crate::rules::{self, Rules, Verdict, ratio};
use djhost_sdk::prelude::*;
use djhost_sdk::text::{code_points, strip};
use djhost_words::Classes;
use djhost_words::classes::TERMINAL;
use djhost_words::{Language, Words};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Drops texts whose lines look like lists or menus: FineWeb's own rules.
///
/// With the names, defaults, order and results of datatrove's `FineWebQualityFilter`. The first rule
/// that a text breaks is the stat `fineweb_quality_reason`: `empty`, `line_punct_ratio`,
/// `short_line_ratio`, `char_dup_ratio` or `list_ratio`; it is empty for texts that stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FinewebQualityFilter {
    /// The least share of lines that end with a mark that ends sentences.
    pub line_punct_thr: f64,
    /// Keep texts without any such line.
    pub line_punct_exclude_zero: bool,
    /// What these lines end with. Without it: the marks of all scripts that end sentences.
    pub stop_chars: Option<Vec<String>>,
    /// The greatest share of short lines.
    pub short_line_thr: f64,
    /// The most characters that a short line has.
    pub short_line_length: usize,
    /// The greatest share of characters in lines that are in the text before.
    pub char_duplicates_ratio: f64,
    /// The most line feeds per word.
    pub new_line_ratio: f64,
    /// The language by whose rules words are found: `en`, or `xx` for languages without rules.
    pub language: String,
    #[serde(skip)]
    tools: Option<Tools>,
}

struct Tools {
    words: Words,
    pieces: Pieces,
    classes: Classes,
}

impl Default for FinewebQualityFilter {
    fn default() -> Self {
        Self {
            line_punct_thr: 0.12,
            line_punct_exclude_zero: false,
            stop_chars: None,
            short_line_thr: 0.67,
            short_line_length: 30,
            char_duplicates_ratio: 0.01,
            new_line_ratio: 0.3,
            language: "en".into(),
            tools: None,
        }
    }
}

impl Rules for FinewebQualityFilter {
    const REASON: &'static str = "fineweb_quality_reason";

    fn stats(&self) -> Vec<Cow<'static, str>> {
        [
            "line_punct_ratio",
            "short_line_ratio",
            "char_dup_ratio",
            "list_ratio",
        ]
        .map(Cow::Borrowed)
        .into()
    }

    fn judge(&mut self, row: Row<'_>, verdict: &mut Verdict<'_>) -> ControlFlow<()> {
        let text = row.text(0).unwrap_or_default();
        let Some(Tools {
            words,
            pieces,
            classes,
        }) = &mut self.tools
        else {
            return ControlFlow::Break(());
        };
        let lines = || text.split('\n').filter(|line| !strip(line).is_empty());
        let (mut ended, mut short) = (0, 0);
        for line in lines() {
            let ends = match &self.stop_chars {
                None => line
                    .chars()
                    .next_back()
                    .is_some_and(|c| classes.has(c, TERMINAL)),
                Some(ends) => ends.iter().any(|end| line.ends_with(end.as_str())),
            };
            ended += usize::from(ends);
            short += usize::from(
                line.len() <= 4 * self.short_line_length
                    && code_points(line) <= self.short_line_length,
            );
        }
        let repeated = pieces.repeated(text, lines());
        let count = repeated.pieces;
        if count == 0 {
            verdict.check(true, "empty")?;
        }
        let value = ratio(ended, count);
        let excluded = value == 0.0 && self.line_punct_exclude_zero;
        verdict.rule(
            0,
            value,
            value < self.line_punct_thr && !excluded,
            "line_punct_ratio",
        )?;
        let value = ratio(short, count);
        verdict.rule(1, value, value > self.short_line_thr, "short_line_ratio")?;
        let line_feeds = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        let value = ratio(repeated.characters, code_points(text) - line_feeds);
        verdict.rule(
            2,
            value,
            value > self.char_duplicates_ratio,
            "char_dup_ratio",
        )?;
        let value = ratio(line_feeds, words.cut(text).len());
        verdict.rule(3, value, value > self.new_line_ratio, "list_ratio")
    }
}

impl Operator for FinewebQualityFilter {
    const NAME: &'static str = "fineweb_quality_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const KIND: Kind = Kind::Filter;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        self.tools = Some(Tools {
            words: Words::new(Language::parse(&self.language)?),
            pieces: Pieces::default(),
            classes: Classes::get(),
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
