//! `remove_non_chinese_character_mapper`

use crate::charfilter::without;
use djhost_sdk::prelude::*;

/// Removes all characters that are not Chinese (U+4E00 to U+9FA5), except the kinds that are kept.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveNonChineseCharacterMapper {
    /// Keep `A` to `Z` and `a` to `z`.
    pub keep_alphabet: bool,
    /// Keep `0` to `9`.
    pub keep_number: bool,
    /// Keep common punctuation and the space.
    pub keep_punc: bool,
}

impl Default for RemoveNonChineseCharacterMapper {
    fn default() -> Self {
        Self { keep_alphabet: true, keep_number: true, keep_punc: true }
    }
}

impl TextMapper for RemoveNonChineseCharacterMapper {
    const NAME: &'static str = "remove_non_chinese_character_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let kept = |c: char| match c {
            '\u{4e00}'..='\u{9fa5}' => true,
            'a'..='z' | 'A'..='Z' => self.keep_alphabet,
            '0'..='9' => self.keep_number,
            '.' | ' ' | ',' | '-' | '%' | '*' | '/' | '&' | '(' | ')' | '+' | '!' => self.keep_punc,
            '，' | '。' | '《' | '》' | '•' | '、' | '＆' | '—' | '（' | '）' | '：' | '？' | '！' | '“' | '”' | '·' => {
                self.keep_punc
            }
            _ => false,
        };
        Ok(without(text, out, |c| !kept(c)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn keeps_what_is_asked_for() {
        let run = |params: &str| {
            Runner::new(operator!(RemoveNonChineseCharacterMapper), params).unwrap().map(&["你好, World 42!é\n？"]).remove(0)
        };
        assert_eq!(run("{}"), "你好, World 42!？");
        assert_eq!(run(r#"{"keep_alphabet": false, "keep_number": false}"#), "你好,  !？");
        assert_eq!(run(r#"{"keep_punc": false}"#), "你好World42");
    }
}
