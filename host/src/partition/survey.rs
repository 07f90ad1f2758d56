//! Finds out how many rows a dataset has and chooses the rows to sample, without reading all of it.
//!
//! Columnar formats store their number of rows. Parquet also stores the sizes of its columns, so only
//! the few that tell the modality are decoded, at a few places: a row costs a whole page of each
//! column, and all columns of 64 pages were a third of the time of a run. For JSON lines, stretches
//! of equal length at equal distances are read, and the rows that **begin** in a stretch are sampled. This gives each row
//! the same chance, however long it is; taking the row at a position, or a fixed number of rows
//! from each, would prefer long rows.

use anyhow::{Context, Result};
use memchr::memchr_iter;

use super::auto::{RowCount, sample_rows};
use super::pages;
use super::split::{SplitBy, locate, next_row, slices, split};
use crate::data::input::describe::{guarded, row_counts};
use crate::data::input::handle::Handle;
use crate::data::input::parquet_file::bytes_beside;
use crate::data::input::parquet_pages::RowGroups;
use crate::data::input::several::of_each;
use crate::data::{Dataset, Format, InputFile, Partition, Slice};

/// Stretches in which rows are counted. Many short stretches are better than few long ones because
/// neighbouring rows are alike: 16 MB in all take some 5 ms and were off by 3 % on 462 MB of
/// documents of very different lengths; the same bytes in 64 stretches were off by 12 %.
const COUNTED: u64 = 512;
/// Stretches whose rows are sampled. These rows must be parsed.
const PARSED: u64 = 64;
/// Places where rows of Parquet are sampled: each costs a page of a column, of 1 to 5 MB. DuckDB
/// writes pages of 100 MB and more: of such ones a single one is enough.
const PAGES: u64 = 8;
/// Bytes of pages that are worth unpacking for a sample.
const PAGE_BYTES: u64 = 40 << 20;
/// Length of a stretch in bytes.
const LENGTH: u64 = 32 << 10;
/// With fewer rows than this, rows are large and the stretches are made longer, as far as [`MOST`]
/// allows.
const ENOUGH: u64 = 200;
/// Of these how many where each is a request.
const REMOTE: u64 = 16;
/// And in how many files at most, if these are small.
const MOST_REQUESTS: usize = 64;
/// Remote footers that tell how large values are.
const MOST_FOOTERS: usize = 256;
/// Most bytes to read.
const MOST: u64 = 128 << 20;

/// The result of a survey.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    /// Rows of the dataset, blank lines not counted.
    pub rows: RowCount,
    /// Where to take the sample.
    pub sample: Vec<Partition>,
    /// How many rows to take from each piece. For JSON lines all rows of the short pieces are
    /// needed for a fair sample.
    pub per_piece: usize,
    /// Average bytes of a row as the footers have it, if the sample is from fewer places than there
    /// are, because pages are large.
    pub row_bytes: Option<f64>,
}

