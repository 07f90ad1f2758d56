//! `remove_non_chinese_character_mapper`

use crate::charfilter::only;
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
    #[serde(skip)]
    scratch: Vec<u8>,
}

impl Default for RemoveNonChineseCharacterMapper {
    fn default() -> Self {
        Self {
            keep_alphabet: true,
            keep_number: true,
            keep_punc: true,
            scratch: Vec::new(),
        }
    }
}

impl TextMapper for RemoveNonChineseCharacterMapper {
    const NAME: &'static str = "remove_non_chinese_character_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let bits = |chars: &str| chars.bytes().fold(0u128, |bits, c| bits | 1 << c);
        let kinds = [
            (
                self.keep_alphabet,
                bits("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            ),
            (self.keep_number, bits("0123456789")),
            (self.keep_punc, bits(". ,-%*/&()+!")),
        ];
        let ascii = kinds
            .iter()
            .filter(|(keep, _)| *keep)
            .fold(0, |all, (_, bits)| all | bits);
        Ok(only(text, &mut self.scratch, out, ascii, |c| match c {
            0x4e00..=0x9fa5 => true,
            _ => self.keep_punc && char::from_u32(c).is_some_and(is_punctuation),
        }))
    }
}

/// The punctuation beyond ASCII that is kept.
fn is_punctuation(c: char) -> bool {
    matches!(
        c,
        '，' | '。'
            | '《'
            | '》'
            | '•'
            | '、'
            | '＆'
            | '—'
            | '（'
            | '）'
            | '：'
            | '？'
            | '！'
            | '“'
            | '”'
            | '·'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn keeps_what_is_asked_for() {
        let run = |params: &str| {
            Runner::new(operator!(RemoveNonChineseCharacterMapper), params)
                .unwrap()
                .map(&["你好, World 42!é\n？"])
                .remove(0)
        };
        assert_eq!(run("{}"), "你好, World 42!？");
        assert_eq!(
            run(r#"{"keep_alphabet": false, "keep_number": false}"#),
            "你好,  !？"
        );
        assert_eq!(run(r#"{"keep_punc": false}"#), "你好World42");
    }
}
