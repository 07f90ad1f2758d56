//! `url_filter`

use crate::rules::{self, Rules, Verdict};
use crate::url_lists::{Found, Lists};
use djhost_sdk::prelude::*;
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Drops rows by their URL: domains, hosts, URLs and words from lists that you name.
///
/// As datatrove's `URLFilter` without its own lists: djhost ships none. Lists have an entry on each line;
/// empty lines and those that begin with `#` do not count. The host has each list once for all workers, in
/// the memory of its file and four bytes for each line. The first rule that a URL breaks is the stat
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
    #[schemars(extend("format" = "model", "x-model" = {"kind": "lines", "optional": true}))]
    pub extra_domains: String,
    /// A file of URLs, to compare as they are.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "lines", "optional": true}))]
    pub extra_urls: String,
    /// A file of words of which one drops a row. Words of a URL are what stands between characters that are no
    /// letters or digits of ASCII; capital letters differ.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "words", "optional": true}))]
    pub banned_words: String,
    /// A file of words of which one drops a row wherever it stands in the URL, without regard to case and to
    /// characters that are no letters or digits of ASCII.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "substrings", "optional": true}))]
    pub banned_subwords: String,
    /// A file of words of which some drop a row (`soft_word_threshold`).
    #[schemars(extend("format" = "model", "x-model" = {"kind": "words", "optional": true}))]
    pub soft_banned_words: String,
    #[serde(skip)]
    lists: Lists,
    /// What the lists say of the batch at work.
    #[serde(skip)]
    found: Found,
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
            found: Found::default(),
        }
    }
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
        let found = &self.found.rows[row.index()];
        let mut flag = |number, found: bool, reason| {
            verdict.rule(number, f64::from(u8::from(found)), found, reason)
        };
        flag(0, found.domain, "domain")?;
        flag(1, found.host, "subdomain")?;
        flag(2, found.url, "url")?;
        let (banned, soft, subwords) = (found.banned, found.soft, found.subwords);
        verdict.rule(3, banned.into(), banned > 0, "hard_blacklisted")?;
        let too_many = soft as usize >= self.soft_word_threshold;
        verdict.rule(4, soft.into(), too_many, "soft_blacklisted")?;
        verdict.rule(5, subwords.into(), subwords > 0, "blacklisted_subword")
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
        self.lists = Lists::open()?;
        Ok(())
    }

    fn signature(&self, _common: &Common) -> Signature {
        rules::signature(self, vec![Input::required(&self.url_key, ColumnType::Utf8)])
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let counts = self.stats().iter().any(|key| common.wants(key));
        self.lists
            .look_up(batch, counts, &mut self.found)
            .map_err(|Reject(reason)| OpError::Failed(reason))?;
        rules::process(self, common, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lent::lend_models;
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
        let params = lists(r#", "url_key": "meta.url""#);
        let _lent = lend_models(operator!(UrlFilter), &params);
        let mut op = Runner::new(operator!(UrlFilter), &params).unwrap();
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
        let error = Runner::new(operator!(UrlFilter), r#"{"soft_word_threshold": 0}"#).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("`soft_word_threshold` is 0"), "{error}");
    }
}