/// Surveys `dataset`, whose files must all be splittable.
pub(crate) fn survey(dataset: &Dataset) -> Result<Survey> {
    let is_remote = dataset.files.iter().any(|file| file.version.is_some());
    if dataset.is_columnar() {
        let columnar = dataset
            .files
            .iter()
            .filter(|file| file.format.is_columnar());
        let columnar: Vec<&InputFile> = columnar.collect();
        let rows = row_counts(&columnar)?.into_iter().sum();
        // Would not count lines in a dataset that mixes columns and lines; no dataset does today.
        let rows = if dataset.files.iter().all(|file| file.format.is_columnar()) {
            RowCount::Exact(rows)
        } else {
            RowCount::About(rows)
        };
        let (all, cheap) = match is_parquet(dataset) {
            true => (pages(dataset).clamp(1, PAGES), cheap_pages(dataset).max(1)),
            false => (PARSED, PARSED),
        };
        // A place costs a piece of each of its columns.
        let places = all.min(cheap).min(if is_remote { 2 } else { u64::MAX });
        let per_piece = (sample_rows(rows.number()) / places).max(4) as usize;
        let row_bytes = match cheap < all && rows.number() > 0 {
            true => Some(values_bytes(dataset, &[])? as f64 / rows.number() as f64),
            false => None,
        };
        return Ok(Survey {
            rows,
            sample: split(dataset, SplitBy::Count(places as u32))?,
            per_piece,
            row_bytes,
        });
    }
    if dataset.is_pages() {
        return pages::survey(dataset);
    }
    let sizes: Vec<u64> = dataset.files.iter().map(|file| file.bytes).collect();
    let total: u64 = sizes.iter().sum();
    // Fewer and longer ones, as far as they are the same bytes, where each is a request.
    let (counted, parsed) = match is_remote {
        true => (REMOTE, REMOTE),
        false => (COUNTED, PARSED),
    };
    let mut length = LENGTH * PARSED / parsed;
    let rows = loop {
        let is_all = length * counted >= total;
        let parts = if is_all {
            vec![(0, total)]
        } else {
            stretches(total, counted, length)
        };
        let stretches = parts
            .into_iter()
            .flat_map(|(from, to)| slices(&sizes, from, to));
        let mut stretches: Vec<Slice> = stretches.collect();
        let is_most = is_remote && stretches.len() > MOST_REQUESTS;
        if is_most {
            let each = stretches.len() as f64 / MOST_REQUESTS as f64;
            let chosen = (0..MOST_REQUESTS).map(|k| stretches[(k as f64 * each) as usize]);
            stretches = chosen.collect();
        }
        let mut rows = 0;
        for slice in &stretches {
            rows += begin_in(&dataset.files[slice.file], slice.start, slice.end)?;
        }
        if is_most {
            let bytes: u64 = stretches.iter().map(|slice| slice.end - slice.start).sum();
            let all = rows as f64 * total as f64 / bytes.max(1) as f64;
            break RowCount::About(all.round() as u64);
        }
        if is_all {
            break RowCount::Exact(rows);
        }
        if rows >= ENOUGH || length * counted >= MOST {
            break RowCount::About(
                (rows as f64 * total as f64 / (length * counted) as f64).round() as u64,
            );
        }
        length *= 8;
    };
    // Otherwise most stretches would have no row.
    let few = rows.number() < total / LENGTH;
    let mut sample = Vec::new();
    for (id, (from, to)) in stretches(total, parsed, if few { 8 * length } else { LENGTH })
        .into_iter()
        .enumerate()
    {
        let begin = |at: u64| -> Result<u64> {
            let Some((file, base)) = (at < total).then(|| locate(&sizes, at)) else {
                return Ok(total);
            };
            Ok(base + next_row(dataset, file, at - base)?)
        };
        let mut slices = slices(&sizes, begin(from)?, begin(to)?);
        if is_remote {
            slices.truncate(MOST_REQUESTS / REMOTE as usize);
        }
        sample.push(Partition {
            id: id as u32,
            slices,
        });
    }
    // Long rows take time to parse, so fewer are enough.
    Ok(Survey {
        rows,
        sample,
        per_piece: if few { 16 } else { usize::MAX },
        row_bytes: None,
    })
}

/// In how many places rows of Parquet can be decoded alone, if fewer than [`PAGES`].
fn pages(dataset: &Dataset) -> u64 {
    let mut pages = 0;
    for file in &dataset.files {
        if pages < PAGES {
            // What is damaged is said when it is read.
            pages += of_groups(file, |groups| groups.places(PAGES - pages)).unwrap_or(1);
        }
    }
    pages
}

/// Bytes of all values of Parquet files but those of the top-level columns `known`, as their footers
/// say. Of very many remote files some tell.
pub(super) fn values_bytes(dataset: &Dataset, known: &[String]) -> Result<u64> {
    let files: Vec<&InputFile> = dataset.files.iter().collect();
    let is_remote = files.iter().any(|file| file.version.is_some());
    let count = match is_remote {
        true => files.len().min(MOST_FOOTERS),
        false => files.len(),
    };
    let chosen: Vec<&InputFile> = (0..count).map(|k| files[k * files.len() / count]).collect();
    let bytes_of =
        |file: &InputFile| guarded(&file.shown().to_string(), || bytes_beside(file, known));
    let bytes: u64 = of_each(&chosen, bytes_of)?.into_iter().sum();
    let size: u64 = chosen.iter().map(|file| file.bytes).sum();
    let all = u128::from(bytes) * u128::from(dataset.bytes()) / u128::from(size.max(1));
    Ok(match count == files.len() {
        true => bytes,
        false => u64::try_from(all).unwrap_or(u64::MAX),
    })
}

/// How many pages as large as those of the first file are worth their cost.
fn cheap_pages(dataset: &Dataset) -> u64 {
    let first = dataset.files.first();
    let bytes = first.and_then(|file| of_groups(file, |groups| groups.page_bytes(0)).ok());
    PAGE_BYTES / bytes.unwrap_or(0).max(1)
}

fn of_groups<T>(file: &InputFile, ask: impl FnOnce(&RowGroups) -> Result<T>) -> Result<T> {
    guarded(&file.shown().to_string(), || ask(&RowGroups::open(file)?))
}

/// Whether footers have the sizes of all columns.
pub(super) fn is_parquet(dataset: &Dataset) -> bool {
    let mut files = dataset.files.iter();
    files.all(|file| file.format == Format::Parquet)
}

