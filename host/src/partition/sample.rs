//! Reads the rows that a survey chose, and measures them for auto mode.

use arrow::array::{Array, AsArray};

use super::auto::{Modality, SampledRow};
use super::survey::{Survey, is_parquet, values_bytes};
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
    if dataset.is_pages() {
        options.max_row_bytes = (config.max_row_mb as usize) << 20;
    }
    let mut beside = 0;
    if is_parquet(dataset) {
        let columns = top_level(&options.fields);
        // Average bytes of a row in the other columns.
        let bytes = values_bytes(dataset, &columns).map_err(|e| format!("{e:#}"))?;
        beside = bytes / survey.rows.number().max(1);
        options.columns = Some(columns);
    }
    let mut rows = Vec::new();
    for piece in survey.sample.iter().filter(|p| !p.slices.is_empty()) {
        let mut left = survey.per_piece;
        for block in read(dataset, piece, &options).map_err(|e| format!("{e:#}"))? {
            let batch = block.map_err(|e| format!("{e:#}"))?.batch;
            let taken = batch.rows().min(left);
            let media = [&config.image_key, &config.audio_key, &config.video_key];
            rows.extend((0..taken).map(|i| {
                let mut row = sampled(&batch, i, config.text_key(), &media);
                row.bytes += beside;
                row
            }));
            left -= taken;
            if left == 0 {
                break;
            }
        }
    }
    Ok(rows)
}

/// The columns in which `fields` may lie: a name with dots can be a column, or lead into one.
fn top_level(fields: &[ReadField]) -> Vec<String> {
    let head = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    fields
        .iter()
        .flat_map(|field| [field.path.clone(), head(&field.path)])
        .collect()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    use super::*;
    use crate::config::{Need, resolve};
    use crate::partition::survey::survey;

    /// 4,000 rows with a text of 1,000 bytes and another column of 2,000, in pages of so many rows.
    fn parquet(path: &std::path::Path, page: usize) {
        let column = |len: usize| -> ArrayRef {
            let value = |i: usize| format!("{i:0len$}");
            Arc::new(StringArray::from_iter_values((0..4000).map(value)))
        };
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..4000));
        let columns = [
            ("n", numbers),
            ("text", column(1000)),
            ("more", column(2000)),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = std::fs::File::create(path).unwrap();
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_data_page_size_limit(usize::MAX)
            .set_data_page_row_count_limit(page)
            .set_write_batch_size(page)
            .build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn columns_that_are_not_decoded_count_as_the_footer_says() {
        let dir = tempfile::tempdir().unwrap();
        parquet(&dir.path().join("in.parquet"), 100);
        let recipe = dir.path().join("recipe.yaml");
        let paths = "dataset_path: in.parquet\nexport_path: out.parquet\nprocess: []\n";
        std::fs::write(&recipe, paths).unwrap();
        let none = std::iter::empty::<(std::ffi::OsString, std::ffi::OsString)>();
        let resolved = resolve(Some(&recipe), none, &[], Need::Runnable).unwrap();
        let dataset = Dataset::open(&["in.parquet".to_owned()], dir.path()).unwrap();
        let rows = read_sample(&resolved, &dataset, &survey(&dataset).unwrap()).unwrap();
        assert!((96..=200).contains(&rows.len()), "{}", rows.len());
        assert!(rows.iter().all(|row| row.text_chars == 1000));
        let mean = rows.iter().map(|row| row.bytes).sum::<u64>() / rows.len() as u64;
        assert!((3000..3100).contains(&mean), "{mean}");
    }

    /// A row of a page costs the page: where all rows are in one, they are taken from one place.
    #[test]
    fn no_page_is_decoded_twice() {
        let dir = tempfile::tempdir().unwrap();
        for (page, places) in [(100, 8), (1000, 4), (4000, 1), (8000, 1)] {
            parquet(&dir.path().join("in.parquet"), page);
            let dataset = Dataset::open(&["in.parquet".to_owned()], dir.path()).unwrap();
            let survey = survey(&dataset).unwrap();
            assert_eq!(survey.sample.len(), places, "{page}");
            assert!(survey.per_piece * places >= 96, "{}", survey.per_piece);
        }
    }
}
