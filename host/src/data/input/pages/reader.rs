//! Reads WARC and HTML files in blocks of JSON rows.

use super::html_file;
use super::page::{Made, row};
use super::records::Records;
use super::settings::PageSettings;
use crate::data::batch::{Batch, ROW_ID_OFFSET_BITS, row_id};
use crate::data::input::file::{Dataset, Format, InputFile};
use crate::data::input::handle::Handle;
use crate::data::json::extract::Extractor;
use crate::data::rows::{BadRow, Block, Partition, ReadOptions, Slice};
use anyhow::{Context, Result, bail};
use arrow::array::{BinaryViewArray, UInt64Array, make_view};
use arrow::buffer::{Buffer, ScalarBuffer};
use std::collections::BTreeMap;

/// How much of a record in quarantine is kept.
const KEPT: usize = 64 << 10;
/// A block ends after so many records, rows or not: a caller that waits hears of progress.
const MOST_RECORDS: usize = 4096;
/// More kinds of records than crawls have: a file that names others all the time is not remembered.
const MOST_KINDS: usize = 200;

/// Reads the pages of a partition.
pub(crate) struct PageReader {
    files: Vec<InputFile>,
    settings: PageSettings,
    zstd_window: u64,
    slices: std::vec::IntoIter<Slice>,
    extractor: Extractor,
    batch_bytes: usize,
    max_row_bytes: usize,
    open: Option<(usize, Records)>,
}

/// The rows so far.
#[derive(Default)]
struct Rows {
    text: Vec<u8>,
    ids: Vec<u64>,
    views: Vec<u128>,
    bad: Vec<BadRow>,
    /// Bytes of the files that were read for them.
    bytes: u64,
    /// Bytes that rows in quarantine have.
    bad_bytes: usize,
    records: usize,
    /// Records that the recipe does not ask for, by what they are.
    passed_over: BTreeMap<String, u64>,
}

impl PageReader {
    pub(crate) fn new(dataset: &Dataset, partition: &Partition, options: &ReadOptions) -> Self {
        Self {
            files: dataset.files.clone(),
            settings: dataset.pages.clone(),
            zstd_window: dataset.zstd_window,
            slices: partition.slices.clone().into_iter(),
            extractor: Extractor::new(&options.fields, 1),
            batch_bytes: options.batch_bytes.max(1),
            max_row_bytes: options.max_row_bytes.clamp(1, 1 << 30),
            open: None,
        }
    }

    /// Most bytes of a record.
    fn limit(&self) -> usize {
        let own = self.settings.max_record_bytes.unwrap_or(usize::MAX);
        own.min(self.max_row_bytes)
    }

    fn next_block(&mut self) -> Result<Option<Block>> {
        let mut rows = Rows::default();
        while rows.text.len() + rows.bad_bytes < self.batch_bytes && rows.records < MOST_RECORDS {
            if let Some((file, records)) = self.open.take() {
                self.open = self.add_record(file, records, &mut rows)?;
                continue;
            }
            let Some(slice) = self.slices.next() else {
                break;
            };
            let input = &self.files[slice.file];
            if slice.end > 1 << ROW_ID_OFFSET_BITS {
                bail!("`{}` is larger than 16 TiB", input.shown());
            }
            if input.format == Format::Html {
                self.add_file(slice, &mut rows)?;
                continue;
            }
            let limit = self.limit();
            let records = Records::open(input, slice.start, slice.end, limit, self.zstd_window)
                .with_context(|| format!("cannot read `{}`", input.path.display()))?;
            check_size(input, records.size())?;
            self.open = Some((slice.file, records));
        }
        let is_end = self.open.is_none() && rows.records == 0;
        Ok((!is_end).then(|| self.block(rows)))
    }

