//! `c4_quality_mapper`

use crate::lines::lines;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{code_points, is_decimal, is_space, lower_into, strip};
use djhost_words::{Language, Words};
use std::ops::ControlFlow;

/// Keeps the lines of a text that read like sentences, and drops texts with few of them: C4's rules.
///
/// With the names, defaults and results of datatrove's `C4QualityFilter`. A line goes if a word of it is
/// too long, it does not end a sentence, has too few words, or speaks of JavaScript or of terms and
/// cookies; the text goes if a line that is still there has `lorem ipsum` or `{`, or if too few sentences
/// are left. The lines that stay are stripped. Why a text went is told with datatrove's words:
/// `lorem_ipsum`, `curly_bracket`, `too_few_sentences`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct C4QualityMapper {
    /// Judge lines. Otherwise sentences, which are then joined by spaces.
    pub split_paragraph: bool,
    /// Remove `[1]`, `[edit]` and `[citation needed]`.
    pub remove_citations: bool,
    /// Remove lines that do not end with `.`, `?`, `!`, `"` or `'`, or that end with `...`.
    pub filter_no_terminal_punct: bool,
    /// Drop texts with fewer sentences in the lines that stay; -1: keep all.
    pub min_num_sentences: i64,
    /// Remove lines with fewer words; -1: none.
    pub min_words_per_line: i64,
    /// Remove lines with a word of more characters; -1: none.
    pub max_word_length: i64,
    /// Drop texts with `lorem ipsum`.
    pub filter_lorem_ipsum: bool,
    /// Remove lines with `javascript`.
    pub filter_javascript: bool,
    /// Drop texts with `{`.
    pub filter_curly_bracket: bool,
    /// Remove lines about terms of use, privacy and cookies.
    pub filter_policy: bool,
    /// The language by whose rules sentences are found: `en`, or `xx` for languages without rules.
    pub language: String,
    #[serde(skip)]
    words: Option<Words>,
    #[serde(skip)]
    ends: Vec<usize>,
    #[serde(skip)]
    lower: String,
    #[serde(skip)]
    without_citations: String,
    #[serde(skip)]
    kept: String,
}

const POLICY: [&str; 6] = [
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
];

impl Default for C4QualityMapper {
    fn default() -> Self {
        Self {
            split_paragraph: true,
            remove_citations: true,
            filter_no_terminal_punct: true,
            min_num_sentences: 5,
            min_words_per_line: 3,
            max_word_length: 1000,
            filter_lorem_ipsum: true,
            filter_javascript: true,
            filter_curly_bracket: true,
            filter_policy: true,
            language: "en".into(),
            words: None,
            ends: Vec::new(),
            lower: String::new(),
            without_citations: String::new(),
            kept: String::new(),
        }
    }
}

impl C4QualityMapper {
    /// Adds a line to those that are kept, if it stays. Breaks with the reason if the text goes because
    /// of it. The
    /// number of sentences grows by those of the line.
    fn line(&mut self, line: &str, sentences: &mut i64) -> ControlFlow<&'static str> {
        let line = strip(line);
        let words = || line.split(is_space).filter(|word| !word.is_empty());
        let long = |word: &str| {
            word.len() as i64 > self.max_word_length
                && code_points(word) as i64 > self.max_word_length
        };
        if self.max_word_length != -1 && words().any(long) {
            return ControlFlow::Continue(());
        }
        let number_of_words = words().count() as i64;
        self.without_citations.clear();
        let mut line = line;
        if self.remove_citations && without_citations(line, &mut self.without_citations) {
            line = &self.without_citations;
        }
        let ends = line.ends_with(['.', '?', '!', '"', '\'']) && !line.ends_with("...");
        if (self.filter_no_terminal_punct && !ends) || number_of_words < self.min_words_per_line {
            return ControlFlow::Continue(());
        }
        self.lower.clear();
        lower_into(line, &mut self.lower);
        if self.filter_lorem_ipsum && self.lower.contains("lorem ipsum") {
            return ControlFlow::Break("lorem_ipsum");
        }
        if self.filter_javascript && self.lower.contains("javascript") {
            return ControlFlow::Continue(());
        }
        if self.filter_curly_bracket && line.contains('{') {
            return ControlFlow::Break("curly_bracket");
        }
        if self.filter_policy && POLICY.iter().any(|phrase| self.lower.contains(phrase)) {
            return ControlFlow::Continue(());
        }
        if self.min_num_sentences != -1 {
            let words = self.words.as_mut().filter(|_| self.split_paragraph);
            // An empty line counts as one, as in datatrove.
            *sentences +=
                words.map_or(1, |words| words.sentences(line, &mut self.ends).max(1)) as i64;
        }
        self.kept.push_str(line);
        self.kept
            .push(if self.split_paragraph { '\n' } else { ' ' });
        ControlFlow::Continue(())
    }
}

