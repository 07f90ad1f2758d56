//! `url_filter`

use crate::host::Suffixes;
use crate::rules::{self, Rules, Verdict};
use crate::table::Table;
use aho_corasick::AhoCorasick;
use djhost_sdk::prelude::*;
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Drops rows by their URL: domains, hosts, URLs and words from lists that you name.
///
/// As datatrove's `URLFilter` without its own lists: djhost ships none. Lists have an entry on each line;
/// empty lines and those that begin with `#` do not count. They stay sorted in memory, which takes their
/// size and four bytes for each line, in each worker. The first rule that a URL breaks is the stat
/// `url_reason`: `domain`, `subdomain`, `url`, `hard_blacklisted`, `soft_blacklisted` or
/// `blacklisted_subword`; it is empty for rows that stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UrlFilter {
    /// The field with the URL.
    pub url_key: String,
    /// How many different words of `soft_banned_words` drop a row.
    pub soft_word_threshold: usize,
    /// A file of domains, which someone has registered under a public suffix (`example.co.uk`), and of hosts
    /// (`shop.example.co.uk`).
    #[schemars(extend("format" = "read-file"))]
    pub extra_domains: String,
    /// A file of URLs, to compare as they are.
    #[schemars(extend("format" = "read-file"))]
    pub extra_urls: String,
    /// A file of words of which one drops a row. Words of a URL are what stands between characters that are no
    /// letters or digits of ASCII; capital letters differ.
    #[schemars(extend("format" = "read-file"))]
    pub banned_words: String,
    /// A file of words of which one drops a row wherever it stands in the URL, without regard to case and to
    /// characters that are no letters or digits of ASCII.
    #[schemars(extend("format" = "read-file"))]
    pub banned_subwords: String,
    /// A file of words of which some drop a row (`soft_word_threshold`).
    #[schemars(extend("format" = "read-file"))]
    pub soft_banned_words: String,
    #[serde(skip)]
    lists: Lists,
    #[serde(skip)]
    scratch: String,
}

#[derive(Default)]
struct Lists {
    /// With `domains`.
    suffixes: Option<Suffixes>,
    domains: Table,
    urls: Table,
    banned: HashSet<String>,
    soft: HashSet<String>,
    subwords: Option<AhoCorasick>,
}

impl Default for UrlFilter {
    fn default() -> Self {
        Self {
            url_key: "url".into(),
            soft_word_threshold: 2,
            extra_domains: String::new(),
            extra_urls: String::new(),
            banned_words: String::new(),
            banned_subwords: String::new(),
            soft_banned_words: String::new(),
            lists: Lists::default(),
            scratch: String::new(),
        }
    }
}

/// The letters and digits of ASCII of `text` in lower case.
fn normalized(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
}

impl Rules for UrlFilter {
    const REASON: &'static str = "url_reason";
    const WHOLE: &'static [&'static str] = &[
        "url_domain",
        "url_subdomain",
        "url_listed",
        "url_banned_words",
        "url_soft_words",
        "url_banned_subwords",
    ];

    fn stats(&self) -> Vec<Cow<'static, str>> {
        [
            "url_domain",
            "url_subdomain",
            "url_listed",
            "url_banned_words",
            "url_soft_words",
            "url_banned_subwords",
        ]
        .map(Cow::Borrowed)
        .into()
    }

    fn judge(&mut self, row: Row<'_>, verdict: &mut Verdict<'_>) -> ControlFlow<()> {
        let url = row.text(0).unwrap_or_default();
        if url.is_empty() {
            verdict.reject(format!("`{}` is empty: a row needs a URL", self.url_key));
            return ControlFlow::Break(());
        }
        let Lists {
            suffixes,
            domains,
            urls,
            banned,
            soft,
            subwords,
        } = &self.lists;
        let mut flag = |number, found: bool, reason| {
            verdict.rule(number, f64::from(u8::from(found)), found, reason)
        };
        let (mut domain, mut subdomain) = (false, false);
        if let Some(suffixes) = suffixes {
            let host = suffixes.host(url, &mut self.scratch);
            domain = domains.contains(host.registered_domain);
            subdomain = domains.contains(host.full);
        }
        flag(0, domain, "domain")?;
        flag(1, subdomain, "subdomain")?;
        flag(2, urls.contains(url), "url")?;
        // Few words: looking through them again is cheaper than a set of them.
        let (mut hard, mut soft_words) = (0, 0);
        if !banned.is_empty() || !soft.is_empty() {
            let words = || {
                url.split(|c: char| !c.is_ascii_alphanumeric())
                    .filter(|word| !word.is_empty())
            };
            for (i, word) in words().enumerate() {
                let (is_hard, is_soft) = (banned.contains(word), soft.contains(word));
                let is_new =
                    (is_hard || is_soft) && !words().take(i).any(|earlier| earlier == word);
                hard += usize::from(is_hard && is_new);
                soft_words += usize::from(is_soft && is_new);
            }
        }
        verdict.rule(3, hard as f64, hard > 0, "hard_blacklisted")?;
        verdict.rule(
            4,
            soft_words as f64,
            soft_words >= self.soft_word_threshold,
            "soft_blacklisted",
        )?;
        let count = match subwords {
            None => 0,
            Some(subwords) => {
                self.scratch.clear();
                self.scratch.extend(normalized(url));
                let most = if verdict.wants_values() {
                    usize::MAX
                } else {
                    1
                };
                subwords
                    .find_overlapping_iter(&self.scratch)
                    .take(most)
                    .count()
            }
        };
        verdict.rule(5, count as f64, count > 0, "blacklisted_subword")
    }
}