/// Returns stretches of `length` bytes in the middle of `places` equal parts of `total`, or one
/// that covers all of it if they would touch.
fn stretches(total: u64, places: u64, length: u64) -> Vec<(u64, u64)> {
    let at = |k: u64| (u128::from(total) * u128::from(k) / u128::from(places)) as u64;
    (0..places)
        .map(|k| {
            let (from, to) = (at(k), at(k + 1));
            let spare = (to - from).saturating_sub(length) / 2;
            (
                from + spare,
                if spare == 0 {
                    to
                } else {
                    from + spare + length
                },
            )
        })
        .filter(|(from, to)| from < to)
        .collect()
}

/// Returns the number of rows that begin in a stretch of a file of JSON lines.
fn begin_in(input: &InputFile, from: u64, to: u64) -> Result<u64> {
    let at = || format!("cannot read `{}` at byte {from}", input.path.display());
    let file = Handle::open(input).with_context(at)?;
    // A row begins after a line end or at the start of the file.
    let before = from.saturating_sub(1);
    let mut bytes = vec![0; (to - before) as usize];
    file.read_exact_at(&mut bytes, before).with_context(at)?;
    let is_row = |start: usize| {
        let rest = &bytes[start..];
        match rest
            .iter()
            .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
        {
            // A blank line, or the end of the stretch, after which a row continues.
            Some(b'\n') => false,
            _ => !rest.is_empty(),
        }
    };
    let first = u64::from(from == 0 && is_row(0));
    Ok(first
        + memchr_iter(b'\n', &bytes)
            .filter(|end| is_row(end + 1))
            .count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Compression;

    fn dataset(dir: &std::path::Path, files: &[Vec<u8>]) -> Dataset {
        let files = files
            .iter()
            .enumerate()
            .map(|(i, content)| {
                let path = dir.join(format!("{i}.jsonl"));
                std::fs::write(&path, content).unwrap();
                let bytes = content.len() as u64;
                InputFile {
                    path,
                    format: Format::Jsonl,
                    compression: Compression::None,
                    bytes,
                    modified_ns: 0,
                    by_record: false,
                    version: None,
                    origin: None,
                }
            })
            .collect();
        Dataset {
            files,
            notes: Vec::new(),
            zstd_window: 128 << 20,
            pages: Default::default(),
            features: None,
            losses: Default::default(),
        }
    }

    /// Rows of very different lengths: one in ten has 20 kB, and these are most of the bytes.
    fn uneven(rows: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for i in 0..rows {
            let length = if i % 10 == 0 { 20_000 } else { 100 + i % 50 };
            out.extend_from_slice(format!("{{\"text\": \"{}\"}}\n", "x".repeat(length)).as_bytes());
        }
        out
    }

    #[test]
    fn small_datasets_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let data = dataset(
            dir.path(),
            &[
                b"\n{}\n \t\r\n{}\r\n\r\n{}".to_vec(),
                Vec::new(),
                b"{}\n".to_vec(),
            ],
        );
        let survey = survey(&data).unwrap();
        assert_eq!(survey.rows, RowCount::Exact(4));
    }

    #[test]
    fn long_rows_are_not_preferred() {
        let dir = tempfile::tempdir().unwrap();
        let rows = 40_000;
        let data = dataset(dir.path(), &[uneven(rows / 4), uneven(rows - rows / 4)]);
        assert!(data.bytes() > COUNTED * LENGTH * 2);
        let survey = survey(&data).unwrap();
        let RowCount::About(estimate) = survey.rows else {
            panic!("{:?}", survey.rows)
        };
        assert!(
            (estimate as f64 / rows as f64 - 1.0).abs() < 0.1,
            "{estimate} rows instead of {rows}"
        );
        // About a tenth of the sampled rows is long.
        let (mut long, mut all) = (0, 0);
        for slice in survey.sample.iter().flat_map(|p| &p.slices) {
            let text = std::fs::read(&data.files[slice.file].path).unwrap();
            for line in text[slice.start as usize..slice.end as usize]
                .split(|b| *b == b'\n')
                .filter(|line| !line.is_empty())
            {
                all += 1;
                long += usize::from(line.len() > 10_000);
            }
        }
        assert!(
            all > 500 && (0.05..0.17).contains(&(long as f64 / all as f64)),
            "{long} of {all}"
        );
    }

    #[test]
    fn huge_rows_take_longer_stretches() {
        let dir = tempfile::tempdir().unwrap();
        let row = format!("{{\"text\": \"{}\"}}\n", "y".repeat(600_000));
        let data = dataset(dir.path(), &[row.repeat(100).into_bytes()]);
        let survey = survey(&data).unwrap();
        assert_eq!(survey.rows, RowCount::Exact(100));
        assert!(survey.sample.iter().any(|p| !p.slices.is_empty()));
    }
}
