//! `remove_repeat_sentences_mapper`

use crate::plain::Plain;
use crate::sentences::stops;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{lower_into, strip};
use foldhash::fast::RandomState;
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

/// Buffers reused from text to text.
#[derive(Default)]
struct Scratch {
    stops: Vec<usize>,
    seen: Seen,
    plain: Plain,
    keys: Vec<u8>,
    lower: String,
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
        let Scratch {
            stops: places,
            seen,
            plain,
            keys,
            lower,
        } = &mut self.scratch;
        stops(text, places);
        seen.clear(places.len());
        // Without lower case the compared characters can be collected for the whole text at once.
        let at_once = self.ignore_special_character && !self.lowercase;
        if at_once {
            plain.read(text);
        }
        keys.clear();
        let (mut start, mut done) = (0, 0);
        for &stop in places.iter() {
            let sentence = strip(&text[start..stop]);
            let key = if at_once {
                let from = sentence.as_ptr() as usize - text.as_ptr() as usize;
                plain.place(from)..plain.place(from + sentence.len())
            } else {
                let mut key = sentence;
                if self.lowercase {
                    lower.clear();
                    lower_into(key, lower);
                    key = lower;
                }
                let from = keys.len();
                if self.ignore_special_character {
                    plain.read(key);
                    keys.extend_from_slice(plain.characters());
                } else {
                    keys.extend_from_slice(key.as_bytes());
                }
                from..keys.len()
            };
            let keys = if at_once {
                plain.characters()
            } else {
                &keys[..]
            };
            if at_least(&keys[key.clone()], self.min_repeat_sentence_length)
                && !seen.insert(keys, key)
            {
                out.push_str(&text[done..start]);
                done = stop;
            }
            start = if text.as_bytes().get(stop) == Some(&b'\n') {
                stop + 1
            } else {
                stop
            };
        }
        if done > 0 {
            out.push_str(&text[done..]);
        }
        Ok(done > 0)
    }
}

/// Whether `text` has at least that many characters.
fn at_least(text: &[u8], characters: i64) -> bool {
    // Characters have one to four bytes, of which the first is none that continues one.
    let bytes = text.len() as i64;
    let starts = || text.iter().filter(|&&byte| byte as i8 >= -0x40).count() as i64;
    bytes >= characters && (bytes / 4 >= characters || starts() >= characters)
}

/// The start of the string in a free slot.
const NOWHERE: u32 = u32::MAX;

/// A set of strings that are parts of one buffer, `keys`: a text has many short sentences.
#[derive(Default)]
struct Seen {
    /// A flat table with two slots for each possible string: a part of its hash, and its position
    /// in `keys`.
    table: Vec<(u32, Range<u32>)>,
    hasher: RandomState,
}

impl Seen {
    /// Empties the set and makes room for `count` strings.
    fn clear(&mut self, count: usize) {
        self.table.clear();
        self.table.resize(2 * count, (0, NOWHERE..NOWHERE));
    }

    /// Adds a part of `keys`; returns false if the set already contains that string.
    fn insert(&mut self, keys: &[u8], key: Range<usize>) -> bool {
        let string = &keys[key.clone()];
        let hash = self.hasher.hash_one(string);
        let mut slot = (((hash >> 32) * self.table.len() as u64) >> 32) as usize;
        loop {
            let (tag, place) = &mut self.table[slot];
            if place.start == NOWHERE {
                (*tag, *place) = (hash as u32, key.start as u32..key.end as u32);
                return true;
            }
            if *tag == hash as u32 && keys[place.start as usize..place.end as usize] == *string {
                return false;
            }
            slot = if slot + 1 < self.table.len() {
                slot + 1
            } else {
                0
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn repeated_sentences_go() {
        let run = |params: &str, text: &str| {
            Runner::new(operator!(RemoveRepeatSentencesMapper), params)
                .unwrap()
                .map(&[text])
                .remove(0)
        };
        assert_eq!(
            run(
                "{}",
                "One two. One two!\nOne, two. Three\none two.\na. a. a."
            ),
            "One two.\n Three\none two.\na. a. a."
        );
        assert_eq!(
            run(r#"{"lowercase": true}"#, "One two.\nONE TWO.\n"),
            "One two.\n\n"
        );
        assert_eq!(
            run(
                r#"{"ignore_special_character": false}"#,
                "One. One! One. é é"
            ),
            "One. One! é é"
        );
        assert_eq!(
            run(
                r#"{"min_repeat_sentence_length": 5}"#,
                "你好。你好。你好世界吗。你好世界吗。"
            ),
            "你好。你好。你好世界吗。"
        );
        assert_eq!(
            run(r#"{"min_repeat_sentence_length": 0}"#, "!\n-\n\nA.\n"),
            "!\n\n\nA.\n"
        );
    }

    #[test]
    fn python_code_is_refused() {
        let error = Runner::new(
            operator!(RemoveRepeatSentencesMapper),
            r#"{"tokenizer": "lambda text: text.split()"}"#,
        )
        .unwrap_err();
        assert!(format!("{error:?}").contains("`tokenizer`"));
    }
}
