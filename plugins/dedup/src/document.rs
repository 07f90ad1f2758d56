//! `document_deduplicator`

use djhost_sdk::prelude::*;
use djhost_sdk::text::{is_decimal, lower_into, strip};
use xxhash_rust::xxh3::xxh3_128;

/// Drops documents whose text is equal to that of an earlier one.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DocumentDeduplicator {
    /// Compare in lower case.
    pub lowercase: bool,
    /// Compare without white space, digits and ASCII punctuation.
    pub ignore_non_character: bool,
    #[serde(skip)]
    lower: String,
    #[serde(skip)]
    letters: String,
}

impl Deduplicator for DocumentDeduplicator {
    const NAME: &'static str = "document_deduplicator";
    const COST: Cost = Cost::Light;
    // 128 bits: among 10^9 documents two unequal ones share a fingerprint with a probability of
    // 10^-21.
    type Print = u128;

    fn fingerprints(&mut self, text: &str, out: &mut Vec<u128>) -> Result<(), Reject> {
        let mut text = text;
        if self.lowercase {
            self.lower.clear();
            lower_into(text, &mut self.lower);
            text = &self.lower;
        }
        if self.ignore_non_character {
            self.letters.clear();
            push_letters(text, &mut self.letters);
            text = &self.letters;
        }
        out.push(xxh3_128(strip(text).as_bytes()));
        Ok(())
    }
}

/// Appends `text` without white space (Unicode's, so U+001C to U+001F stay), decimal digits of any
/// script and ASCII punctuation.
fn push_letters(text: &str, out: &mut String) {
    let dropped = |c: char| match c {
        '\0'..='\x7f' => {
            c.is_ascii_whitespace() || c == '\x0b' || c.is_ascii_digit() || c.is_ascii_punctuation()
        }
        _ => c.is_whitespace() || is_decimal(c),
    };
    text.split(dropped).for_each(|run| out.push_str(run));
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn keep(params: &str, texts: &[&str]) -> Vec<bool> {
        Runner::new(operator!(DocumentDeduplicator), params)
            .unwrap()
            .deduplicate(texts)
    }

    #[test]
    fn the_first_of_equal_texts_stays() {
        assert_eq!(
            keep("{}", &["a", "b", " a\n", "A", "", "\u{1f}"]),
            [true, true, false, true, true, false]
        );
    }

    #[test]
    fn lower_case_is_unicodes() {
        assert_eq!(
            keep(
                r#"{"lowercase": true}"#,
                &["ΑΣ", "ας", "İ", "i\u{307}", "ß", "SS"]
            ),
            [true, false, true, false, true, true]
        );
    }

    #[test]
    fn non_characters_are_ignored() {
        let texts = [
            "a-b",
            "a b 1!",
            "ab٣",
            "a\u{85}b\u{3000}",
            "a²b",
            "a。b",
            "1",
            "?",
        ];
        assert_eq!(
            keep(r#"{"ignore_non_character": true}"#, &texts),
            [true, false, false, false, true, true, true, false]
        );
    }
}
