//! Reads plain JSONL in blocks that end at line ends. Rows are views into the block, not copies.

use super::file::{Compression, Dataset, Format, InputFile};
use super::handle::{Handle, Sequential};
use super::packing::packing;
use crate::data::batch::{Batch, ROW_ID_OFFSET_BITS, row_id};
use crate::data::json::extract::{Extractor, utf8};
use crate::data::rows::{BadRow, Block, Partition, ReadOptions, Slice};
use anyhow::{Context, Result, bail};
use arrow::array::{BinaryViewArray, UInt64Array, make_view};
use arrow::buffer::{Buffer, ScalarBuffer};
use memchr::{memchr, memrchr};
use std::io;

/// How much of an overlong row is kept.
const KEPT_OF_HUGE_ROW: usize = 64 << 10;

const BOM: &[u8] = b"\xef\xbb\xbf";

pub(crate) struct JsonlReader {
    files: Vec<InputFile>,
    slices: std::vec::IntoIter<Slice>,
    extractor: Extractor,
    batch_bytes: usize,
    max_row_bytes: usize,
    open: Option<Open>,
}

/// The slice being read.
struct Open {
    file: Sequential,
    index: usize,
    name: String,
    /// File offset of the next read.
    next: u64,
    end: u64,
    /// The bytes before `next` that belong to the next block: an unfinished row.
    carry: Vec<u8>,
    /// Nobody has looked at the file's first bytes yet, perhaps.
    is_unseen: bool,
    /// The rows came from a table, and a list replaces each row that does not fit.
    is_table: bool,
}

impl JsonlReader {
    pub(crate) fn new(dataset: &Dataset, partition: &Partition, options: &ReadOptions) -> Self {
        Self {
            files: dataset.files.clone(),
            slices: partition.slices.clone().into_iter(),
            extractor: Extractor::new(&options.fields, 1),
            batch_bytes: options.batch_bytes.max(1),
            max_row_bytes: options.max_row_bytes.clamp(1, 1 << 30),
            open: None,
        }
    }

    fn next_block(&mut self) -> Result<Option<Block>> {
        loop {
            if let Some(open) = &mut self.open {
                if let Some(block) =
                    open.next_block(self.batch_bytes, self.max_row_bytes, &mut self.extractor)?
                {
                    return Ok(Some(block));
                }
                self.open = None;
            }
            let Some(slice) = self.slices.next() else {
                return Ok(None);
            };
            self.open = Some(Open::new(&self.files[slice.file], slice, self.batch_bytes)?);
        }
    }
}

impl Iterator for JsonlReader {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block().transpose()
    }
}

impl Open {
    fn new(input: &InputFile, slice: Slice, batch_bytes: usize) -> Result<Self> {
        let name = input.path.display().to_string();
        let file = Handle::open(input).with_context(|| format!("cannot open `{name}`"))?;
        let bytes = file
            .bytes()
            .with_context(|| format!("cannot read `{name}`"))?;
        if bytes != input.bytes {
            bail!(
                "`{name}` has changed since the job was planned: {} bytes then, {bytes} now",
                input.bytes
            );
        }
        if slice.end > 1 << ROW_ID_OFFSET_BITS {
            bail!("`{name}` is larger than 16 TiB");
        }
        let is_table = input
            .origin
            .as_ref()
            .is_some_and(|origin| matches!(origin.format, Format::Csv | Format::Tsv));
        Ok(Self {
            file: file.sequential(slice.start, slice.end, 2 * batch_bytes as u64),
            index: slice.file,
            name,
            next: slice.start,
            end: slice.end,
            carry: Vec::new(),
            is_unseen: input.version.is_some() && slice.start == 0,
            is_table,
        })
    }

