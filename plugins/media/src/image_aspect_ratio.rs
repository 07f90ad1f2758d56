//! `image_aspect_ratio_filter`

use djhost_media_files::{AnyOrAll, Media, Modality, PerFile, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose images have a ratio of width to height within bounds.
///
/// Only the headers are read. An image that its EXIF data turn on its side counts as it is shown.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageAspectRatioFilter {
    /// The least ratio.
    pub min_ratio: f64,
    /// The greatest ratio.
    pub max_ratio: f64,
    /// Whether `any` of the images of a row must fit or `all`.
    pub any_or_all: AnyOrAll,
}

impl Default for ImageAspectRatioFilter {
    fn default() -> Self {
        Self {
            min_ratio: 0.333,
            max_ratio: 3.0,
            any_or_all: AnyOrAll::Any,
        }
    }
}

impl PerFile for ImageAspectRatioFilter {
    const MODALITY: Modality = Modality::Images;
    const STATS: &'static [Stat] = &[Stat::float("aspect_ratios")];

    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String> {
        let shape = crate::image::shape(&mut file.open()?)?;
        Ok([f64::from(shape.width) / f64::from(shape.height); 2])
    }

    fn fits(&self, common: &Common, [ratio, _]: [f64; 2]) -> bool {
        common.keeps(ratio, self.min_ratio, self.max_ratio)
    }

    fn rule(&self) -> AnyOrAll {
        self.any_or_all
    }
}

judging_filter!(
    ImageAspectRatioFilter,
    "image_aspect_ratio_filter",
    Cost::Light
);
