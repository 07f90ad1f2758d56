//! `document_minhash_deduplicator`

use crate::minhash::{Minhash, MinhashParams};
use djhost_sdk::prelude::*;

/// Drops documents that share most of their shingles with an earlier one, found by MinHash.
///
/// Documents are duplicates if one of their bands is equal. Whether two documents with a given
/// share of common shingles are found is a matter of probability, which is steep around
/// `jaccard_threshold`.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DocumentMinhashDeduplicator {
    /// The parameters.
    #[serde(flatten)]
    pub params: MinhashParams,
    /// What becomes of duplicates.
    #[serde(flatten)]
    pub clusters: Clusters,
    #[serde(skip)]
    minhash: Minhash,
}

impl Deduplicator for DocumentMinhashDeduplicator {
    const NAME: &'static str = "document_minhash_deduplicator";
    const TRAITS: Traits = Traits::NONE.takes_clusters();
    const COST: Cost = Cost::Heavy;
    type Print = u64;

    fn prepare(&mut self) -> Result<(), String> {
        self.minhash = Minhash::new(&self.params)?;
        Ok(())
    }

    fn per_row(&self) -> usize {
        self.minhash.bands()
    }

    fn fingerprints(&mut self, text: &str, out: &mut Vec<u64>) -> Result<(), Reject> {
        self.minhash.fingerprints(text, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn keep(params: &str, texts: &[&str]) -> Vec<bool> {
        Runner::new(operator!(DocumentMinhashDeduplicator), params)
            .unwrap()
            .deduplicate(texts)
    }

    #[test]
    fn near_duplicates_go() {
        let words: Vec<String> = (0..200).map(|i| format!("word{}", i * i % 997)).collect();
        let text = words.join(" ");
        let near = text.replacen("word1 ", "other ", 1);
        let half = format!(
            "{} {}",
            words[..100].join(" "),
            "something else entirely and so on ".repeat(20)
        );
        for params in [
            "{}",
            r#"{"fast_hash": true}"#,
            r#"{"tokenization": "character", "window_size": 9}"#,
        ] {
            assert_eq!(
                keep(params, &[&text, &near, &half, &text.to_uppercase()]),
                [true, false, true, false],
                "{params}"
            );
        }
    }

    #[test]
    fn short_documents_are_compared_as_a_whole() {
        let texts = [
            "hello world",
            "totally different thing",
            "Hello  World",
            "",
            " ",
        ];
        assert_eq!(keep("{}", &texts), [true, true, false, true, false]);
        assert_eq!(
            keep(r#"{"merge_short_documents": true}"#, &texts),
            [true, false, false, false, false]
        );
    }

    #[test]
    fn with_datatroves_settings_short_documents_stay() {
        let texts = [
            "Hello, world!",
            "hello world",
            "One two three four 5.",
            "one, two: three four 1,000",
            "",
            "",
        ];
        let params = |more: &str| {
            format!(
                r#"{{"tokenization": "word", "simplify": true, "hash_function": "sha1_64", "num_bands": 14, "num_rows_per_band": 8{more}}}"#
            )
        };
        assert_eq!(
            keep(&params(r#", "skip_short_documents": true"#), &texts),
            [true, true, true, false, true, true]
        );
        assert_eq!(
            keep(&params(""), &texts),
            [true, false, true, false, true, false]
        );
    }

    #[test]
    fn wrong_parameters_are_named() {
        for params in [
            r#"{"num_permutations": 0}"#,
            r#"{"jaccard_threshold": 1.5}"#,
            r#"{"num_bands": 20, "num_rows_per_band": 20}"#,
            r#"{"window_size": 0}"#,
            r#"{"tokenization": "sentencepiece"}"#,
            r#"{"ignore_pattern": "(?=x)"}"#,
            r#"{"language": "tlh"}"#,
            r#"{"fast_hash": true, "hash_function": "sha1_64"}"#,
            r#"{"skip_short_documents": true, "merge_short_documents": true}"#,
            r#"{"bands": 3}"#,
        ] {
            let error = Runner::new(operator!(DocumentMinhashDeduplicator), params)
                .unwrap_err()
                .to_string();
            let name = params.split('"').nth(1).unwrap();
            assert!(error.contains(&format!("`{name}")), "{params}: {error}");
        }
    }
}
