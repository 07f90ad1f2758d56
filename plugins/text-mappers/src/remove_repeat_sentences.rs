//! `remove_repeat_sentences_mapper`

use crate::sentences::ends;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{code_points, decode, lower_into, strip};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;
use std::ops::Range;

/// Removes sentences that the text has already had.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveRepeatSentencesMapper {
    /// Compare sentences in lower case.
    pub lowercase: bool,
    /// Compare only ASCII letters and digits, Chinese characters, spaces and tabs.
    pub ignore_special_character: bool,
    /// Sentences that have fewer characters to compare are not removed.
    pub min_repeat_sentence_length: i64,
    /// A splitter of one's own, which is Python code. Not supported: must be null.
    pub tokenizer: Option<String>,
    #[serde(skip)]
    scratch: Scratch,
}

/// Buffers, kept from text to text.
#[derive(Default)]
struct Scratch {
    seen: Seen,
    ends: Vec<usize>,
    lower: String,
    compared: String,
}

impl Default for RemoveRepeatSentencesMapper {
    fn default() -> Self {
        Self {
            lowercase: false,
            ignore_special_character: true,
            min_repeat_sentence_length: 2,
            tokenizer: None,
            scratch: Scratch::default(),
        }
    }
}

impl TextMapper for RemoveRepeatSentencesMapper {
    const NAME: &'static str = "remove_repeat_sentences_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        match self.tokenizer {
            Some(_) => Err("`tokenizer` is not supported: it is Python code; leave it out for the built-in splitter".into()),
            None => Ok(()),
        }
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let Scratch { seen, ends: places, lower, compared } = &mut self.scratch;
        seen.clear();
        let mut done = 0;
        let mut line_start = 0;
        for line in text.split('\n') {
            places.clear();
            ends(line, places);
            places.push(line.len());
            let mut start = 0;
            for &stop in places.iter() {
                let sentence = &line[start..stop];
                let mut key = strip(sentence);
                if self.lowercase {
                    lower.clear();
                    lower_into(key, lower);
                    key = lower;
                }
                if self.ignore_special_character {
                    compared.clear();
                    push_plain(key, compared);
                    key = compared;
                }
                if code_points(key) as i64 >= self.min_repeat_sentence_length && !seen.insert(key) {
                    out.push_str(&text[done..line_start + start]);
                    done = line_start + stop;
                }
                start = stop;
            }
            line_start += line.len() + 1;
        }
        out.push_str(&text[done..]);
        Ok(done > 0)
    }
}

/// A set of strings, which stand one behind the other in one buffer: a text has many short sentences.
#[derive(Default)]
struct Seen {
    buffer: String,
    places: HashTable<Range<usize>>,
    hasher: RandomState,
}

impl Seen {
    fn clear(&mut self) {
        self.buffer.clear();
        self.places.clear();
    }

    /// Adds `key`; false if the set has it already.
    fn insert(&mut self, key: &str) -> bool {
        let Self { buffer, places, hasher } = self;
        let hash = hasher.hash_one(key);
        if places.find(hash, |place| buffer[place.clone()] == *key).is_some() {
            return false;
        }
        let start = buffer.len();
        buffer.push_str(key);
        places.insert_unique(hash, start..buffer.len(), |place| hasher.hash_one(&buffer[place.clone()]));
        true
    }
}

/// What a byte may be at the start of: nothing to compare, a character to compare, or a character of a block of which most are Chinese.
const DROP: u8 = 0;
const KEEP: u8 = 1;
const LOOK: u8 = 2;

const CLASS: [u8; 256] = {
    let mut table = [DROP; 256];
    let mut b = 0;
    while b < 256 {
        match b as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'\t' => table[b] = KEEP,
            0xe4..=0xe9 => table[b] = LOOK,
            _ => {}
        }
        b += 1;
    }
    table
};

/// Appends what of `text` is no special character.
fn push_plain(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let chinese = |at: usize| matches!(decode(text, at).0, 0x4e00..=0x9fa5);
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while let Some(&b) = bytes.get(at) {
            match CLASS[usize::from(b)] {
                KEEP => at += 1,
                LOOK if chinese(at) => at += 3,
                _ => break,
            }
        }
        out.push_str(&text[start..at]);
        while let Some(&b) = bytes.get(at) {
            match CLASS[usize::from(b)] {
                DROP => at += 1,
                LOOK if !chinese(at) => at += 3,
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn repeated_sentences_go() {
        let run = |params: &str, text: &str| Runner::new(operator!(RemoveRepeatSentencesMapper), params).unwrap().map(&[text]).remove(0);
        assert_eq!(run("{}", "One two. One two!\nOne, two. Three\none two.\na. a. a."), "One two.\n Three\none two.\na. a. a.");
        assert_eq!(run(r#"{"lowercase": true}"#, "One two.\nONE TWO.\n"), "One two.\n\n");
        assert_eq!(run(r#"{"ignore_special_character": false}"#, "One. One! One. é é"), "One. One! é é");
        assert_eq!(run(r#"{"min_repeat_sentence_length": 5}"#, "你好。你好。你好世界吗。你好世界吗。"), "你好。你好。你好世界吗。");
    }

    #[test]
    fn what_is_compared_are_letters_digits_and_chinese() {
        let text: String = ('\0'..='\u{2ff}').chain('\u{2000}'..='\u{fa80}').chain('\u{1f600}'..='\u{1f610}').collect();
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '\t' | ' ' | '\u{4e00}'..='\u{9fa5}');
        for text in [text.clone(), text.chars().rev().collect(), text.chars().step_by(7).collect()] {
            let mut out = String::new();
            push_plain(&text, &mut out);
            assert!(out.chars().eq(text.chars().filter(plain)));
        }
    }

    #[test]
    fn python_code_is_refused() {
        let error = Runner::new(operator!(RemoveRepeatSentencesMapper), r#"{"tokenizer": "lambda text: text.split()"}"#).unwrap_err();
        assert!(format!("{error:?}").contains("`tokenizer`"));
    }
}
