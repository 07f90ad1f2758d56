//! `alphanumeric_filter`

use djhost_sdk::prelude::*;
use djhost_sdk::text;

/// Keeps texts whose share of letters and digits lies in a range.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AlphanumericFilter {
    /// Count by tokens of a model instead of characters. Not supported yet: must be false.
    pub tokenization: bool,
    /// The least ratio of letters and digits, of any script, to characters.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
}

impl Default for AlphanumericFilter {
    fn default() -> Self {
        Self { tokenization: false, min_ratio: 0.25, max_ratio: i64::MAX as f64 }
    }
}

impl TextFilter for AlphanumericFilter {
    const NAME: &'static str = "alphanumeric_filter";
    const STAT: Stat = Stat::float("alnum_ratio");

    fn prepare(&mut self) -> Result<(), String> {
        crate::refuse_tokenization(self.tokenization)
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        Ok(crate::ratio(text::alphanumeric(text), text::code_points(text)))
    }

    fn range(&self) -> (f64, f64) {
        (self.min_ratio, self.max_ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn letters_and_digits_of_any_script_count() {
        let mut op = Runner::new(operator!(AlphanumericFilter), r#"{"min_ratio": 0.5}"#).unwrap();
        let out = op.filter(&["", "ab1!", "日本語。", "²③", "-- -", "e\u{301}"]);
        assert_eq!(out.stat("alnum_ratio"), [0.0, 0.75, 0.75, 1.0, 0.0, 0.5].map(Some));
        assert_eq!(out.keep, [false, true, true, true, false, true]);
    }

    #[test]
    fn tokenization_is_refused() {
        let error = Runner::new(operator!(AlphanumericFilter), r#"{"tokenization": true}"#).unwrap_err();
        assert!(error.to_string().contains("`tokenization: true` is not supported"), "{error}");
    }
}
