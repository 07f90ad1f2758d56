//! `c4_badwords_filter`

use crate::rules::{self, Rules, Verdict};
use aho_corasick::AhoCorasick;
use djhost_sdk::prelude::*;
use djhost_sdk::text::lower_into;
use djhost_words::Classes;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Drops texts with a word of a list: C4's rule on bad words, for lists that you name.
///
/// As datatrove's `C4BadWordsFilter`, but for the lists: djhost ships none. In Japanese, Thai and Chinese
/// a word counts wherever it stands, in other languages between characters that are no letters, digits
/// or `_`. The stat `c4_badwords` is the number of such places; `c4_badwords_reason` is
/// `document_removed_with_badwords`, or empty for texts that stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct C4BadwordsFilter {
    /// A directory with a list for each language, a file with the language's code as its name (`en`), with a
    /// word or a phrase on each line, in lower case.
    #[schemars(extend("format" = "read-dir", "x-if-missing" = "name a directory with word lists, such as a copy of the LDNOOBW lists"))]
    pub badwords_dir: String,
    /// The share of texts with bad words to keep nevertheless, 0 to 1; the job's seed and the row decide
    /// which.
    pub keep_fraction: f64,
    /// Put texts of a language without a list into quarantine. Otherwise they stay.
    pub fail_on_missing_language: bool,
    /// The field with the code of the text's language.
    pub language_key: String,
    /// The language of texts without this field.
    pub default_language: String,
    #[serde(skip)]
    lists: BTreeMap<String, List>,
    #[serde(skip)]
    lower: String,
    #[serde(skip)]
    seed: u64,
}

struct List {
    words: AhoCorasick,
    /// Whether words are found within words, too.
    anywhere: bool,
}

/// Words that stay in no list: each of them would drop more than a tenth of the texts of its language.
const ALLOWED: [&str; 4] = ["sm", "グロ", "女の子", "性"];

impl Default for C4BadwordsFilter {
    fn default() -> Self {
        Self {
            badwords_dir: String::new(),
            keep_fraction: 0.0,
            fail_on_missing_language: true,
            language_key: "language".into(),
            default_language: "en".into(),
            lists: BTreeMap::new(),
            lower: String::new(),
            seed: 0,
        }
    }
}

impl List {
    fn new(language: &str, lines: &str) -> Result<Self, String> {
        let words = lines
            .lines()
            .map(str::trim)
            .filter(|word| !word.is_empty() && !ALLOWED.contains(word));
        Ok(Self {
            words: AhoCorasick::new(words).map_err(|error| error.to_string())?,
            anywhere: matches!(language, "ja" | "th" | "zh"),
        })
    }

    /// The places of bad words in `text`, which is in lower case.
    fn places(&self, text: &str) -> impl Iterator<Item = ()> {
        let classes = Classes::get();
        let is_word = move |c: Option<char>| c.is_some_and(|c| classes.is_word(c));
        let stands_alone = move |start: usize, end: usize| {
            self.anywhere
                || !(is_word(text[..start].chars().next_back())
                    || is_word(text[end..].chars().next()))
        };
        self.words
            .find_overlapping_iter(text)
            .filter(move |found| stands_alone(found.start(), found.end()))
            .map(|_| ())
    }
}

impl C4BadwordsFilter {
    /// Whether a text with bad words stays.
    fn is_lucky(&self, row: u64) -> bool {
        let mut x = (row ^ self.seed.rotate_left(32)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        ((x >> 11) as f64) < self.keep_fraction * (1u64 << 53) as f64
    }
}

impl Rules for C4BadwordsFilter {
    const REASON: &'static str = "c4_badwords_reason";
    const WHOLE: &'static [&'static str] = &["c4_badwords"];

    fn stats(&self) -> Vec<Cow<'static, str>> {
        vec!["c4_badwords".into()]
    }

    fn judge(&mut self, row: Row<'_>, verdict: &mut Verdict<'_>) -> ControlFlow<()> {
        let language = row.text(1).unwrap_or(&self.default_language);
        let Some(list) = self.lists.get(language) else {
            if self.fail_on_missing_language {
                let have: Vec<&str> = self.lists.keys().map(String::as_str).collect();
                verdict.reject(format!(
                    "no list of bad words for the language `{language}`: there are those of `{}`",
                    have.join("`, `")
                ));
            }
            return ControlFlow::Break(());
        };
        self.lower.clear();
        lower_into(row.text(0).unwrap_or_default(), &mut self.lower);
        let most = if verdict.wants_values() {
            usize::MAX
        } else {
            1
        };
        let count = list.places(&self.lower).take(most).count();
        let dropped = count > 0 && !(self.keep_fraction > 0.0 && self.is_lucky(row.id()));
        verdict.rule(0, count as f64, dropped, "document_removed_with_badwords")
    }
}

