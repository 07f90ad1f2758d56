//! `image_shape_filter`

use djhost_media_files::{AnyOrAll, Media, Modality, PerFile, judging_filter};
use djhost_sdk::prelude::*;

/// Keeps rows whose images are of a width and a height within bounds, in pixels.
///
/// Only the headers are read. An image that its EXIF data turn on its side counts as it is shown.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageShapeFilter {
    /// The least width.
    pub min_width: i64,
    /// The greatest width.
    pub max_width: i64,
    /// The least height.
    pub min_height: i64,
    /// The greatest height.
    pub max_height: i64,
    /// Whether `any` of the images of a row must fit or `all`.
    pub any_or_all: AnyOrAll,
}

impl Default for ImageShapeFilter {
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

impl PerFile for ImageShapeFilter {
    const MODALITY: Modality = Modality::Images;
    const STATS: &'static [Stat] = &[Stat::integer("image_width"), Stat::integer("image_height")];

    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String> {
        crate::image::shape(&mut file.open()?)
            .map(|shape| [shape.width.into(), shape.height.into()])
    }

    fn fits(&self, common: &Common, [width, height]: [f64; 2]) -> bool {
        common.keeps(width, self.min_width as f64, self.max_width as f64)
            && common.keeps(height, self.min_height as f64, self.max_height as f64)
    }

    fn rule(&self) -> AnyOrAll {
        self.any_or_all
    }
}

judging_filter!(ImageShapeFilter, "image_shape_filter", Cost::Light);
