//! The files of a row: where a row has them, as paths or as bytes.

use crate::media::Media;
use djhost_sdk::prelude::*;

/// The kind of files in a row's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// Those of `image_key`, or inside of rows under `image_bytes_key`.
    Images,
    /// Those of `audio_key`.
    Audios,
    /// Those of `video_key`.
    Videos,
}

impl Modality {
    /// The fields with the list, and with the bytes of images inside of rows. The list is read as
    /// JSON, because a value that is not a list must not pass for an absent one.
    pub fn inputs(self, common: &Common) -> Vec<Input> {
        let key = match self {
            Self::Images => &common.image_key,
            Self::Audios => &common.audio_key,
            Self::Videos => &common.video_key,
        };
        let list = Input::optional(key, ColumnType::Json);
        match self {
            // A field cannot be read in two types.
            Self::Images if common.image_bytes_key == *key => {
                vec![Input::required(key, ColumnType::BytesList)]
            }
            Self::Images => vec![
                list,
                Input::optional(&common.image_bytes_key, ColumnType::BytesList),
            ],
            Self::Audios | Self::Videos => vec![list],
        }
    }
}

/// The files of a row, of which the first `inputs` fields are those of [`Modality::inputs`]. Where
/// a row has the bytes of a file, its path is not opened.
///
/// # Errors
/// When the list is not one of strings.
pub fn files(row: Row<'_>, inputs: usize) -> Result<Vec<Media<'_>>, Reject> {
    let mut paths = Vec::new();
    if let Some(text) = row.text(0) {
        let value = serde_json::from_str::<Option<Vec<String>>>(text);
        paths = value
            .map_err(|_| format!("not a list of paths: {text:.200}"))?
            .unwrap_or_default();
    }
    let last = inputs - 1;
    let mut inside = row.bytes_list(last).enumerate().map(|(i, bytes)| {
        let name = format!("file {i} in `{}`", row.path(last));
        Media::inside(name, bytes)
    });
    if paths.is_empty() {
        return Ok(inside.collect());
    }
    let file = |path: String| inside.next().unwrap_or_else(|| Media::file(path));
    Ok(paths.into_iter().map(file).collect())
}
