//! `video_aspect_ratio_filter`

use crate::units::Ratio;
use djhost_media_files::{AnyOrAll, Media, Modality, PerFile, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose videos have a ratio of width to height within bounds.
///
/// Only the headers are read: the first video track counts, as it is coded. Videos may be MP4 and
/// its kin, Matroska, WebM and AVI.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VideoAspectRatioFilter {
    /// The least ratio, like `9/21` or `9:21`.
    pub min_ratio: String,
    /// The greatest ratio.
    pub max_ratio: String,
    /// Whether `any` of the videos of a row must fit or `all`.
    pub any_or_all: AnyOrAll,
    #[serde(skip)]
    range: (Ratio, Ratio),
}

impl Default for VideoAspectRatioFilter {
    fn default() -> Self {
        Self {
            min_ratio: "9/21".into(),
            max_ratio: "21/9".into(),
            any_or_all: AnyOrAll::Any,
            range: (Ratio::default(), Ratio::default()),
        }
    }
}

impl VideoAspectRatioFilter {
    fn read_params(&mut self) -> Result<(), String> {
        self.range = (
            Ratio::new("min_ratio", &self.min_ratio)?,
            Ratio::new("max_ratio", &self.max_ratio)?,
        );
        Ok(())
    }
}

impl PerFile for VideoAspectRatioFilter {
    const MODALITY: Modality = Modality::Videos;
    const STATS: &'static [Stat] = &[Stat::float("video_aspect_ratios")];

    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String> {
        let video = crate::video::read(&mut file.open()?)?;
        Ok([f64::from(video.width) / f64::from(video.height); 2])
    }

    fn fits(&self, common: &Common, [ratio, _]: [f64; 2]) -> bool {
        // Exact, as in Data-Juicer: the float nearest to 16/9 is a little less than 16/9. The range
        // test needs only how the ratio compares with the bounds.
        let (min, max) = (-self.range.0.compare(ratio), -self.range.1.compare(ratio));
        common.keeps(0.0, min, max)
    }

    fn rule(&self) -> AnyOrAll {
        self.any_or_all
    }
}

judging_filter!(
    VideoAspectRatioFilter,
    "video_aspect_ratio_filter",
    Cost::Light,
    read_params
);
