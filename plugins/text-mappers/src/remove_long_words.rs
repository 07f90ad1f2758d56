//! `remove_long_words_mapper`

use crate::words::{keep_words, strip_special};
use djhost_sdk::prelude::*;
use djhost_sdk::text::code_points;

/// Removes words whose length lies outside a range.
///
/// A word that is too long stays if it is not without the special characters at its ends. Runs of
/// spaces, tabs and line feeds become one.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveLongWordsMapper {
    /// The least number of characters of a word.
    pub min_len: i64,
    /// The greatest number.
    pub max_len: i64,
}

impl Default for RemoveLongWordsMapper {
    fn default() -> Self {
        Self {
            min_len: 1,
            max_len: i64::MAX,
        }
    }
}

impl TextMapper for RemoveLongWordsMapper {
    const NAME: &'static str = "remove_long_words_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let (min, max) = (self.min_len, self.max_len);
        let keep = |word: &str, _| {
            // No word has more characters than bytes, nor fewer than one.
            if min <= 1 && word.len() as i64 <= max {
                return true;
            }
            let length = code_points(word) as i64;
            if length > max {
                return (min..=max).contains(&(code_points(strip_special(word)) as i64));
            }
            length >= min
        };
        Ok(keep_words(text, out, keep))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn words_of_the_wrong_length_go() {
        let run = |params: &str, text: &str| {
            Runner::new(operator!(RemoveLongWordsMapper), params)
                .unwrap()
                .map(&[text])
                .remove(0)
        };
        assert_eq!(run("{}", "a  bb\n\nccc "), "a bb\nccc");
        assert_eq!(
            run(
                r#"{"min_len": 2, "max_len": 3}"#,
                "a bb\tccc dddd (ccc) (日本語) ((a))"
            ),
            "bb\tccc (ccc) (日本語)"
        );
        assert_eq!(run(r#"{"max_len": 2}"#, "日本 éé 日本語 ---"), "日本 éé");
        assert_eq!(run(r#"{"min_len": 0, "max_len": 2}"#, "---"), "---");
    }
}
