//! Cuts a dataset into partitions, which are slices of its files in order. Nothing is copied.

use crate::data::batch::split_id;
use crate::data::input::describe::{guarded, row_counts};
use crate::data::input::handle::Handle;
use crate::data::input::pages::next_start;
use crate::data::input::parquet_pages::RowGroups;
use crate::data::{Dataset, Format, InputFile, Partition, ReadOptions, Slice, read};
use anyhow::{Context, Result, bail};
use memchr::{memchr, memchr_iter};

/// What determines the size of partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SplitBy {
    /// Exactly this many partitions of equal size. Some are empty if there are too few rows.
    Count(u32),
    /// About `count` partitions, but at least one for each of `workers`: row groups of Parquet with a
    /// column of few large pages are left whole, because each part of one would have to decode them
    /// again.
    About { count: u32, workers: u32 },
    /// This many rows per partition (lines of JSONL, blank ones counted); the last one may have
    /// fewer.
    Rows(u64),
}

/// Bytes per read when searching for line ends.
const PIECE: usize = 1 << 20;

/// Splits `dataset`, whose files must all be splittable. Every row is in exactly one partition,
/// partitions follow each other in input order, and there is at least one. The same input gives the
/// same partitions.
pub(crate) fn split(dataset: &Dataset, by: SplitBy) -> Result<Vec<Partition>> {
    if let Some(file) = dataset.files.iter().find(|f| !f.is_splittable()) {
        bail!("`{}` must be unpacked before it can be split", file.shown());
    }
    let sizes = sizes(dataset)?;
    let total: u64 = sizes.iter().sum();
    let cuts = match by {
        SplitBy::Rows(rows) => cuts_by_rows(dataset, &sizes, rows.max(1))?,
        SplitBy::Count(count) => cuts_by_count(dataset, &sizes, u64::from(count.max(1)))?,
        SplitBy::About { count, workers } => {
            let cuts = cuts_by_count(dataset, &sizes, u64::from(count.max(1)))?;
            let whole = beside_groups(dataset, &sizes, &cuts);
            if whole.len() + 1 >= workers.min(count) as usize {
                whole
            } else {
                cuts_by_count(dataset, &sizes, u64::from(workers.max(1)))?
            }
        }
    };
    Ok(partitions_at(&cuts, &sizes, total))
}

/// Returns the length of each file: in bytes (of the file, if its records are packed), or in rows if it is columnar.
fn sizes(dataset: &Dataset) -> Result<Vec<u64>> {
    let is_columnar = |file: &&InputFile| file.format.is_columnar();
    let columnar: Vec<&InputFile> = dataset.files.iter().filter(is_columnar).collect();
    let mut rows = row_counts(&columnar)?.into_iter();
    let files = dataset.files.iter();
    let sizes = files.map(|file| match file.format.is_columnar() {
        true => rows.next().context("fewer counts than files"),
        false => Ok(file.bytes),
    });
    sizes.collect()
}

/// Returns the partitions between `cuts`, which are positions in the files laid end to end.
fn partitions_at(cuts: &[u64], sizes: &[u64], total: u64) -> Vec<Partition> {
    let mut from = 0;
    cuts.iter()
        .chain([&total])
        .enumerate()
        .map(|(id, to)| {
            let start = from;
            from = start.max(*to);
            Partition {
                id: id as u32,
                slices: slices(sizes, start, from),
            }
        })
        .collect()
}

/// Cuts `dataset` where an earlier state of it was cut, as far as its files are the same and still
/// long enough.
///
/// `cuts` are the ends of all partitions but the last and `end` is the end of the last one, each as
/// (file, position); only the first `files` files count. Rows after that are cut into the remaining
/// number of partitions if it must stay (`exact`), or else into further partitions of about the
/// same size. Returns None if the partitions would be too uneven: then it is better to cut afresh.
pub(super) fn split_like(
    dataset: &Dataset,
    files: usize,
    cuts: &[(usize, u64)],
    end: (usize, u64),
    exact: bool,
) -> Result<Option<Vec<Partition>>> {
    let sizes = sizes(dataset)?;
    let total: u64 = sizes.iter().sum();
    let count = cuts.len() as u64 + 1;
    let global = |(file, at): (usize, u64)| -> Result<Option<u64>> {
        if file >= files || at > sizes[file] {
            return Ok(None);
        }
        let at = if at == sizes[file] {
            at
        } else {
            next_row(dataset, file, at)?
        };
        Ok(Some(sizes[..file].iter().sum::<u64>() + at))
    };
    let mut kept = Vec::new();
    for cut in cuts {
        match global(*cut)? {
            Some(at) => kept.push(at),
            None => break,
        }
    }
    let last = kept.last().copied().unwrap_or(0);
    let pieces = |from: u64, n: u64| {
        (1..n).map(move |k| {
            from + ((u128::from(total - from) * u128::from(k)) / u128::from(n)) as u64
        })
    };
    let rest: Vec<u64> = match global(end)? {
        _ if kept.len() < cuts.len() => pieces(last, count - kept.len() as u64).collect(),
        // The dataset has grown at its end.
        Some(before) if !exact && total - before > before / count / 2 => {
            let size = (before / count).max(1);
            std::iter::once(before)
                .chain(pieces(
                    before,
                    (total - before).div_ceil(size).min(1_000_000),
                ))
                .collect()
        }
        _ => Vec::new(),
    };
    for ideal in rest {
        let (file, base) = if ideal < total {
            locate(&sizes, ideal)
        } else {
            break;
        };
        kept.push(base + next_row(dataset, file, ideal - base)?);
    }
    kept.resize(kept.len().max(cuts.len()), total);
    let parts = partitions_at(&kept, &sizes, total);
    let largest = parts
        .iter()
        .map(|p| p.slices.iter().map(|s| s.end - s.start).sum::<u64>())
        .max()
        .unwrap_or(0);
    Ok((largest <= 2 * total.div_ceil(parts.len() as u64)).then_some(parts))
}

