//! MinHash with bands, shared by the operators that use it.

use crate::bands;
use crate::digest::{Sha1, digests};
use crate::permutations::Permutations;
use crate::shingles::{Shingles, Tokenization};
use crate::sketch::Sketch;
use crate::wide::WidePermutations;
use djhost_sdk::Reject;
use djhost_sdk::models::Model;
use djhost_words::{Language, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;
use xxhash_rust::xxh64::xxh64;

/// A hash function for shingles, and with it how the permutations are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HashFunction {
    /// 32 bits of SHA-1, with Data-Juicer's permutations.
    #[default]
    Sha1_32,
    /// 64 bits of SHA-1, with datatrove's permutations: FineWeb's choice.
    Sha1_64,
    /// 64 bits of xxHash, with datatrove's permutations: datatrove's default.
    #[serde(rename = "xxhash_64")]
    Xxhash64,
}

/// The parameters of MinHash.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MinhashParams {
    /// How texts are cut into tokens: `space` for languages with spaces, `character` for those
    /// without, `punctuation`, `word`.
    pub tokenization: Tokenization,
    /// How many tokens are compared together.
    pub window_size: usize,
    /// Compare in lower case.
    pub lowercase: bool,
    /// A regular expression for what is left out of the comparison.
    pub ignore_pattern: Option<String>,
    /// How many hash functions; more of them find near-duplicates more surely.
    pub num_permutations: usize,
    /// The share of common shingles from which on two documents should count as duplicates, 0 to 1.
    pub jaccard_threshold: f64,
    /// How many bands. With `num_rows_per_band`; without, both come from the threshold.
    pub num_bands: Option<usize>,
    /// How many values per band.
    pub num_rows_per_band: Option<usize>,
    /// The sentencepiece model file for `tokenization: sentencepiece`.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "when": "tokenization=sentencepiece",
        "published": "for instance https://huggingface.co/edugp/kenlm/resolve/main/wikipedia/en.sp.model"
    }))]
    pub tokenizer_model: Option<String>,
    /// Let all documents with fewer tokens than the window be duplicates of each other, as in
    /// Data-Juicer. Otherwise those are compared as a whole.
    pub merge_short_documents: bool,
    /// Let documents with fewer tokens than the window be duplicates of none, as in datatrove.
    pub skip_short_documents: bool,
    /// The language by whose rules `tokenization: word` finds words: `en`, or `xx` for languages without
    /// rules.
    pub language: String,
    /// Compare without regard to case, punctuation, accents and the digits of numbers, as in datatrove.
    pub simplify: bool,
    /// The hash function for shingles.
    pub hash_function: HashFunction,
    /// Use hash functions that are several times as fast and as good, but not Data-Juicer's: chance
    /// decides otherwise about pairs that are near the threshold.
    pub fast_hash: bool,
}

impl Default for MinhashParams {
    fn default() -> Self {
        Self {
            tokenization: Tokenization::Space,
            window_size: 5,
            lowercase: true,
            ignore_pattern: None,
            num_permutations: 256,
            jaccard_threshold: 0.7,
            num_bands: None,
            num_rows_per_band: None,
            tokenizer_model: None,
            merge_short_documents: false,
            skip_short_documents: false,
            language: "en".into(),
            simplify: false,
            hash_function: HashFunction::Sha1_32,
            fast_hash: false,
        }
    }
}

/// Computes the bands of texts. Reuses its buffers from text to text.
#[derive(Debug, Default)]
pub(crate) struct Minhash {
    shingles: Shingles,
    permutations: Permutations,
    wide: WidePermutations,
    wide_hashes: Vec<u64>,
    wide_minima: Vec<u64>,
    hash_function: HashFunction,
    skip_short: bool,
    fast: bool,
    bands: usize,
    rows: usize,
    hashes: Vec<u32>,
    sketch: Sketch,
    tokens: Vec<u64>,
    shingle_hashes: Vec<u64>,
    minima: Vec<u32>,
    bytes: Vec<u8>,
}

