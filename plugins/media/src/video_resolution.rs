//! `video_resolution_filter`

use djhost_media_files::{AnyOrAll, Media, Modality, PerFile, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose videos are of a width and a height within bounds, in pixels.
///
/// Only the headers are read: the first video track counts, as it is coded. Videos may be MP4 and
/// its kin, Matroska, WebM and AVI.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VideoResolutionFilter {
    /// The least width.
    pub min_width: i64,
    /// The greatest width.
    pub max_width: i64,
    /// The least height.
    pub min_height: i64,
    /// The greatest height.
    pub max_height: i64,
    /// Whether `any` of the videos of a row must fit or `all`.
    pub any_or_all: AnyOrAll,
}

impl Default for VideoResolutionFilter {
    fn default() -> Self {
        Self {
            min_width: 1,
            max_width: i64::MAX,
            min_height: 1,
            max_height: i64::MAX,
            any_or_all: AnyOrAll::Any,
        }
    }
}

impl PerFile for VideoResolutionFilter {
    const MODALITY: Modality = Modality::Videos;
    const STATS: &'static [Stat] = &[Stat::integer("video_width"), Stat::integer("video_height")];

    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String> {
        crate::video::read(&mut file.open()?).map(|video| [video.width.into(), video.height.into()])
    }

    fn fits(&self, common: &Common, [width, height]: [f64; 2]) -> bool {
        common.keeps(width, self.min_width as f64, self.max_width as f64)
            && common.keeps(height, self.min_height as f64, self.max_height as f64)
    }

    fn rule(&self) -> AnyOrAll {
        self.any_or_all
    }
}

judging_filter!(
    VideoResolutionFilter,
    "video_resolution_filter",
    Cost::Light
);
