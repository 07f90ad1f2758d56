//! `line_filter_mapper`

use crate::counter::is_counter;
use crate::removal::words;
use djhost_sdk::DROPPED;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{is_space, plain_pattern};
use djhost_words::Classes;
use djhost_words::classes::{CAPITAL, DIGIT};
use regex::Regex;
use std::borrow::Cow;

/// Removes lines that are headings in capitals, numbers, counters, single words or buttons: the rules of
/// RefinedWeb on lines, as DCLM applies them.
///
/// With the defaults and results of DCLM's `uppercase_ratio_line_modifier`,
/// `numeric_ratio_line_modifier`, `counter_line_modifier`, `line_length_modifier` and
/// `substring_line_modifier`, in this order. A text of which nothing is left is dropped, for the reason
/// that has the name of the function after which nothing was left, or `empty`. After each rule but that on
/// words, white space around the text goes.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LineFilterMapper {
    /// Remove lines with a greater share of capital letters among the characters; null: none.
    pub max_uppercase_ratio: Option<f64>,
    /// Remove lines with a greater share of digits; null: none. 0.999999 means all of them.
    pub max_numeric_ratio: Option<f64>,
    /// Remove lines that count something: `3 likes`, `1.2k views`.
    pub remove_counters: bool,
    /// Remove lines with fewer words, but not empty ones.
    pub min_words: usize,
    /// Remove lines with more words; null: none.
    pub max_words: Option<usize>,
    /// What to remove from lines, or with its line, in this order.
    pub substrings: Vec<Substring>,
    /// A field for the number of words that the text had before, for `word_removal_ratio_filter`. Empty: no
    /// such field.
    pub word_count_key: String,
    #[serde(skip)]
    patterns: Vec<Regex>,
}

/// What `line_filter_mapper` removes.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Substring {
    /// Regular expressions; one of them has to match.
    pub banlist: Vec<String>,
    /// Where in the line.
    pub location: Location,
    /// Only in lines with at most so many words; null: in all.
    pub max_length: Option<usize>,
    /// Whether capital letters differ from small ones.
    pub case_sensitive: bool,
    /// Remove only what matches, and the line if nothing is left of it. Otherwise the whole line.
    pub remove_substring_only: bool,
}

/// A place in a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// At the beginning.
    Prefix,
    /// At the end.
    Suffix,
    /// Anywhere.
    #[default]
    Any,
}

impl Default for Substring {
    fn default() -> Self {
        Self {
            banlist: Vec::new(),
            location: Location::Any,
            max_length: None,
            case_sensitive: false,
            remove_substring_only: false,
        }
    }
}

impl Default for LineFilterMapper {
    fn default() -> Self {
        let button = |text: &str, location| Substring {
            banlist: vec![text.into()],
            location,
            max_length: Some(10),
            remove_substring_only: true,
            ..Substring::default()
        };
        Self {
            max_uppercase_ratio: Some(0.5),
            max_numeric_ratio: Some(0.999999),
            remove_counters: true,
            min_words: 2,
            max_words: None,
            substrings: vec![
                button("items in cart", Location::Any),
                button("Read more...", Location::Suffix),
                button("Sign-in", Location::Prefix),
            ],
            word_count_key: String::new(),
            patterns: Vec::new(),
        }
    }
}

impl Substring {
    fn pattern(&self) -> Result<Regex, String> {
        if self.banlist.is_empty() {
            return Err("`substrings` has an entry without `banlist`: name what to remove".into());
        }
        let any = format!("(?:{})", self.banlist.join("|"));
        let pattern = match self.location {
            Location::Prefix => format!(r"^{any}\s?"),
            Location::Suffix => format!(r"\s?{any}$"),
            Location::Any => format!(r"\s?{any}"),
        };
        let case = if self.case_sensitive { "" } else { "(?i)" };
        plain_pattern("substrings", &format!("{case}{pattern}"))
    }
}

/// After which of DCLM's functions nothing is left of a text.
const UPPERCASE: &str = "uppercase_ratio_line_modifier";
const NUMERIC: &str = "numeric_ratio_line_modifier";
const COUNTERS: &str = "counter_line_modifier";
const LENGTH: &str = "line_length_modifier";
const SUBSTRINGS: &str = "substring_line_modifier";

