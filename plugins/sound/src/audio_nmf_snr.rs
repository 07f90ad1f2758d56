//! `audio_nmf_snr_filter`

use crate::snr;
use djhost_media_files::{AnyOrAll, Media, Modality, PerFile, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose audio files have a ratio of signal to noise within bounds, in decibels.
///
/// The spectrum is taken apart into two, by a non-negative factorisation (NMF): the first is taken for
/// the signal, the other one for noise. Files may be WAV, AIFF, FLAC, MP3, AAC, ALAC, Ogg with Vorbis, and
/// MP4 and Matroska with these; several channels are heard as their mean.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AudioNmfSnrFilter {
    /// The least ratio.
    pub min_snr: f64,
    /// The greatest ratio.
    pub max_snr: f64,
    /// The most steps of the factorisation.
    #[schemars(range(min = 1))]
    pub nmf_iter_num: u32,
    /// Whether `any` of the audio files of a row must fit or `all`.
    pub any_or_all: AnyOrAll,
}

impl Default for AudioNmfSnrFilter {
    fn default() -> Self {
        Self {
            min_snr: 0.0,
            max_snr: i64::MAX as f64,
            nmf_iter_num: 500,
            any_or_all: AnyOrAll::Any,
        }
    }
}

impl PerFile for AudioNmfSnrFilter {
    const MODALITY: Modality = Modality::Audios;
    const STATS: &'static [Stat] = &[Stat::float("audio_nmf_snr")];

    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String> {
        Ok([snr::ratio(file, self.nmf_iter_num)?; 2])
    }

    fn fits(&self, common: &Common, [ratio, _]: [f64; 2]) -> bool {
        common.keeps(ratio, self.min_snr, self.max_snr)
    }

    fn rule(&self) -> AnyOrAll {
        self.any_or_all
    }
}

judging_filter!(AudioNmfSnrFilter, "audio_nmf_snr_filter", Cost::Heavy);