/// Returns the slices that cover `from..to` of the files laid end to end.
pub(crate) fn slices(sizes: &[u64], from: u64, to: u64) -> Vec<Slice> {
    let mut base = 0;
    let mut slices = Vec::new();
    for (file, &size) in sizes.iter().enumerate() {
        let (start, end) = (from.max(base), to.min(base + size));
        if start < end {
            slices.push(Slice {
                file,
                start: start - base,
                end: end - base,
            });
        }
        base += size;
    }
    slices
}

/// Returns `count - 1` positions at equal distances, each moved to the start of the next row.
fn cuts_by_count(dataset: &Dataset, sizes: &[u64], count: u64) -> Result<Vec<u64>> {
    let total: u64 = sizes.iter().sum();
    let mut cuts = Vec::new();
    let mut last = 0;
    for k in 1..count {
        let ideal = (u128::from(total) * u128::from(k) / u128::from(count)) as u64;
        if ideal > last {
            let (file, base) = locate(sizes, ideal);
            last = base + next_row(dataset, file, ideal - base)?;
        }
        cuts.push(last);
    }
    Ok(cuts)
}

/// Moves each of `cuts` that is within a row group that has to be decoded as a whole to the nearer
/// end of it. Cuts that meet become one.
fn beside_groups(dataset: &Dataset, sizes: &[u64], cuts: &[u64]) -> Vec<u64> {
    let total: u64 = sizes.iter().sum();
    let mut open: Option<(usize, Option<RowGroups>)> = None;
    let mut moved = |cut: u64| {
        if cut >= total {
            return cut;
        }
        let (file, base) = locate(sizes, cut);
        let input = &dataset.files[file];
        if input.format != Format::Parquet {
            return cut;
        }
        // What is damaged is said when it is read.
        let name = input.shown().to_string();
        if open.as_ref().is_none_or(|(of, _)| *of != file) {
            let groups = guarded(&name, || RowGroups::open(input)).ok();
            open = Some((file, groups));
        }
        let groups = open.as_ref().and_then(|(_, groups)| groups.as_ref());
        let whole = groups.and_then(|g| guarded(&name, || g.whole_group(cut - base)).ok()?);
        match whole.map(|rows| base + rows.start..base + rows.end) {
            Some(rows) if cut - rows.start < rows.end - cut => rows.start,
            Some(rows) if cut > rows.start => rows.end,
            _ => cut,
        }
    };
    let mut cuts: Vec<u64> = cuts.iter().map(|cut| moved(*cut)).collect();
    cuts.dedup();
    cuts.retain(|cut| (1..total).contains(cut));
    cuts
}

/// Returns the file that holds the position `at`, which is less than the total, and where that file
/// begins.
pub(crate) fn locate(sizes: &[u64], at: u64) -> (usize, u64) {
    let mut base = 0;
    for (file, &size) in sizes.iter().enumerate() {
        if at < base + size {
            return (file, base);
        }
        base += size;
    }
    unreachable!("the position lies before the end")
}

/// Returns where the first row at or after `at` of a file starts, and the file can be cut.
pub(crate) fn next_row(dataset: &Dataset, file: usize, at: u64) -> Result<u64> {
    let input = &dataset.files[file];
    if input.format.is_columnar() || at == 0 {
        return Ok(at);
    }
    if input.format.is_pages() {
        return next_start(input, at, dataset.zstd_window);
    }
    let size = input.bytes;
    let file =
        Handle::open(input).with_context(|| format!("cannot open `{}`", input.path.display()))?;
    let mut piece = vec![0; 64 << 10];
    let mut from = at - 1;
    while from < size {
        let got = read_piece(&file, input, from, &mut piece)?;
        if let Some(i) = memchr(b'\n', &piece[..got]) {
            return Ok(from + i as u64 + 1);
        }
        from += got as u64;
    }
    Ok(size)
}

