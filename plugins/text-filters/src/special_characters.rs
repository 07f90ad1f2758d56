//! `special_characters_filter`

use crate::special;
use djhost_sdk::prelude::*;
use djhost_sdk::text;

/// Keeps texts whose share of special characters lies in a range.
///
/// Special are punctuation, symbols and emoji of one code point, and, as in Data-Juicer, digits and
/// white space.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecialCharactersFilter {
    /// The least ratio of special characters to characters.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
}

impl Default for SpecialCharactersFilter {
    fn default() -> Self {
        Self {
            min_ratio: 0.0,
            max_ratio: 0.25,
        }
    }
}

impl TextFilter for SpecialCharactersFilter {
    const NAME: &'static str = "special_characters_filter";
    const STAT: Stat = Stat::float("special_char_ratio");

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        let characters = text::code_points(text);
        Ok(crate::ratio(
            characters - special::count_plain(text),
            characters,
        ))
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
    fn digits_spaces_and_emoji_are_special_control_characters_are_not() {
        let mut op = Runner::new(operator!(SpecialCharactersFilter), "{}").unwrap();
        let out = op.filter(&["", "ab 1", "\u{1}\u{7f}\u{1c}a", "😀日。本", "Гг"]);
        assert_eq!(
            out.stat("special_char_ratio"),
            [0.0, 0.5, 0.0, 0.5, 0.5].map(Some)
        );
        assert_eq!(out.keep, [true, false, true, false, false]);
    }
}
