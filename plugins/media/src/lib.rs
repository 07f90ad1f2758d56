//! Filters over images, audio files and videos by their headers, a deduplicator of images, and filters
//! over images with their texts, with Data-Juicer's names, parameters and results.
//!
//! The host grants access to the directories of the dataset. A missing or damaged file sends its
//! row to quarantine.

mod audio;
mod audio_duration;
mod audio_size;
mod bmff;
mod cosine;
mod decode;
mod ebml;
mod exif;
mod hash;
#[cfg(test)]
mod hostile;
mod image;
mod image_aspect_ratio;
mod image_deduplicator;
mod image_shape;
mod image_size;
mod image_text_matching;
mod image_text_similarity;
mod jpeg;
mod mpeg;
mod pairs;
mod pixels;
mod resample;
#[path = "../../models/src/tokens.rs"]
mod tokens;
mod units;
mod video;
mod video_aspect_ratio;
mod video_duration;
mod video_resolution;

pub use audio_duration::AudioDurationFilter;
pub use audio_size::AudioSizeFilter;
pub use djhost_media_files::AnyOrAll;
pub use hash::HashMethod;
pub use image_aspect_ratio::ImageAspectRatioFilter;
pub use image_deduplicator::ImageDeduplicator;
pub use image_shape::ImageShapeFilter;
pub use image_size::ImageSizeFilter;
pub use image_text_matching::ImageTextMatchingFilter;
pub use image_text_similarity::ImageTextSimilarityFilter;
pub use pairs::{PairParams, Reduce};
pub use video_aspect_ratio::VideoAspectRatioFilter;
pub use video_duration::{VideoBackend, VideoDurationFilter};
pub use video_resolution::VideoResolutionFilter;

djhost_sdk::export!(
    ImageAspectRatioFilter,
    ImageShapeFilter,
    ImageSizeFilter,
    AudioDurationFilter,
    AudioSizeFilter,
    VideoDurationFilter,
    VideoResolutionFilter,
    VideoAspectRatioFilter,
    ImageDeduplicator,
    ImageTextSimilarityFilter,
    ImageTextMatchingFilter,
);
