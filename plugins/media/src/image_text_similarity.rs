//! `image_text_similarity_filter`

use crate::pairs::{self, PairParams, Pairs, Score};
use djhost_media_files::{AnyOrAll, Judged, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose images are as similar to the texts around them as asked for.
///
/// The similarity is that of a CLIP model: the cosine of the vectors of an image and of the text between
/// two ends of chunks in which its token is.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageTextSimilarityFilter {
    /// The network: a directory with an export of a CLIP model to ONNX (`model.onnx` or
    /// `onnx/model.onnx`) and its files `tokenizer.json`, `preprocessor_config.json` and `config.json`,
    /// also below a model directory under the name that the Hugging Face hub has for it. Nothing is
    /// downloaded.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "onnx", "file": "{hf_clip}", "beside": ["preprocessor_config.json", "config.json"],
        "published": "https://huggingface.co/{hf_clip}, exported with `python plugins/media/export_pairs.py {hf_clip} DIR`"
    }))]
    pub hf_clip: String,
    /// Its tokenizer, if it is not in the directory: a `tokenizer.json`, or a directory with one.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "file": "{hf_clip}",
        "published": "https://huggingface.co/{hf_clip} (`tokenizer.json`)"
    }))]
    pub tokenizer: String,
    /// The least score.
    pub min_score: f64,
    /// The greatest score.
    pub max_score: f64,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub pair: PairParams,
    #[serde(skip)]
    pairs: Option<Pairs>,
}

impl Default for ImageTextSimilarityFilter {
    fn default() -> Self {
        Self {
            hf_clip: "openai/clip-vit-base-patch32".into(),
            tokenizer: String::new(),
            min_score: 0.1,
            max_score: 1.0,
            pair: PairParams::default(),
            pairs: None,
        }
    }
}

impl ImageTextSimilarityFilter {
    fn open(&mut self) -> Result<(), String> {
        let pairs = Pairs::open("hf_clip", &self.hf_clip, Score::Similarity, &self.pair)?;
        self.pairs = Some(pairs);
        Ok(())
    }
}

impl Judged for ImageTextSimilarityFilter {
    const STATS: &'static [Stat] = &[Stat::float("image_text_similarity")];

    fn reads(common: &Common) -> Vec<Input> {
        pairs::reads(common)
    }

    fn numbers(&self, row: Row<'_>, inputs: usize) -> Result<Vec<[f64; 2]>, Reject> {
        match &self.pairs {
            Some(pairs) => pairs.numbers(row, inputs, &self.pair),
            None => Err(Reject("there is no model".into())),
        }
    }

    fn fits(&self, common: &Common, [score, _]: [f64; 2]) -> bool {
        common.keeps(score, self.min_score, self.max_score)
    }

    fn rule(&self) -> AnyOrAll {
        self.pair.any_or_all
    }
}

judging_filter!(
    ImageTextSimilarityFilter,
    "image_text_similarity_filter",
    Cost::Heavy,
    open
);
