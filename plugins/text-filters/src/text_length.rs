//! `text_length_filter`

use djhost_sdk::prelude::*;
use djhost_sdk::text;

/// Keeps texts whose number of characters lies in a range.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TextLengthFilter {
    /// The least number of characters (Unicode code points).
    pub min_len: i64,
    /// The greatest number of characters.
    pub max_len: i64,
}

impl Default for TextLengthFilter {
    fn default() -> Self {
        Self {
            min_len: 10,
            max_len: i64::MAX,
        }
    }
}

impl TextFilter for TextLengthFilter {
    const NAME: &'static str = "text_length_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const STAT: Stat = Stat::integer("text_len");

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        Ok(text::code_points(text) as f64)
    }

    fn bounds(&mut self, text: &str) -> Option<(f64, f64)> {
        // A code point has one to four bytes.
        Some((text.len().div_ceil(4) as f64, text.len() as f64))
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
    fn counts_code_points_and_keeps_both_ends() {
        let mut op = Runner::new(
            operator!(TextLengthFilter),
            r#"{"min_len": 2, "max_len": 3}"#,
        )
        .unwrap();
        let out = op.filter(&["", "é", "日本", "abc", "abcd"]);
        assert_eq!(out.keep, [false, false, true, true, false]);
        assert_eq!(out.stat("text_len"), [0.0, 1.0, 2.0, 3.0, 4.0].map(Some));
    }

    #[test]
    fn open_and_reversed_ranges() {
        let keep = |params| {
            Runner::new(operator!(TextLengthFilter), params)
                .unwrap()
                .filter(&["a", "ab", "abc", "abcd"])
                .keep
        };
        assert_eq!(
            keep(r#"{"min_len": 2, "max_len": 3, "min_closed_interval": false}"#),
            [false, false, true, false]
        );
        assert_eq!(
            keep(r#"{"min_len": 2, "max_len": 3, "max_closed_interval": false}"#),
            [false, true, false, false]
        );
        // Reversed, the ends belong to the outside, unless they are open.
        assert_eq!(
            keep(r#"{"min_len": 1, "max_len": 3, "reversed_range": true}"#),
            [true, false, true, true]
        );
        let open =
            r#"{"min_len": 1, "max_len": 3, "reversed_range": true, "min_closed_interval": false}"#;
        assert_eq!(keep(open), [false, false, true, true]);
    }

    #[test]
    fn a_stat_that_a_row_has_is_used_and_kept() {
        let mut op = Runner::new(operator!(TextLengthFilter), "{}").unwrap();
        let out = op.filter_json(&[
            r#"{"text": "short", "__dj__stats__": {"text_len": 99}}"#,
            r#"{"text": "short"}"#,
        ]);
        assert_eq!(out.keep, [true, false]);
        assert_eq!(out.stat("text_len"), [Some(99.0), Some(5.0)]);
    }
}
