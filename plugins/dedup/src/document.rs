//! `document_deduplicator`

use crate::letters::Letters;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{lower_into, strip};
use xxhash_rust::xxh3::xxh3_128;

/// Drops documents whose text is equal to that of an earlier one.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DocumentDeduplicator {
    /// Compare in lower case.
    pub lowercase: bool,
    /// Compare without white space, digits and ASCII punctuation.
    pub ignore_non_character: bool,
    /// What becomes of duplicates.
    #[serde(flatten)]
    pub clusters: Clusters,
    #[serde(skip)]
    lower: String,
    #[serde(skip)]
    letters: Letters,
}

impl Deduplicator for DocumentDeduplicator {
    const NAME: &'static str = "document_deduplicator";
    const TRAITS: Traits = Traits::NONE.takes_clusters();
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
        let bytes = if self.ignore_non_character {
            strip_separators(self.letters.of(text, false))
        } else {
            strip(text).as_bytes()
        };
        out.push(xxh3_128(bytes));
        Ok(())
    }
}

/// Python's `str.strip`, of a text that has no other white space left than U+001C to U+001F.
fn strip_separators(mut text: &[u8]) -> &[u8] {
    while let [0x1c..=0x1f, rest @ ..] | [rest @ .., 0x1c..=0x1f] = text {
        text = rest;
    }
    text
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
            "1\u{1c} \u{1f}",
            "a\u{1d}b",
            "\u{1d}. a-b",
        ];
        assert_eq!(
            keep(r#"{"ignore_non_character": true}"#, &texts),
            [
                true, false, false, false, true, true, true, false, false, true, false
            ]
        );
    }
}