/// The lines of a text, some of which may be other texts by now.
struct Lines<'a>(Vec<Cow<'a, str>>);

impl Lines<'_> {
    /// Removes white space around the text. Whether anything is left.
    fn strip(&mut self) -> bool {
        let is_blank = |line: &Cow<'_, str>| line.chars().all(is_space);
        let Some(first) = self.0.iter().position(|line| !is_blank(line)) else {
            return false;
        };
        self.0.drain(..first);
        while self.0.last().is_some_and(is_blank) {
            self.0.pop();
        }
        if let Some(first) = self.0.first_mut() {
            trim(first, |line| line.trim_start_matches(is_space));
        }
        if let Some(last) = self.0.last_mut() {
            trim(last, |line| line.trim_end_matches(is_space));
        }
        true
    }

    /// Whether the text is not empty.
    fn is_some(&self) -> bool {
        self.0.len() > 1 || self.0.first().is_some_and(|line| !line.is_empty())
    }
}

fn trim(line: &mut Cow<'_, str>, trim: fn(&str) -> &str) {
    match line {
        Cow::Borrowed(text) => *text = trim(text),
        Cow::Owned(text) => *text = trim(text).to_owned(),
    }
}

impl LineFilterMapper {
    /// The lines that are left, or why the text is dropped.
    fn filter<'a>(&self, text: &'a str) -> Result<Lines<'a>, &'static str> {
        let is_blank = || text.chars().all(is_space);
        let named = |reason| if is_blank() { "empty" } else { reason };
        self.left(text).map_err(named)
    }

    /// The same, whatever the text was.
    fn left<'a>(&self, text: &'a str) -> Result<Lines<'a>, &'static str> {
        let classes = Classes::get();
        let mut lines = Lines(text.split('\n').map(Cow::Borrowed).collect());
        let share = |line: &str, class| {
            let (mut all, mut of_class) = (0, 0);
            for c in line.chars() {
                all += 1;
                of_class += usize::from(classes.has(c, class));
            }
            of_class as f64 / all as f64
        };
        for (most, class, reason) in [
            (self.max_uppercase_ratio, CAPITAL, UPPERCASE),
            (self.max_numeric_ratio, DIGIT, NUMERIC),
        ] {
            if let Some(most) = most {
                lines
                    .0
                    .retain(|line| line.is_empty() || share(line, class) <= most);
                lines.strip().then_some(()).ok_or(reason)?;
            }
        }
        if self.remove_counters {
            lines.0.retain(|line| !is_counter(line));
            lines.strip().then_some(()).ok_or(COUNTERS)?;
        }
        if self.min_words > 0 || self.max_words.is_some() {
            let most = self.max_words.unwrap_or(usize::MAX);
            lines.0.retain(|line| {
                line.is_empty() || (self.min_words..=most).contains(&number_of_words(line))
            });
            lines.is_some().then_some(()).ok_or(LENGTH)?;
        }
        for (rule, pattern) in self.substrings.iter().zip(&self.patterns) {
            lines.0.retain_mut(|line| {
                if rule
                    .max_length
                    .is_some_and(|most| number_of_words(line) > most)
                {
                    return true;
                }
                if !rule.remove_substring_only {
                    return !pattern.is_match(line);
                }
                let was_empty = line.is_empty();
                if let Cow::Owned(rest) = pattern.replace_all(line, "") {
                    *line = Cow::Owned(rest);
                }
                // Also lines that are only white space go, as in DCLM.
                was_empty || !line.chars().all(is_space)
            });
            lines.strip().then_some(()).ok_or(SUBSTRINGS)?;
        }
        Ok(lines)
    }
}

/// Python's `len(line.split())`.
fn number_of_words(line: &str) -> usize {
    line.split(is_space).filter(|word| !word.is_empty()).count()
}