fn read_piece(file: &Handle, input: &InputFile, at: u64, piece: &mut [u8]) -> Result<usize> {
    let context = || format!("cannot read `{}` at byte {at}", input.path.display());
    match file.read_at(piece, at).with_context(context)? {
        0 => bail!(
            "`{}` ends at byte {at}, before its size of {}: it was cut meanwhile",
            input.path.display(),
            input.bytes
        ),
        got => Ok(got),
    }
}

/// Returns a cut after every `rows` rows.
fn cuts_by_rows(dataset: &Dataset, sizes: &[u64], rows: u64) -> Result<Vec<u64>> {
    let total: u64 = sizes.iter().sum();
    let mut cuts = Vec::new();
    let (mut base, mut seen) = (0, 0);
    let mut piece = vec![0; PIECE];
    for (number, (input, &size)) in dataset.files.iter().zip(sizes).enumerate() {
        if input.format.is_pages() {
            for place in places_of_rows(dataset, number)? {
                if seen > 0 && seen % rows == 0 {
                    cuts.push(base + place);
                }
                seen += 1;
            }
            base += size;
            continue;
        }
        if input.format.is_columnar() {
            cuts.extend((seen + 1..=seen + size).filter(|row| row % rows == 0));
            seen += size;
            base += size;
            continue;
        }
        let file = Handle::open(input)
            .with_context(|| format!("cannot open `{}`", input.path.display()))?;
        let (mut at, mut ended) = (0, true);
        while at < size {
            let got = read_piece(&file, input, at, &mut piece)?;
            for i in memchr_iter(b'\n', &piece[..got]) {
                seen += 1;
                if seen % rows == 0 {
                    cuts.push(base + at + i as u64 + 1);
                }
            }
            ended = piece[got - 1] == b'\n';
            at += got as u64;
        }
        base += size;
        if !ended {
            // The last row of a file may have no line end.
            seen += 1;
            if seen % rows == 0 {
                cuts.push(base);
            }
        }
    }
    cuts.retain(|&cut| cut < total);
    Ok(cuts)
}

/// Returns the places of all rows of a file of pages, good or bad, which has to be unpacked for that.
fn places_of_rows(dataset: &Dataset, file: usize) -> Result<Vec<u64>> {
    let slices = vec![Slice {
        file,
        start: 0,
        end: dataset.files[file].bytes,
    }];
    let mut places = Vec::new();
    let mut options = ReadOptions::new(Vec::new());
    // Longer rows are counted, too, without being made.
    options.max_row_bytes = 1 << 20;
    for block in read(dataset, &Partition { id: 0, slices }, &options)? {
        let block = block?;
        let good = block.batch.ids.values().iter().copied();
        let mut ids: Vec<u64> = good.chain(block.bad.iter().map(|row| row.id)).collect();
        ids.sort_unstable();
        places.extend(ids.into_iter().map(|id| split_id(id).1));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use arrow::record_batch::RecordBatch;
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    use super::*;

    /// A file of 4 row groups of 100 rows, in pages of `page` rows.
    fn file(dir: &std::path::Path, page: usize) -> Dataset {
        let path = dir.join(format!("pages-of-{page}.parquet"));
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_max_row_group_row_count(Some(100))
            .set_write_batch_size(page)
            .set_data_page_row_count_limit(page)
            .build();
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(
            (0..400).map(|row| format!("the text of row {row}")),
        ));
        let rows = RecordBatch::try_from_iter([("text", texts)]).unwrap();
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).unwrap();
        writer.write(&rows).unwrap();
        writer.close().unwrap();
        Dataset::open(&[path.display().to_string()], dir).unwrap()
    }

    fn ends(dataset: &Dataset, by: SplitBy) -> Vec<u64> {
        let partitions = split(dataset, by).unwrap();
        partitions.iter().map(|p| p.slices[0].end).collect()
    }

    #[test]
    fn row_groups_of_single_pages_are_not_cut() {
        let dir = tempfile::tempdir().unwrap();
        let about = |count, workers| SplitBy::About { count, workers };
        let (whole, pages) = (file(dir.path(), 100), file(dir.path(), 10));
        assert_eq!(ends(&whole, about(7, 1)), [100, 200, 300, 400]);
        assert_eq!(ends(&whole, about(3, 2)), [100, 300, 400]);
        // Each worker has something to do.
        assert_eq!(ends(&whole, about(20, 5)), [80, 160, 240, 320, 400]);
        assert_eq!(ends(&pages, about(8, 1)), ends(&pages, SplitBy::Count(8)));
        // What the user asked for stays.
        assert_eq!(ends(&whole, SplitBy::Count(8)).len(), 8);
    }
}
