//! `image_text_matching_filter`

use crate::pairs::{self, PairParams, Pairs, Score};
use djhost_media_files::{AnyOrAll, Judged, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose images match the texts around them as well as asked for.
///
/// The score is that of a BLIP model for matching: how likely it is that an image belongs to the text
/// between two ends of chunks in which its token is.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageTextMatchingFilter {
    /// The network: a directory with an export of a BLIP model to ONNX (`model.onnx` or
    /// `onnx/model.onnx`) and its files `tokenizer.json`, `preprocessor_config.json` and `config.json`,
    /// also below a model directory under the name that the Hugging Face hub has for it. Nothing is
    /// downloaded.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "onnx", "file": "{hf_blip}", "beside": ["preprocessor_config.json", "config.json"],
        "published": "https://huggingface.co/{hf_blip}, exported with `python plugins/media/export_pairs.py {hf_blip} DIR`"
    }))]
    pub hf_blip: String,
    /// Its tokenizer, if it is not in the directory: a `tokenizer.json`, or a directory with one.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "file": "{hf_blip}",
        "published": "https://huggingface.co/{hf_blip} (`tokenizer.json`)"
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

impl Default for ImageTextMatchingFilter {
    fn default() -> Self {
        Self {
            hf_blip: "Salesforce/blip-itm-base-coco".into(),
            tokenizer: String::new(),
            min_score: 0.003,
            max_score: 1.0,
            pair: PairParams::default(),
            pairs: None,
        }
    }
}

impl ImageTextMatchingFilter {
    fn open(&mut self) -> Result<(), String> {
        let pairs = Pairs::open("hf_blip", &self.hf_blip, Score::Matching, &self.pair)?;
        self.pairs = Some(pairs);
        Ok(())
    }
}

impl Judged for ImageTextMatchingFilter {
    const STATS: &'static [Stat] = &[Stat::float("image_text_matching_score")];

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
    ImageTextMatchingFilter,
    "image_text_matching_filter",
    Cost::Heavy,
    open
);
