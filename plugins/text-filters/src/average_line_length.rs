//! `average_line_length_filter`

use djhost_sdk::prelude::*;
use djhost_sdk::text;

/// Keeps texts whose average line length lies in a range.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AverageLineLengthFilter {
    /// The least average: characters of the text, line ends included, by the number of lines.
    pub min_len: i64,
    /// The greatest average.
    pub max_len: i64,
}

impl Default for AverageLineLengthFilter {
    fn default() -> Self {
        Self {
            min_len: 10,
            max_len: i64::MAX,
        }
    }
}

impl TextFilter for AverageLineLengthFilter {
    const NAME: &'static str = "average_line_length_filter";
    const TRAITS: Traits = Traits::NONE.leaves_out_stats();
    const STAT: Stat = Stat::float("avg_line_length");

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        Ok(crate::ratio(
            text::code_points(text),
            text::lines(text).count,
        ))
    }

    fn bounds(&mut self, text: &str) -> Option<(f64, f64)> {
        let characters = text::code_points(text);
        let least = crate::ratio(characters, text::lines_at_most(text));
        Some((least, characters as f64))
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
    fn line_ends_count_as_characters() {
        let mut op = Runner::new(operator!(AverageLineLengthFilter), r#"{"min_len": 2}"#).unwrap();
        let out = op.filter(&["", "ab\ncd\n", "a\r\nb", "\n\n", "é\u{2028}日本"]);
        assert_eq!(
            out.stat("avg_line_length"),
            [0.0, 3.0, 2.0, 1.0, 2.0].map(Some)
        );
        assert_eq!(out.keep, [false, true, true, false, true]);
    }
}