    /// Adds the next record; returns where more may be.
    fn add_record(
        &mut self,
        file: usize,
        mut records: Records,
        rows: &mut Rows,
    ) -> Result<Option<(usize, Records)>> {
        let before = records.position();
        let item = records
            .next()
            .with_context(|| format!("cannot read `{}`", self.files[file].path.display()))?;
        rows.bytes += records.position() - before;
        let Some(item) = item else {
            return Ok(None);
        };
        rows.records += 1;
        let id = row_id(file, item.offset);
        let record = records.bytes(item.range.clone());
        let from = rows.text.len();
        let made = match item.fault {
            Some(fault) => Made::Bad(fault.0),
            None => row(
                record,
                item.size,
                &self.settings,
                self.limit(),
                &mut rows.text,
            ),
        };
        match made {
            Made::NotARow(kind) => rows.pass_over(kind),
            Made::Row => self.add_row(id, from, rows),
            Made::Bad(reason) => rows.refuse(id, record, reason),
        }
        Ok(Some((file, records)))
    }

    /// Adds an HTML file.
    fn add_file(&mut self, slice: Slice, rows: &mut Rows) -> Result<()> {
        let input = &self.files[slice.file];
        rows.records += 1;
        rows.bytes += slice.end - slice.start;
        let size = Handle::open(input)
            .and_then(|file| file.bytes())
            .with_context(|| format!("cannot read `{}`", input.path.display()))?;
        check_size(input, size)?;
        let from = rows.text.len();
        let id = row_id(slice.file, 0);
        match html_file::row(
            input,
            &self.settings,
            self.limit(),
            self.zstd_window,
            &mut rows.text,
        )? {
            Ok(()) => self.add_row(id, from, rows),
            Err((reason, raw)) => rows.refuse(id, &raw, reason),
        }
        Ok(())
    }

    /// Extracts the fields of the row that was appended to the text at `from`.
    fn add_row(&mut self, id: u64, from: usize, rows: &mut Rows) {
        let end = rows.text.len();
        let result = match end - from > self.max_row_bytes {
            true => Err(format!(
                "the row has {} bytes, more than the {} that a row may have",
                end - from,
                self.max_row_bytes
            )),
            false => self.extractor.row(&rows.text, from, end, Some(0)),
        };
        match result {
            Ok(()) => {
                rows.ids.push(id);
                rows.views
                    .push(make_view(&rows.text[from..], 0, from as u32));
            }
            Err(reason) => {
                let row = rows.text.split_off(from);
                let kept = if row.len() > self.max_row_bytes {
                    KEPT
                } else {
                    row.len()
                };
                rows.bad_bytes += kept;
                rows.bad.push(BadRow {
                    id,
                    raw: row[..kept.min(row.len())].to_vec(),
                    reason,
                });
            }
        }
    }

    fn block(&mut self, rows: Rows) -> Block {
        let buffers = [Buffer::from_vec(rows.text)];
        let columns = self.extractor.finish(&buffers);
        let [buffer] = buffers;
        // SAFETY: `make_view` made every view at its place in the buffer.
        let raw = unsafe {
            BinaryViewArray::new_unchecked(ScalarBuffer::from(rows.views), [buffer].into(), None)
        };
        let batch = Batch {
            ids: UInt64Array::from(rows.ids),
            raw: Some(raw),
            origin: None,
            stored: None,
            columns,
            stats: Vec::new(),
        };
        Block {
            batch,
            bad: rows.bad,
            bytes: rows.bytes,
            passed_over: rows.passed_over,
            lines: None,
        }
    }
}

impl Rows {
    fn pass_over(&mut self, kind: String) {
        let is_new = !self.passed_over.contains_key(&kind);
        let kind = match is_new && self.passed_over.len() >= MOST_KINDS {
            true => "of another type".to_owned(),
            false => kind,
        };
        *self.passed_over.entry(kind).or_default() += 1;
    }

    fn refuse(&mut self, id: u64, raw: &[u8], reason: String) {
        let raw = raw[..raw.len().min(KEPT)].to_vec();
        self.bad_bytes += raw.len();
        self.bad.push(BadRow { id, raw, reason });
    }
}

fn check_size(input: &InputFile, size: u64) -> Result<()> {
    if size != input.bytes {
        bail!(
            "`{}` has changed since the job was planned: {} bytes then, {size} now",
            input.shown(),
            input.bytes
        );
    }
    Ok(())
}

impl Iterator for PageReader {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block().transpose()
    }
}
