//! `maximum_line_length_filter`

use djhost_sdk::prelude::*;
use djhost_sdk::text;

/// Keeps texts whose longest line has a length in a range.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MaximumLineLengthFilter {
    /// The least number of characters of the longest line, its end not counted.
    pub min_len: i64,
    /// The greatest number.
    pub max_len: i64,
}

impl Default for MaximumLineLengthFilter {
    fn default() -> Self {
        Self {
            min_len: 10,
            max_len: i64::MAX,
        }
    }
}

impl TextFilter for MaximumLineLengthFilter {
    const NAME: &'static str = "maximum_line_length_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const STAT: Stat = Stat::integer("max_line_length");

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        Ok(text::lines(text).longest as f64)
    }

    fn bounds(&mut self, text: &str) -> Option<(f64, f64)> {
        let beginning = &text[..text.floor_char_boundary(crate::BEGINNING)];
        Some((text::lines(beginning).longest as f64, text.len() as f64))
    }

    fn range(&self) -> (f64, f64) {
        (self.min_len as f64, self.max_len as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn the_longest_line_without_its_end() {
        let mut op = Runner::new(
            operator!(MaximumLineLengthFilter),
            r#"{"max_len": 3, "min_len": 1}"#,
        )
        .unwrap();
        let out = op.filter(&["", "ab\ncde\n", "日本語です", "\r\n", "a\u{b}bb"]);
        assert_eq!(
            out.stat("max_line_length"),
            [0.0, 3.0, 5.0, 0.0, 2.0].map(Some)
        );
        assert_eq!(out.keep, [false, true, false, false, true]);
    }
}