impl Minhash {
    /// # Errors
    /// A sentence that names the parameter and says what is valid.
    pub(crate) fn new(params: &MinhashParams) -> Result<Self, String> {
        let MinhashParams {
            num_permutations,
            jaccard_threshold,
            ..
        } = *params;
        // 4096 permutations take a tenth of a second of CPU per megabyte.
        if !(1..=4096).contains(&num_permutations) {
            return Err(format!(
                "`num_permutations` is {num_permutations}: it must be between 1 and 4096"
            ));
        }
        if !(0.0..=1.0).contains(&jaccard_threshold) {
            return Err(format!(
                "`jaccard_threshold` is {jaccard_threshold}: it must be between 0 and 1"
            ));
        }
        let model = match params.tokenization {
            Tokenization::Sentencepiece => Some(
                Model::open("tokenizer_model")
                    .map_err(|error| format!("`tokenization: sentencepiece`: {error}"))?,
            ),
            _ => None,
        };
        if params.fast_hash && params.hash_function != HashFunction::Sha1_32 {
            return Err(
                "`fast_hash` and `hash_function` name two hash functions: leave out one of them"
                    .into(),
            );
        }
        if params.skip_short_documents && params.merge_short_documents {
            return Err("`skip_short_documents` and `merge_short_documents` exclude each other: short documents are duplicates of none, or of all".into());
        }
        let language = Language::parse(&params.language)?;
        let mut shingles = Shingles::new(
            params.tokenization,
            params.window_size,
            params.lowercase,
            params.ignore_pattern.as_deref(),
            params.merge_short_documents || params.skip_short_documents,
            model,
        )?;
        if params.tokenization == Tokenization::Word {
            shingles = shingles.of_words(Words::new(language));
        }
        if params.simplify {
            shingles = shingles.simplified();
        }
        let (bands, rows) = match (params.num_bands, params.num_rows_per_band) {
            (Some(bands), Some(rows)) => (bands, rows),
            _ => bands::optimal(jaccard_threshold, num_permutations),
        };
        if bands == 0 || rows == 0 || bands.saturating_mul(rows) > num_permutations {
            return Err(format!(
                "`num_bands` · `num_rows_per_band` is {bands} · {rows}: both must be at least 1, and the product at most `num_permutations`, \
                 {num_permutations}"
            ));
        }
        let count = bands * rows;
        let (permutations, wide) = match params.hash_function {
            HashFunction::Sha1_32 => (Permutations::new(count), WidePermutations::default()),
            _ => (Permutations::default(), WidePermutations::new(count)),
        };
        Ok(Self {
            shingles,
            permutations,
            wide,
            hash_function: params.hash_function,
            skip_short: params.skip_short_documents,
            fast: params.fast_hash,
            bands,
            rows,
            ..Self::default()
        })
    }

    /// Fingerprints per text.
    pub(crate) fn bands(&self) -> usize {
        self.bands
    }

    /// Pushes one fingerprint per band, or none if the text is too short to have duplicates.
    ///
    /// # Errors
    /// When the text cannot be cut.
    pub(crate) fn fingerprints(&mut self, text: &str, out: &mut Vec<u64>) -> Result<(), Reject> {
        let cut = self.shingles.cut(text)?;
        if self.skip_short && cut.shingles().next().is_none() {
            return Ok(());
        }
        match self.hash_function {
            HashFunction::Sha1_32 if self.fast => {
                cut.hashes(&mut self.tokens, &mut self.shingle_hashes);
                let count = self.bands * self.rows;
                self.sketch
                    .minima(&self.shingle_hashes, count, &mut self.minima);
            }
            HashFunction::Sha1_32 => {
                self.hashes.clear();
                digests::<Sha1>(cut.bytes, cut.shingles(), |[first, _]| {
                    self.hashes.push(first.swap_bytes())
                });
                self.permutations.minima(&self.hashes, &mut self.minima);
            }
            wide => {
                self.wide_hashes.clear();
                match wide {
                    HashFunction::Xxhash64 => {
                        let shingles = cut.shingles().map(|range| xxh64(&cut.bytes[range], 0));
                        self.wide_hashes.extend(shingles);
                    }
                    _ => digests::<Sha1>(cut.bytes, cut.shingles(), |[first, second]| {
                        let [low, high] = [first, second].map(|word| u64::from(word.swap_bytes()));
                        self.wide_hashes.push(high << 32 | low);
                    }),
                }
                self.wide.minima(&self.wide_hashes, &mut self.wide_minima);
                let bands = self.wide_minima.chunks_exact(self.rows);
                push_bands(bands, &mut self.bytes, out, u64::to_le_bytes);
                return Ok(());
            }
        }
        let bands = self.minima.chunks_exact(self.rows);
        push_bands(bands, &mut self.bytes, out, u32::to_le_bytes);
        Ok(())
    }
}

/// Pushes a hash of the values of each band. `bytes` is a buffer.
fn push_bands<'a, T: Copy + 'a, const N: usize>(
    bands: impl Iterator<Item = &'a [T]>,
    bytes: &mut Vec<u8>,
    out: &mut Vec<u64>,
    to_bytes: fn(T) -> [u8; N],
) {
    for (band, values) in bands.enumerate() {
        bytes.clear();
        values
            .iter()
            .for_each(|&value| bytes.extend_from_slice(&to_bytes(value)));
        out.push(xxh3_64_with_seed(bytes, band as u64));
    }
}
