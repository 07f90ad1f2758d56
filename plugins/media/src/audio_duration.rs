//! `audio_duration_filter`

use djhost_media_files::{AnyOrAll, Media, Modality, PerFile, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose audio files last a number of seconds within bounds.
///
/// Nothing is decoded: the duration is what the headers say. Files may be WAV, AIFF, FLAC, MP3,
/// AAC, Ogg with Vorbis, Opus or FLAC, and MP4 and its kin.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AudioDurationFilter {
    /// The least duration in seconds.
    pub min_duration: f64,
    /// The greatest duration in seconds.
    pub max_duration: f64,
    /// Whether `any` of the audio files of a row must fit or `all`.
    pub any_or_all: AnyOrAll,
}

impl Default for AudioDurationFilter {
    fn default() -> Self {
        Self {
            min_duration: 0.0,
            max_duration: i64::MAX as f64,
            any_or_all: AnyOrAll::Any,
        }
    }
}

impl PerFile for AudioDurationFilter {
    const MODALITY: Modality = Modality::Audios;
    const STATS: &'static [Stat] = &[Stat::float("audio_duration")];

    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String> {
        Ok([crate::audio::duration(&mut file.open()?)?; 2])
    }

    fn fits(&self, common: &Common, [seconds, _]: [f64; 2]) -> bool {
        common.keeps(seconds, self.min_duration, self.max_duration)
    }

    fn rule(&self) -> AnyOrAll {
        self.any_or_all
    }
}

judging_filter!(AudioDurationFilter, "audio_duration_filter", Cost::Light);