impl Operator for C4BadwordsFilter {
    const NAME: &'static str = "c4_badwords_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const KIND: Kind = Kind::Filter;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.keep_fraction) {
            return Err(format!(
                "`keep_fraction` is {}: it must be between 0 and 1",
                self.keep_fraction
            ));
        }
        let dir = &self.badwords_dir;
        if dir.is_empty() {
            return Err("`badwords_dir` is missing: it must name a directory with a word list for each language, such as `en`".into());
        }
        let failed =
            |error: std::io::Error| format!("`badwords_dir`: cannot read `{dir}`: {error}");
        for entry in std::fs::read_dir(dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // A language, not a README.md.
            let Some(language) = path
                .file_name()
                .and_then(|name| name.to_str())
                .filter(|name| !name.contains('.'))
            else {
                continue;
            };
            if path.is_dir() {
                continue;
            }
            let lines = std::fs::read_to_string(&path).map_err(|error| {
                format!("`badwords_dir`: cannot read `{}`: {error}", path.display())
            })?;
            self.lists
                .insert(language.to_owned(), List::new(language, &lines)?);
        }
        if !self.lists.contains_key(&self.default_language) && self.fail_on_missing_language {
            let have: Vec<&str> = self.lists.keys().map(String::as_str).collect();
            return Err(format!(
                "`badwords_dir`: `{dir}` has no file `{}`, the list of `default_language`; it has `{}`",
                self.default_language,
                have.join("`, `")
            ));
        }
        Ok(())
    }

    fn signature(&self, common: &Common) -> Signature {
        let language = Input::optional(&self.language_key, ColumnType::Utf8);
        rules::signature(
            self,
            vec![
                Input::required(&common.text_key, ColumnType::Utf8),
                language,
            ],
        )
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        self.seed = common.seed;
        rules::process(self, common, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn dir() -> String {
        serde_json::to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/badwords")).unwrap()
    }

    fn texts(texts: &[&str]) -> Vec<&'static str> {
        texts
            .iter()
            .map(|text| &*serde_json::json!({ "text": text }).to_string().leak())
            .collect()
    }

    #[test]
    fn words_count_where_they_stand_alone() {
        let mut op = Runner::new(
            operator!(C4BadwordsFilter),
            &format!(r#"{{"badwords_dir": {}}}"#, dir()),
        )
        .unwrap();
        let out = op.filter_json(&texts(&[
            "In the Garden.",
            "gardening",
            "Winter bridge, C++ c++",
            "",
            "sm",
        ]));
        assert_eq!(out.keep, [false, true, false, true, true]);
        assert_eq!(out.stat("c4_badwords"), [1.0, 0.0, 3.0, 0.0, 0.0].map(Some));
    }

    #[test]
    fn a_row_names_its_language() {
        let mut op = Runner::new(
            operator!(C4BadwordsFilter),
            &format!(r#"{{"badwords_dir": {}}}"#, dir()),
        )
        .unwrap();
        let out = op.filter_json(&[
            r#"{"text": "生日", "language": "zh"}"#,
            r#"{"text": "garden", "language": "zh"}"#,
            r#"{"text": "x", "language": "tlh"}"#,
        ]);
        assert_eq!(out.keep, [false, true, false]);
        assert!(
            out.rejected[0]
                .reason
                .contains("`tlh`: there are those of `en`, `zh`"),
            "{:?}",
            out.rejected
        );
    }

    #[test]
    fn a_share_stays() {
        let params = format!(r#"{{"badwords_dir": {}, "keep_fraction": 0.25}}"#, dir());
        let mut op = Runner::new(operator!(C4BadwordsFilter), &params).unwrap();
        let kept = op
            .filter_json(&texts(&["garden"; 4000]))
            .keep
            .iter()
            .filter(|keep| **keep)
            .count();
        assert!((900..1100).contains(&kept), "{kept}");
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (params, name) in [
            ("{}".to_owned(), "`badwords_dir` is missing"),
            (
                r#"{"badwords_dir": "/does/not/exist"}"#.to_owned(),
                "cannot read `/does/not/exist`",
            ),
            (
                format!(r#"{{"badwords_dir": {}, "default_language": "de"}}"#, dir()),
                "has no file `de`",
            ),
            (
                format!(r#"{{"badwords_dir": {}, "keep_fraction": 2}}"#, dir()),
                "`keep_fraction` is 2",
            ),
        ] {
            let error = Runner::new(operator!(C4BadwordsFilter), &params)
                .unwrap_err()
                .to_string();
            assert!(error.contains(name), "{params}: {error}");
        }
    }
}
