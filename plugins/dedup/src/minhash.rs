//! MinHash with bands, shared by the operators that use it.

use crate::bands;
use crate::digest::{Sha1, digests};
use crate::permutations::Permutations;
use crate::shingles::{Shingles, Tokenization};
use crate::sketch::Sketch;
use djhost_sdk::Reject;
use djhost_sentencepiece::SentencePiece;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The parameters of MinHash.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MinhashParams {
    /// How texts are cut into tokens: `space` for languages with spaces, `character` for those
    /// without, `punctuation`.
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
    #[schemars(extend("format" = "read-file"))]
    pub tokenizer_model: Option<String>,
    /// Let all documents with fewer tokens than the window be duplicates of each other, as in
    /// Data-Juicer. Otherwise those are compared as a whole.
    pub merge_short_documents: bool,
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
            fast_hash: false,
        }
    }
}

/// Computes the bands of texts. Reuses its buffers from text to text.
#[derive(Debug, Default)]
pub(crate) struct Minhash {
    shingles: Shingles,
    permutations: Permutations,
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
            Tokenization::Sentencepiece => Some(SentencePiece::of_parameter(
                params.tokenizer_model.as_deref().unwrap_or_default(),
                "`tokenization: sentencepiece`",
            )?),
            _ => None,
        };
        let shingles = Shingles::new(
            params.tokenization,
            params.window_size,
            params.lowercase,
            params.ignore_pattern.as_deref(),
            params.merge_short_documents,
            model,
        )?;
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
        let permutations = Permutations::new(bands * rows);
        Ok(Self {
            shingles,
            permutations,
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

    /// Pushes one fingerprint per band.
    ///
    /// # Errors
    /// When the text cannot be cut.
    pub(crate) fn fingerprints(&mut self, text: &str, out: &mut Vec<u64>) -> Result<(), Reject> {
        let cut = self.shingles.cut(text)?;
        if self.fast {
            cut.hashes(&mut self.tokens, &mut self.shingle_hashes);
            let count = self.bands * self.rows;
            self.sketch
                .minima(&self.shingle_hashes, count, &mut self.minima);
        } else {
            self.hashes.clear();
            digests::<Sha1>(cut.bytes, cut.shingles(), |[first, _]| {
                self.hashes.push(first.swap_bytes())
            });
            self.permutations.minima(&self.hashes, &mut self.minima);
        }
        for (band, values) in self.minima.chunks_exact(self.rows).enumerate() {
            self.bytes.clear();
            values
                .iter()
                .for_each(|value| self.bytes.extend_from_slice(&value.to_le_bytes()));
            out.push(xxh3_64_with_seed(&self.bytes, band as u64));
        }
        Ok(())
    }
}