/// Appends `line` without its citation marks to `out`. Whether there are any.
fn without_citations(line: &str, out: &mut String) -> bool {
    let mut done = 0;
    for (at, _) in line.match_indices('[') {
        if at < done {
            continue;
        }
        let inside = &line[at + 1..];
        let digits = inside.len() - inside.trim_start_matches(is_decimal).len();
        let len = ["edit", "citation needed", &inside[..digits]]
            .into_iter()
            .find(|mark| {
                inside
                    .strip_prefix(mark)
                    .is_some_and(|rest| rest.starts_with(']'))
            });
        if let Some(mark) = len {
            out.push_str(&line[done..at]);
            done = at + mark.len() + 2;
        }
    }
    if done > 0 {
        out.push_str(&line[done..]);
    }
    done > 0
}

impl Expander for C4QualityMapper {
    const NAME: &'static str = "c4_quality_mapper";
    const TRAITS: Traits = Traits::NONE.gives_drop_reasons();
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        self.words = Some(Words::new(Language::parse(&self.language)?));
        Ok(())
    }

    fn expand(&mut self, text: &str, out: &mut NewRows) -> Result<(), Reject> {
        self.kept.clear();
        let mut sentences = 0;
        let judged = if self.split_paragraph {
            lines(text).try_for_each(|line| self.line(line, &mut sentences))
        } else {
            let mut ends = Vec::new();
            if let Some(words) = &mut self.words {
                words.sentence_ends(text, &mut ends);
            }
            // What is behind the last sentence belongs to it.
            ends.pop();
            ends.push(text.len());
            let mut start = 0;
            ends.into_iter().try_for_each(|end| {
                let sentence = &text[start..end];
                start = end;
                self.line(sentence, &mut sentences)
            })
        };
        match judged {
            ControlFlow::Break(reason) => out.drop_because(reason),
            ControlFlow::Continue(()) if sentences < self.min_num_sentences => {
                out.drop_because("too_few_sentences");
            }
            ControlFlow::Continue(()) => out.push(strip(&self.kept)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn map(params: &str, texts: &[&str]) -> Vec<String> {
        Runner::new(operator!(C4QualityMapper), params)
            .unwrap()
            .map(texts)
    }

    #[test]
    fn lines_that_end_no_sentence_go() {
        let text = "Home | About\n  The river is wide.[1] It is old. \nWho knows it? We do!\nPlease enable JavaScript now.\nTwo words.\nIt was told \"then.\"";
        assert_eq!(
            map("{}", &[text]),
            ["The river is wide. It is old.\nWho knows it? We do!\nIt was told \"then.\""]
        );
        assert_eq!(map(r#"{"min_num_sentences": 6}"#, &[text]), [""; 0]);
        assert_eq!(
            map(
                r#"{"split_paragraph": false, "min_num_sentences": 2}"#,
                &["One is here. two. Three is there. Four is {not."]
            ),
            [""; 0]
        );
    }

    #[test]
    fn wrong_parameters_are_named() {
        let error = Runner::new(operator!(C4QualityMapper), r#"{"language": "zh"}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("`language` is `zh`"), "{error}");
    }

    #[test]
    fn citation_marks_go() {
        for (line, expected) in [
            ("a[1][] b[edit].", "a b."),
            ("[[citation needed]", "["),
            ("[x] [edit ]", ""),
            ("é[٣]", "é"),
        ] {
            let mut out = String::new();
            assert_eq!(
                without_citations(line, &mut out),
                !expected.is_empty(),
                "{line}"
            );
            assert_eq!(out, expected);
        }
    }
}
