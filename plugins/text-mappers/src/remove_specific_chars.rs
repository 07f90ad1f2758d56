//! `remove_specific_chars_mapper`

use crate::charfilter::without;
use crate::one_or_many::OneOrMany;
use djhost_sdk::prelude::*;

/// Removes the characters that are named.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveSpecificCharsMapper {
    /// The characters, as a string or as a list.
    pub chars_to_remove: OneOrMany,
    /// Those below 128, one bit each.
    #[serde(skip)]
    ascii: u128,
    /// The others, sorted.
    #[serde(skip)]
    others: Vec<char>,
}

impl Default for RemoveSpecificCharsMapper {
    fn default() -> Self {
        Self {
            chars_to_remove: OneOrMany::One("◆●■►▼▲▴∆▻▷❖♡□".into()),
            ascii: 0,
            others: Vec::new(),
        }
    }
}

impl TextMapper for RemoveSpecificCharsMapper {
    const NAME: &'static str = "remove_specific_chars_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        for c in self
            .chars_to_remove
            .all()
            .iter()
            .flat_map(|chars| chars.chars())
        {
            if c.is_ascii() {
                self.ascii |= 1 << c as u32;
            } else {
                self.others.push(c);
            }
        }
        self.others.sort_unstable();
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let dropped = |c: char| {
            if c.is_ascii() {
                self.ascii >> c as u32 & 1 == 1
            } else {
                self.others.binary_search(&c).is_ok()
            }
        };
        if self.ascii == 0 && text.is_ascii() {
            return Ok(false);
        }
        Ok(without(text, out, dropped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn named_characters_go() {
        let run = |params: &str, text: &str| {
            Runner::new(operator!(RemoveSpecificCharsMapper), params)
                .unwrap()
                .map(&[text])
                .remove(0)
        };
        assert_eq!(run("{}", "◆a● b■é日"), "a bé日");
        assert_eq!(run(r#"{"chars_to_remove": "a-c]"}"#, "a-b-c]"), "b");
        assert_eq!(
            run(r#"{"chars_to_remove": ["日", "xy"]}"#, "日本xyz"),
            "本z"
        );
        assert_eq!(run(r#"{"chars_to_remove": ""}"#, "◆a"), "◆a");
    }
}