impl Operator for UrlFilter {
    const NAME: &'static str = "url_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const KIND: Kind = Kind::Filter;

    fn prepare(&mut self) -> Result<(), String> {
        if self.soft_word_threshold == 0 {
            return Err(
                "`soft_word_threshold` is 0: it must be at least 1, or all rows would go".into(),
            );
        }
        let words = |name, path| -> Result<Vec<String>, String> {
            let words = Table::read(name, path)?;
            Ok(words
                .iter()
                .map(|line| normalized(line).collect())
                .filter(|word: &String| !word.is_empty())
                .collect())
        };
        let subwords = words("banned_subwords", &self.banned_subwords)?;
        let domains = Table::read("extra_domains", &self.extra_domains)?;
        self.lists = Lists {
            suffixes: (!domains.is_empty()).then(Suffixes::new),
            domains,
            urls: Table::read("extra_urls", &self.extra_urls)?,
            banned: words("banned_words", &self.banned_words)?
                .into_iter()
                .collect(),
            soft: words("soft_banned_words", &self.soft_banned_words)?
                .into_iter()
                .collect(),
            subwords: match subwords.is_empty() {
                true => None,
                false => Some(
                    AhoCorasick::new(&subwords)
                        .map_err(|error| format!("`banned_subwords`: {error}"))?,
                ),
            },
        };
        Ok(())
    }

    fn signature(&self, _common: &Common) -> Signature {
        rules::signature(self, vec![Input::required(&self.url_key, ColumnType::Utf8)])
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        rules::process(self, common, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn lists(more: &str) -> String {
        let file = |name: &str| {
            format!(
                r#""{name}": "{}/tests/urls/{name}""#,
                env!("CARGO_MANIFEST_DIR")
            )
        };
        let files = [
            "extra_domains",
            "extra_urls",
            "banned_words",
            "banned_subwords",
            "soft_banned_words",
        ]
        .map(file);
        format!("{{{}{more}}}", files.join(", "))
    }

    #[test]
    fn each_rule_has_a_value() {
        let mut op =
            Runner::new(operator!(UrlFilter), &lists(r#", "url_key": "meta.url""#)).unwrap();
        let rows = [
            "https://a.example.co.uk/",
            "https://shop.example.com/cheap/cheap",
            "https://www.example.com/the-casino/cheap?free=1",
            "https://www.example.com/Se-xY/",
            "https://www.example.com/",
        ];
        let rows = rows.map(|url| format!(r#"{{"meta": {{"url": "{url}"}}}}"#));
        let out = op.filter_json(&rows.each_ref().map(String::as_str));
        assert_eq!(out.keep, [false, false, false, false, true]);
        assert_eq!(out.stat("url_domain"), [1.0, 0.0, 0.0, 0.0, 0.0].map(Some));
        assert_eq!(
            out.stat("url_subdomain"),
            [0.0, 1.0, 0.0, 0.0, 0.0].map(Some)
        );
        assert_eq!(
            out.stat("url_soft_words"),
            [0.0, 1.0, 2.0, 0.0, 0.0].map(Some)
        );
        assert_eq!(
            out.stat("url_banned_subwords"),
            [0.0, 0.0, 0.0, 1.0, 0.0].map(Some)
        );
    }

    #[test]
    fn a_row_without_a_url_cannot_be_judged() {
        let mut op = Runner::new(operator!(UrlFilter), "{}").unwrap();
        let out = op.filter_json(&[r#"{"url": ""}"#, r#"{"url": "x"}"#]);
        assert_eq!(out.keep, [false, true]);
        assert!(
            out.rejected[0].reason.contains("`url` is empty"),
            "{:?}",
            out.rejected
        );
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (params, named) in [
            (
                r#"{"soft_word_threshold": 0}"#,
                "`soft_word_threshold` is 0",
            ),
            (
                r#"{"extra_urls": "/does/not/exist"}"#,
                "`extra_urls`: cannot read `/does/not/exist`",
            ),
        ] {
            let error = Runner::new(operator!(UrlFilter), params)
                .unwrap_err()
                .to_string();
            assert!(error.contains(named), "{params}: {error}");
        }
    }
}
