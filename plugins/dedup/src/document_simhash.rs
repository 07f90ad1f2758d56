//! `document_simhash_deduplicator`

use crate::digest::{Md5, digests};
use crate::shingles::{Shingles, Tokenization};
use djhost_sdk::prelude::*;

/// Drops documents whose simhash differs in few bits from that of an earlier one.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DocumentSimhashDeduplicator {
    /// How texts are cut into tokens: `space` for languages with spaces, `character` for those
    /// without, `punctuation`.
    pub tokenization: Tokenization,
    /// How many tokens are hashed together.
    pub window_size: usize,
    /// Compare in lower case.
    pub lowercase: bool,
    /// A regular expression for what is left out of the comparison.
    pub ignore_pattern: Option<String>,
    /// How Data-Juicer cuts the bits to search; must be greater than `hamming_distance`. The result
    /// does not depend on it.
    pub num_blocks: u32,
    /// In how many of 64 bits duplicates may differ.
    pub hamming_distance: u32,
    /// Let all documents with fewer tokens than the window be duplicates of each other, as in
    /// Data-Juicer. Otherwise those are compared as a whole.
    pub merge_short_documents: bool,
    /// What becomes of duplicates.
    #[serde(flatten)]
    pub clusters: Clusters,
    #[serde(skip)]
    shingles: Shingles,
}

impl Default for DocumentSimhashDeduplicator {
    fn default() -> Self {
        Self {
            tokenization: Tokenization::Space,
            window_size: 6,
            lowercase: true,
            ignore_pattern: None,
            num_blocks: 6,
            hamming_distance: 4,
            merge_short_documents: false,
            clusters: Clusters::default(),
            shingles: Shingles::default(),
        }
    }
}

impl Deduplicator for DocumentSimhashDeduplicator {
    const NAME: &'static str = "document_simhash_deduplicator";
    const TRAITS: Traits = Traits::NONE.hamming("hamming_distance").takes_clusters();
    const COST: Cost = Cost::Medium;
    type Print = u64;

    fn prepare(&mut self) -> Result<(), String> {
        let (blocks, distance) = (self.num_blocks, self.hamming_distance);
        if distance == 0 || distance >= blocks || blocks > 64 {
            return Err(format!(
                "`hamming_distance` is {distance} and `num_blocks` {blocks}: 1 and more, less than `num_blocks`, and that at most 64"
            ));
        }
        let other = match self.tokenization {
            Tokenization::Sentencepiece => Some("sentencepiece"),
            Tokenization::Word => Some("word"),
            _ => None,
        };
        if let Some(other) = other {
            return Err(format!(
                "`tokenization` is `{other}`: for simhash, `space`, `punctuation` and `character` are valid"
            ));
        }
        let ignore = self.ignore_pattern.as_deref();
        self.shingles = Shingles::new(
            self.tokenization,
            self.window_size,
            self.lowercase,
            ignore,
            self.merge_short_documents,
            None,
        )?;
        Ok(())
    }

    fn fingerprints(&mut self, text: &str, out: &mut Vec<u64>) -> Result<(), Reject> {
        let mut votes = Votes::default();
        let cut = self.shingles.cut(text)?;
        digests::<Md5>(cut.bytes, cut.shingles(), |[a, b]| {
            votes.add(u64::from(a.swap_bytes()) << 32 | u64::from(b.swap_bytes()))
        });
        out.push(votes.majority());
        Ok(())
    }
}

/// Counts how many numbers have each bit set: in bytes, eight bits at a time, which are emptied
/// before they overflow.
#[derive(Default)]
struct Votes {
    /// Byte j of word i counts bit 8j + i.
    bytes: [u64; 8],
    in_bytes: u32,
    counts: [[u32; 8]; 8],
    total: u32,
}

const ONES: u64 = 0x0101_0101_0101_0101;

impl Votes {
    #[inline]
    fn add(&mut self, number: u64) {
        for (i, bytes) in self.bytes.iter_mut().enumerate() {
            *bytes += number >> i & ONES;
        }
        self.in_bytes += 1;
        if self.in_bytes == 255 {
            self.empty_bytes();
        }
    }

    fn empty_bytes(&mut self) {
        for (bytes, counts) in self.bytes.iter_mut().zip(&mut self.counts) {
            for (count, byte) in counts.iter_mut().zip(bytes.to_le_bytes()) {
                *count += u32::from(byte);
            }
            *bytes = 0;
        }
        self.total += std::mem::take(&mut self.in_bytes);
    }

    /// The bits set in more than half of the numbers.
    fn majority(mut self) -> u64 {
        self.empty_bytes();
        let mut bits = 0;
        for (i, counts) in self.counts.iter().enumerate() {
            for (j, &count) in counts.iter().enumerate() {
                bits |= u64::from(u64::from(count) * 2 > u64::from(self.total)) << (8 * j + i);
            }
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn keep(params: &str, texts: &[&str]) -> Vec<bool> {
        Runner::new(operator!(DocumentSimhashDeduplicator), params)
            .unwrap()
            .deduplicate_near(texts, 4)
    }

    #[test]
    fn near_duplicates_go() {
        let words: Vec<String> = (0..300).map(|i| format!("word{}", i * i % 997)).collect();
        let text = words.join(" ");
        let near = format!("{text} end");
        let other: Vec<String> = (0..300).map(|i| format!("term{}", i * i % 991)).collect();
        assert_eq!(
            keep(
                "{}",
                &[&text, &other.join(" "), &near, &text.to_uppercase()]
            ),
            [true, true, false, false]
        );
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
    fn the_majority_of_each_bit() {
        for numbers in [
            vec![],
            vec![5],
            vec![5, 3],
            vec![5, 3, 1],
            [vec![u64::MAX; 300], vec![0; 299]].concat(),
            vec![1 << 63 | 9; 1000],
        ] {
            let mut votes = Votes::default();
            numbers.iter().for_each(|&number| votes.add(number));
            let set = |bit: u32| {
                numbers.iter().filter(|&&n| n >> bit & 1 == 1).count() * 2 > numbers.len()
            };
            assert_eq!(
                votes.majority(),
                (0..64).fold(0, |bits, bit| bits | u64::from(set(bit)) << bit),
                "{}",
                numbers.len()
            );
        }
    }

    #[test]
    fn wrong_parameters_are_named() {
        for params in [
            r#"{"hamming_distance": 6}"#,
            r#"{"hamming_distance": 0}"#,
            r#"{"num_blocks": 65}"#,
        ] {
            let error = Runner::new(operator!(DocumentSimhashDeduplicator), params)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("`hamming_distance`") && error.contains("`num_blocks`"),
                "{error}"
            );
        }
    }
}
