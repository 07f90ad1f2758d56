//! `video_duration_filter`

use djhost_media_files::{AnyOrAll, Media, Modality, PerFile, judging_filter};
use djhost_sdk::prelude::*;

/// Data-Juicer's ways to read a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VideoBackend {
    /// By ffprobe.
    #[default]
    Ffmpeg,
    /// By PyAV.
    Av,
}

/// Keeps rows whose videos last a number of seconds within bounds.
///
/// Only the headers are read: the first video track counts, or the file as a whole where tracks
/// have no duration of their own. Videos may be MP4 and its kin, Matroska, WebM and AVI.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VideoDurationFilter {
    /// The least duration in seconds.
    pub min_duration: f64,
    /// The greatest duration in seconds.
    pub max_duration: f64,
    /// Whether `any` of the videos of a row must fit or `all`.
    pub any_or_all: AnyOrAll,
    /// What Data-Juicer reads videos with. Durations are the same, to the microsecond with
    /// `ffmpeg`.
    pub video_backend: VideoBackend,
}

impl Default for VideoDurationFilter {
    fn default() -> Self {
        Self {
            min_duration: 0.0,
            max_duration: i64::MAX as f64,
            any_or_all: AnyOrAll::Any,
            video_backend: VideoBackend::Ffmpeg,
        }
    }
}

impl PerFile for VideoDurationFilter {
    const MODALITY: Modality = Modality::Videos;
    const STATS: &'static [Stat] = &[Stat::float("video_duration")];

    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String> {
        let video = crate::video::read(&mut file.open()?)?;
        let seconds = video
            .seconds
            .ok_or("its headers do not say how long it is")?;
        Ok(match self.video_backend {
            VideoBackend::Ffmpeg => [(seconds * 1e6).round() / 1e6; 2],
            VideoBackend::Av => [seconds; 2],
        })
    }

    fn fits(&self, common: &Common, [seconds, _]: [f64; 2]) -> bool {
        common.keeps(seconds, self.min_duration, self.max_duration)
    }

    fn rule(&self) -> AnyOrAll {
        self.any_or_all
    }
}

judging_filter!(VideoDurationFilter, "video_duration_filter", Cost::Light);
