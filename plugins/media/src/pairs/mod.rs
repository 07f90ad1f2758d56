//! Scores of images together with the texts around them, by a network in ONNX that sees both.

mod chunks;
mod network;
mod processor;

use crate::decode::decode;
use crate::pixels::{Pixels, flipped, mirrored};
use crate::tokens::Tokens;
use chunks::SpecialTokens;
use djhost_media_files::{AnyOrAll, Media, Modality, files};
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;
use network::Network;
pub(crate) use network::Score;
use processor::Processor;
use serde_json::Value;
use std::path::Path;

/// The parameters that operators over images and texts share.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PairParams {
    /// Accepted, and without effect: no code of a model is run.
    pub trust_remote_code: bool,
    /// Mirror the images first, left to right.
    pub horizontal_flip: bool,
    /// Turn the images upside down first.
    pub vertical_flip: bool,
    /// Whether `any` of the chunks of a text must fit or `all`.
    pub any_or_all: AnyOrAll,
    /// What becomes of the scores of several images in one chunk.
    pub reduce_mode: Reduce,
    /// What stands for an image in the text: that of the recipe, if none is given here.
    pub image_special_token: String,
    /// What stands for an audio file in the text, likewise; the network does not see it.
    pub audio_special_token: String,
    /// What stands for a video in the text, likewise.
    pub video_special_token: String,
    /// What ends a chunk of the text, likewise.
    pub eoc_special_token: String,
}

impl Default for PairParams {
    fn default() -> Self {
        Self {
            trust_remote_code: false,
            horizontal_flip: false,
            vertical_flip: false,
            any_or_all: AnyOrAll::Any,
            reduce_mode: Reduce::Avg,
            image_special_token: "<__dj__image>".into(),
            audio_special_token: "<__dj__audio>".into(),
            video_special_token: "<__dj__video>".into(),
            eoc_special_token: "<|__dj__eoc|>".into(),
        }
    }
}

/// What becomes of the scores of several images of one chunk of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reduce {
    /// Their mean.
    #[default]
    Avg,
    /// The greatest.
    Max,
    /// The least.
    Min,
}

impl Reduce {
    fn of(self, scores: &[f32]) -> f32 {
        match self {
            Self::Avg => scores.iter().sum::<f32>() / scores.len() as f32,
            Self::Max => scores.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            Self::Min => scores.iter().copied().fold(f32::INFINITY, f32::min),
        }
    }
}

/// The fields of a row: its images, and the text last.
pub(crate) fn reads(common: &Common) -> Vec<Input> {
    let mut reads = Modality::Images.inputs(common);
    reads.push(Input::required(&common.text_key, ColumnType::Utf8));
    reads
}

/// A network with what prepares images and texts for it.
pub(crate) struct Pairs {
    network: Network,
    tokens: Tokens,
    processor: Processor,
    special: SpecialTokens,
}

impl Pairs {
    /// Opens the network of the parameter `named`, whose value is `directory`, with the tokenizer of
    /// `tokenizer` and the files of transformers in the directory; tries them.
    ///
    /// # Errors
    /// When something is missing or does not fit.
    pub(crate) fn open(
        named: &str,
        directory: &str,
        score: Score,
        params: &PairParams,
    ) -> Result<Self, String> {
        let special = SpecialTokens::of(params)?;
        let network = Network::open(named, score)?;
        let read = |name: &str| -> Result<Value, String> {
            let path = Path::new(directory).join(name);
            let text = std::fs::read_to_string(&path).map_err(|error| {
                format!(
                    "`{named}`: `{}` cannot be read: {error}: put it beside the network",
                    path.display()
                )
            })?;
            serde_json::from_str(&text)
                .map_err(|error| format!("`{named}`: `{}` is no JSON: {error}", path.display()))
        };
        let processor =
            Processor::new(&read("preprocessor_config.json")?, score).map_err(|wrong| {
                format!("`{named}`: `{directory}/preprocessor_config.json`: {wrong}")
            })?;
        let config = read("config.json")?;
        let length = config["text_config"]["max_position_embeddings"].as_u64();
        let length = length.unwrap_or(score.default_length());
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let tokens = Tokens::open(Model::open("tokenizer")?, length, "config.json")?;
        let pairs = Self {
            network,
            tokens,
            processor,
            special,
        };
        let grey = Pixels {
            width: 32,
            height: 32,
            rgb: vec![127; 32 * 32 * 3],
        };
        // Few tokens: as many as possible would take seconds.
        let ids = pairs.tokens.of("a").map_err(|Reject(why)| why)?;
        let image = pairs.processor.prepare(&grey)?;
        pairs
            .network
            .score(&ids, image)
            .map_err(|wrong| format!("`{named}`: {wrong}"))?;
        Ok(pairs)
    }

    /// The scores of a row with the fields that [`reads`] names, twice each: there is one stat.
    pub(crate) fn numbers(
        &self,
        row: Row<'_>,
        inputs: usize,
        params: &PairParams,
    ) -> Result<Vec<[f64; 2]>, Reject> {
        let text = inputs - 1;
        let files = files(row, text)?;
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let scores = self.scores(row.text(text).unwrap_or_default(), &files, params)?;
        Ok(scores.into_iter().map(|score| [score; 2]).collect())
    }

    /// The score of each chunk of a text that has images in it.
    ///
    /// # Errors
    /// When an image cannot be decoded, or a chunk has more images than the row.
    fn scores(
        &self,
        text: &str,
        files: &[Media<'_>],
        params: &PairParams,
    ) -> Result<Vec<f64>, Reject> {
        let (mut rest, mut scores) = (files, Vec::new());
        for (chunk, count) in self.special.chunks(text) {
            let images;
            (images, rest) = rest.split_at(count.min(rest.len()));
            if images.is_empty() {
                return Err(Reject(format!(
                    "the text has more `{}` than the row has images, which are {}",
                    params.image_special_token,
                    files.len()
                )));
            }
            let ids = self.tokens.of(&chunk)?;
            let mut found = Vec::with_capacity(images.len());
            for file in images {
                let score = self
                    .image(file, params)
                    .and_then(|image| self.network.score(&ids, image));
                found.push(score.map_err(|reason| file.blamed(reason))?);
            }
            scores.push(params.reduce_mode.of(&found).into());
        }
        // Those that no chunk has must be images as well.
        for file in rest {
            let decoded = file.open().and_then(|mut source| decode(&mut source));
            decoded.map_err(|reason| file.blamed(reason))?;
        }
        Ok(scores)
    }

    fn image(&self, file: &Media<'_>, params: &PairParams) -> Result<processor::Image, String> {
        let mut pixels = decode(&mut file.open()?)?;
        if params.horizontal_flip {
            pixels = mirrored(pixels);
        }
        if params.vertical_flip {
            pixels = flipped(pixels);
        }
        self.processor.prepare(&pixels)
    }
}
