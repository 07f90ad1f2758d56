//! Reads the rows that a survey chose, and measures them for auto mode.

use arrow::array::{Array, AsArray};

use super::auto::{Modality, SampledRow};
use super::survey::Survey;
use crate::config::Resolved;
use crate::data::{Batch, Dataset, FieldType, ReadField, ReadOptions, logical_bytes, read};

/// Reads the rows of the survey's sample.
pub(crate) fn read_sample(
    resolved: &Resolved,
    dataset: &Dataset,
    survey: &Survey,
) -> Result<Vec<SampledRow>, String> {
    let config = &resolved.config;
    let field = |path: &str, ty: FieldType| ReadField {
        path: path.to_owned(),
        ty,
        required: false,
    };
    let mut options = ReadOptions::new(vec![
        field(config.text_key(), FieldType::Utf8),
        field(&config.image_key, FieldType::Json),
        field(&config.audio_key, FieldType::Json),
        field(&config.video_key, FieldType::Json),
    ]);
    options.batch_bytes = 64 << 10;
    let mut rows = Vec::new();
    for piece in survey.sample.iter().filter(|p| !p.slices.is_empty()) {
        let mut left = survey.per_piece;
        for block in read(dataset, piece, &options).map_err(|e| format!("{e:#}"))? {
            let batch = block.map_err(|e| format!("{e:#}"))?.batch;
            let taken = batch.rows().min(left);
            let media = [&config.image_key, &config.audio_key, &config.video_key];
            rows.extend((0..taken).map(|i| sampled(&batch, i, config.text_key(), &media)));
            left -= taken;
            if left == 0 {
                break;
            }
        }
    }
    Ok(rows)
}

fn sampled(batch: &Batch, row: usize, text_key: &str, media: &[&String; 3]) -> SampledRow {
    let data = batch.field(text_key);
    let text = data
        .as_ref()
        .and_then(|d| d.as_string_view_opt())
        .filter(|t| t.is_valid(row))
        .map_or("", |t| t.value(row));
    let has = |key: &str| {
        batch.field(key).is_some_and(|d| {
            d.is_valid(row)
                && d.as_string_view_opt()
                    .is_none_or(|v| !matches!(v.value(row), "[]" | "null" | "\"\""))
        })
    };
    let bytes = match &batch.raw {
        Some(raw) => raw.value(row).len() as u64,
        None => batch
            .columns
            .iter()
            // Columns that were asked for and are not there, too.
            .filter(|c| c.data.is_valid(row))
            .map(|c| logical_bytes(&c.data.slice(row, 1)))
            .sum(),
    };
    SampledRow {
        bytes,
        text_chars: text.chars().count() as u64,
        modality: Modality::of_row(text, has(media[0]), has(media[1]), has(media[2])),
    }
}
