//! `audio_size_filter`

use crate::units::bytes;
use djhost_media_files::{AnyOrAll, Media, Modality, PerFile, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose audio files are of a size within bounds, in bytes of the file.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AudioSizeFilter {
    /// The least size: a number of bytes, or one with a unit like `10kb`.
    pub min_size: String,
    /// The greatest size.
    pub max_size: String,
    /// Whether `any` of the audio files of a row must fit or `all`.
    pub any_or_all: AnyOrAll,
    #[serde(skip)]
    range: (f64, f64),
}

impl Default for AudioSizeFilter {
    fn default() -> Self {
        Self {
            min_size: "0".into(),
            max_size: "1TB".into(),
            any_or_all: AnyOrAll::Any,
            range: (0.0, 0.0),
        }
    }
}

impl AudioSizeFilter {
    fn read_params(&mut self) -> Result<(), String> {
        self.range = (
            bytes("min_size", &self.min_size)?,
            bytes("max_size", &self.max_size)?,
        );
        Ok(())
    }
}

impl PerFile for AudioSizeFilter {
    const MODALITY: Modality = Modality::Audios;
    const STATS: &'static [Stat] = &[Stat::integer("audio_sizes")];

    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String> {
        Ok([file.size()? as f64; 2])
    }

    fn fits(&self, common: &Common, [size, _]: [f64; 2]) -> bool {
        common.keeps(size, self.range.0, self.range.1)
    }

    fn rule(&self) -> AnyOrAll {
        self.any_or_all
    }
}

judging_filter!(
    AudioSizeFilter,
    "audio_size_filter",
    Cost::Light,
    read_params
);