impl Operator for LineFilterMapper {
    const NAME: &'static str = "line_filter_mapper";
    const TRAITS: Traits = Traits::NONE.gives_drop_reasons();
    const KIND: Kind = Kind::Mapper;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        if let Some(most) = self.max_words.filter(|most| *most < self.min_words) {
            return Err(format!(
                "`max_words` is {most}, below `min_words`, {}: all lines would go",
                self.min_words
            ));
        }
        self.patterns = self
            .substrings
            .iter()
            .map(Substring::pattern)
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    fn signature(&self, common: &Common) -> Signature {
        let count = Computed::new(&self.word_count_key, ColumnType::S64);
        let count = (!self.word_count_key.is_empty()).then_some(count);
        Signature {
            reads: vec![Input::required(&common.text_key, ColumnType::Utf8)],
            writes: [Computed::new(&common.text_key, ColumnType::Utf8)]
                .into_iter()
                .chain(count)
                .collect(),
            ..Signature::default()
        }
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        let (mut origins, mut made, mut counts) = (Vec::new(), Texts::default(), Vec::new());
        let mut reasons: Vec<Option<&str>> = Vec::new();
        for row in 0..batch.rows() {
            let text = texts.value(row);
            let (lines, reason) = match self.filter(text) {
                Ok(lines) => (lines, None),
                Err(reason) if common.drop_reasons => (Lines(Vec::new()), Some(reason)),
                Err(_) => continue,
            };
            origins.push(row as u32);
            reasons.push(reason);
            made.push_with(|out| {
                for (i, line) in lines.0.iter().enumerate() {
                    if i > 0 {
                        out.push('\n');
                    }
                    out.push_str(line);
                }
            });
            if !self.word_count_key.is_empty() {
                counts.push(words(text) as i64);
            }
        }
        let mut fields = vec![Field {
            path: common.text_key.clone(),
            values: Column::Utf8(made),
        }];
        if !self.word_count_key.is_empty() {
            fields.push(Field {
                path: self.word_count_key.clone(),
                values: Column::S64(counts.into()),
            });
        }
        if reasons.iter().any(Option::is_some) {
            fields.push(Field {
                path: DROPPED.into(),
                values: Column::Utf8(reasons.into_iter().collect()),
            });
        }
        Ok(Output::Rows {
            origins,
            fields,
            rejected: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn map(params: &str, texts: &[&str]) -> Vec<String> {
        Runner::new(operator!(LineFilterMapper), params)
            .unwrap()
            .map(texts)
    }

    #[test]
    fn lines_of_the_page_around_the_text_go() {
        let text = "LATEST NEWS TODAY\n2024\n3 likes\nHome\nThe ferry leaves.\n\n2 Items in cart\nAll about it Read more...\nsign-in to see";
        assert_eq!(
            map("{}", &[text, "HOME\n12", ""]),
            ["The ferry leaves.\n\n2\nAll about it\nto see"]
        );
    }

    #[test]
    fn rules_can_be_chosen() {
        let none = r#"{"max_uppercase_ratio": null, "max_numeric_ratio": null, "remove_counters": false, "min_words": 0, "substrings": []}"#;
        assert_eq!(map(none, &[" A\n1 \n", ""]), [" A\n1 \n", ""]);
        let whole = r#"{"min_words": 0, "substrings": [{"banlist": ["Next", "back"], "case_sensitive": true}]}"#;
        assert_eq!(
            map(whole, &["Next page\nnext page\ngo back"]),
            ["next page"]
        );
    }

    #[test]
    fn the_number_of_words_is_noted() {
        let params = r#"{"word_count_key": "meta.words"}"#;
        let out = Runner::new(operator!(LineFilterMapper), params)
            .unwrap()
            .map_json(&[r#"{"text": "One\nthe other two, - ok"}"#]);
        let out: serde_json::Value = serde_json::from_str(&out[0]).unwrap();
        assert_eq!(out["meta"]["words"].as_f64(), Some(5.0));
        assert_eq!(out["text"], "the other two, - ok");
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (params, named) in [
            (r#"{"min_words": 3, "max_words": 2}"#, "`max_words` is 2"),
            (
                r#"{"substrings": [{}]}"#,
                "`substrings` has an entry without `banlist`",
            ),
            (
                r#"{"substrings": [{"banlist": ["(?=x)"]}]}"#,
                "`substrings`",
            ),
            (
                r#"{"substrings": [{"banlist": ["x"], "where": "end"}]}"#,
                "`substrings`",
            ),
        ] {
            let error = Runner::new(operator!(LineFilterMapper), params)
                .unwrap_err()
                .to_string();
            assert!(error.contains(named), "{params}: {error}");
        }
    }
}