    /// Reads up to `upto` more bytes to the end of `buffer`.
    fn fill(&mut self, buffer: &mut Vec<u8>, upto: usize) -> Result<()> {
        let mut left = (self.end - self.next).min(upto as u64) as usize;
        buffer.reserve_exact(left);
        while left > 0 {
            let got = match self.file.append(buffer, left, self.next) {
                Ok(got) => got,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    return Err(e).with_context(|| {
                        format!("cannot read `{}` at byte {}", self.name, self.next)
                    });
                }
            };
            if got == 0 {
                bail!(
                    "`{}` ends at byte {}, before byte {}: it was cut while the job ran",
                    self.name,
                    self.next,
                    self.end
                );
            }
            self.next += got as u64;
            left -= got;
        }
        Ok(())
    }

    fn next_block(
        &mut self,
        batch_bytes: usize,
        max_row_bytes: usize,
        extractor: &mut Extractor,
    ) -> Result<Option<Block>> {
        if self.next == self.end && self.carry.is_empty() {
            return Ok(None);
        }
        let carry = std::mem::take(&mut self.carry);
        let base = self.next - carry.len() as u64;
        let mut buffer = Vec::with_capacity(batch_bytes.max(carry.len()) + 1);
        buffer.extend_from_slice(&carry);
        let mut searched = 0;
        let cut = loop {
            let more = batch_bytes
                .saturating_sub(buffer.len())
                .max(if searched == 0 { 1 } else { buffer.len() }.min(64 << 20));
            self.fill(&mut buffer, more)?;
            if std::mem::take(&mut self.is_unseen) && packing(&buffer) != Compression::None {
                bail!(
                    "`{}` is packed, which its name does not say, nor do others of that name; rename it, as `.jsonl.gz` for instance",
                    self.name
                );
            }
            if self.next == self.end {
                break buffer.len();
            }
            if let Some(at) = memrchr(b'\n', &buffer[searched..]) {
                break searched + at + 1;
            }
            searched = buffer.len();
            let mark = if base == 0 && buffer.starts_with(BOM) {
                BOM.len()
            } else {
                0
            };
            // One more byte may be the carriage return of the line end.
            if searched > max_row_bytes + 1 + mark {
                return self
                    .skip_huge_row(base, &buffer, max_row_bytes, extractor)
                    .map(Some);
            }
        };
        self.carry = buffer[cut..].to_vec();
        buffer.truncate(cut);
        self.block(buffer, base, max_row_bytes, extractor).map(Some)
    }

    /// Cuts the block into rows and extracts the fields.
    fn block(
        &mut self,
        buffer: Vec<u8>,
        base: u64,
        max_row_bytes: usize,
        extractor: &mut Extractor,
    ) -> Result<Block> {
        let all_utf8 = simdutf8::basic::from_utf8(&buffer).is_ok();
        let (mut ids, mut views, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = if base == 0 && buffer.starts_with(BOM) {
            BOM.len()
        } else {
            0
        };
        let mut lines = 0;
        while at < buffer.len() {
            lines += 1;
            let newline = memchr(b'\n', &buffer[at..]).map_or(buffer.len(), |i| at + i);
            let end = if newline > at && buffer[newline - 1] == b'\r' {
                newline - 1
            } else {
                newline
            };
            let (start, offset) = (at, base + at as u64);
            at = newline + 1;
            let row = &buffer[start..end];
            if row.first().is_none_or(u8::is_ascii_whitespace) && row.trim_ascii().is_empty() {
                continue;
            }
            let id = row_id(self.index, offset);
            let result = if row.len() > max_row_bytes {
                Err(too_long(row.len() as u64, max_row_bytes))
            } else if all_utf8 {
                extractor.row(&buffer, start, end, Some(0))
            } else {
                utf8(row).and_then(|()| extractor.row(&buffer, start, end, Some(0)))
            };
            match result {
                Ok(()) => {
                    ids.push(id);
                    views.push(make_view(row, 0, start as u32));
                }
                Err(mut reason) => {
                    if let Some(what) = self.is_table.then(|| unfit_row(row)).flatten() {
                        reason = what;
                    }
                    let kept = if row.len() > max_row_bytes {
                        KEPT_OF_HUGE_ROW.min(max_row_bytes)
                    } else {
                        row.len()
                    };
                    let raw = row[..kept].to_vec();
                    bad.push(BadRow { id, raw, reason });
                }
            }
        }
        let bytes = buffer.len() as u64;
        let buffers = [Buffer::from_vec(buffer)];
        let columns = extractor.finish(&buffers);
        let [buffer] = buffers;
        // SAFETY: `make_view` made every view at its place in the buffer.
        let raw = unsafe {
            BinaryViewArray::new_unchecked(ScalarBuffer::from(views), [buffer].into(), None)
        };
        let batch = Batch {
            ids: UInt64Array::from(ids),
            raw: Some(raw),
            origin: None,
            stored: None,
            columns,
            stats: Vec::new(),
        };
        Ok(Block {
            lines: Some((self.index, lines)),
            ..Block::new(batch, bad, bytes)
        })
    }

    /// `head` is the start of an overlong row: reads to its end without keeping it.
    fn skip_huge_row(
        &mut self,
        base: u64,
        head: &[u8],
        max_row_bytes: usize,
        extractor: &mut Extractor,
    ) -> Result<Block> {
        let bom = if base == 0 && head.starts_with(BOM) {
            BOM.len()
        } else {
            0
        };
        let (offset, head) = (base + bom as u64, &head[bom..]);
        let mut last = head[head.len() - 1];
        let mut piece = Vec::new();
        let mut end = None;
        while end.is_none() && self.next < self.end {
            piece.clear();
            let from = self.next;
            self.fill(&mut piece, 1 << 20)?;
            let at = memchr(b'\n', &piece);
            if let Some(at) = at {
                end = Some(from + at as u64);
                self.carry = piece[at + 1..].to_vec();
            }
            last = piece[..at.unwrap_or(piece.len())]
                .last()
                .copied()
                .unwrap_or(last);
        }
        let row_end = end.unwrap_or(self.end);
        let consumed = end.map_or(self.end, |e| e + 1);
        let bad = BadRow {
            id: row_id(self.index, offset),
            raw: head[..KEPT_OF_HUGE_ROW.min(max_row_bytes).min(head.len())].to_vec(),
            reason: too_long(row_end - offset - u64::from(last == b'\r'), max_row_bytes),
        };
        let columns = extractor.finish(&[Buffer::from_vec(Vec::<u8>::new())]);
        let raw = BinaryViewArray::from(Vec::<&[u8]>::new());
        let batch = Batch {
            ids: UInt64Array::from(Vec::<u64>::new()),
            raw: Some(raw),
            origin: None,
            stored: None,
            columns,
            stats: Vec::new(),
        };
        Ok(Block {
            lines: Some((self.index, 1)),
            ..Block::new(batch, vec![bad], consumed - base)
        })
    }
}

/// The fault of a table row, as noted when the table was unpacked.
fn unfit_row(row: &[u8]) -> Option<String> {
    let [reason, _] = serde_json::from_slice::<[String; 2]>(row).ok()?;
    Some(reason)
}

fn too_long(bytes: u64, max: usize) -> String {
    format!("the row has {bytes} bytes, more than the {max} that a row may have")
}
