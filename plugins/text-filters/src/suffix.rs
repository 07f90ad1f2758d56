//! `suffix_filter`

use crate::field;
use djhost_sdk::json::Value;
use djhost_sdk::prelude::*;

/// Keeps rows that come from a file with one of some suffixes, as the field `__dj__suffix__` says.
///
/// With `reversed_range` the other rows stay.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SuffixFilter {
    /// The suffixes, compared exactly: a string, or a list of strings. None: all rows stay.
    pub suffixes: Suffixes,
}

/// One suffix or several.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Suffixes {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
    /// `null`: none.
    None,
}

impl Default for Suffixes {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Suffixes {
    fn list(&self) -> &[String] {
        match self {
            Self::One(suffix) => std::slice::from_ref(suffix),
            Self::Many(suffixes) => suffixes,
            Self::None => &[],
        }
    }
}

impl Operator for SuffixFilter {
    const NAME: &'static str = "suffix_filter";
    const TRAITS: Traits = Traits::NONE.json_constants();
    const KIND: Kind = Kind::Filter;

    fn signature(&self, _common: &Common) -> Signature {
        let path = (!self.suffixes.list().is_empty()).then(|| "__dj__suffix__".to_owned());
        field::signature(path.as_slice(), Vec::new())
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let suffixes = self.suffixes.list();
        Ok(field::judge(batch, |_, row| {
            if suffixes.is_empty() {
                return Ok(true);
            }
            let among = matches!(field::value(row, 0)?, Value::String(suffix) if suffixes.iter().any(|one| one == suffix.as_str()));
            Ok(among != common.reversed_range)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn suffixes_are_compared_exactly() {
        let rows = [
            r#"{"__dj__suffix__": ".txt"}"#,
            r#"{"__dj__suffix__": ".md"}"#,
            r#"{"__dj__suffix__": "txt"}"#,
            "{}",
        ];
        let keep = |params| {
            Runner::new(operator!(SuffixFilter), params)
                .unwrap()
                .filter_json(&rows)
                .keep
        };
        assert_eq!(keep(r#"{"suffixes": ".txt"}"#), [true, false, false, false]);
        assert_eq!(
            keep(r#"{"suffixes": [".txt", ".md"], "reversed_range": true}"#),
            [false, false, true, true]
        );
        assert_eq!(keep("{}"), [true; 4]);
        assert_eq!(keep(r#"{"suffixes": null}"#), [true; 4]);
    }
}
