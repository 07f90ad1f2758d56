//! Surveys a dataset of web pages, whose records have to be unpacked to be counted.

use anyhow::Result;

use super::auto::RowCount;
use super::split::{SplitBy, split};
use super::survey::Survey;
use crate::data::batch::split_id;
use crate::data::{Dataset, Format, Partition, ReadOptions, Slice, read};

/// Places at which records are looked at: one for each of so many bytes, within bounds.
const BYTES: u64 = 1 << 20;
const PLACES: (u64, u64) = (8, 64);
/// How many rows at each.
const ROWS: usize = 8;

/// Estimates the number of rows from the bytes between rows at some places. HTML files are a row each.
pub(super) fn survey(dataset: &Dataset) -> Result<Survey> {
    let files = dataset.files.iter();
    let (pages, records): (Vec<_>, Vec<_>) = files
        .filter(|file| file.bytes > 0)
        .partition(|file| file.format == Format::Html);
    let places = (dataset.bytes() / BYTES).clamp(PLACES.0, PLACES.1);
    let sample = split(dataset, SplitBy::Count(places as u32))?;
    let bytes: u64 = records.iter().map(|file| file.bytes).sum();
    let rows = match bytes {
        0 => RowCount::Exact(pages.len() as u64),
        _ => {
            let records = (bytes as f64 * density(dataset, &sample)?).round() as u64;
            RowCount::About(pages.len() as u64 + records)
        }
    };
    Ok(Survey {
        rows,
        sample,
        per_piece: ROWS,
        row_bytes: None,
    })
}

/// Rows of WARC files for each of their bytes: the mean of the beginnings of some partitions. Places
/// stand for equal parts of the bytes, so rows must not be added up: pages of a site are alike, and
/// there are more places among large ones.
fn density(dataset: &Dataset, places: &[Partition]) -> Result<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    let mut options = ReadOptions::new(Vec::new());
    // Longer rows are counted, too, without being made.
    (options.batch_bytes, options.max_row_bytes) = (1, 1 << 20);
    let is_warc = |slice: &&Slice| dataset.files[slice.file].format == Format::Warc;
    for slice in places.iter().filter_map(|p| p.slices.iter().find(is_warc)) {
        let one = Partition {
            id: 0,
            slices: vec![*slice],
        };
        let (mut here, mut until) = (0, slice.end);
        for block in read(dataset, &one, &options)? {
            let block = block?;
            let good = block.batch.ids.values().iter().copied();
            let ids = good.chain(block.bad.iter().map(|row| row.id));
            if here >= ROWS as u64 {
                // The bytes of the rows before this one.
                until = ids.map(|id| split_id(id).1).min().unwrap_or(until);
                break;
            }
            here += ids.count() as u64;
        }
        sum += here as f64 / (until - slice.start).max(1) as f64;
        count += 1;
    }
    Ok(sum / f64::from(count.max(1)))
}
