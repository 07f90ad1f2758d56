//! Reads Arrow IPC, file and stream. Both are a sequence of messages; walking these finds a range
//! of rows without decoding what comes before it. The `arrow` crate's `StreamReader` cannot seek,
//! and Hugging Face's `.arrow` files are streams.

use super::arrow_footer::{self, Footer, MAGIC, MAX_METADATA};
use super::handle::{FileAt, Handle};
use anyhow::{Context, Result, anyhow, bail, ensure};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::ipc::{MessageHeader, root_as_message};
use arrow::record_batch::RecordBatch;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

struct Message {
    bytes: Range<u64>,
    kind: MessageHeader,
    /// Rows of a record batch.
    rows: u64,
}

/// Schema and number of rows.
pub(crate) fn describe<'a>(at: impl Into<FileAt<'a>>) -> Result<(SchemaRef, u64)> {
    let at = at.into();
    let (path, (file, layout)) = (at.path(), open(at)?);
    Ok(match layout {
        Layout::File(footer) => (footer.schema, footer.rows.iter().sum()),
        Layout::Stream(messages) => {
            let rows = messages.iter().map(|m| m.rows).sum();
            (stream(path, file, &messages[..1])?.schema(), rows)
        }
    })
}

/// The rows in `range`.
pub(crate) fn rows<'a>(
    at: impl Into<FileAt<'a>>,
    range: Range<u64>,
) -> Result<Box<dyn Iterator<Item = Result<RecordBatch>> + Send>> {
    let at = at.into();
    let (path, (file, layout)) = (at.path(), open(at)?);
    let (batches, skip) = match layout {
        Layout::File(footer) => of_file(path, file, &footer, &range)?,
        Layout::Stream(messages) => of_stream(path, file, messages, &range)?,
    };
    let (mut skip, mut left) = (skip as usize, (range.end - range.start) as usize);
    let path = path.to_owned();
    Ok(Box::new(batches.map(move |batch| {
        let batch = batch.with_context(|| format!("`{}` is damaged", path.display()))?;
        let from = skip.min(batch.num_rows());
        let len = left.min(batch.num_rows() - from);
        skip = 0;
        left -= len;
        Ok(batch.slice(from, len))
    })))
}

/// Record batches, and how many rows of the first one come before the range that was asked for.
type Found = (
    Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
    u64,
);

/// The record batches of a file in which there are rows of `range`.
fn of_file(path: &Path, file: Handle, footer: &Footer, range: &Range<u64>) -> Result<Found> {
    let (mut first, mut skip) = (0, 0);
    let mut chosen = Vec::new();
    for (i, rows) in footer.rows.iter().enumerate() {
        let end = first + rows;
        if first < range.end && end > range.start {
            if chosen.is_empty() {
                skip = range.start.saturating_sub(first);
            }
            chosen.push(i);
        }
        first = end;
    }
    let Some(start) = chosen.first().copied() else {
        return Ok((Box::new(std::iter::empty()), 0));
    };
    let damaged = || format!("`{}` is damaged", path.display());
    let mut reader = FileReader::try_new(file.seekable(), None).with_context(damaged)?;
    reader.set_index(start).with_context(damaged)?;
    let count = chosen[chosen.len() - 1] + 1 - start;
    Ok((Box::new(reader.take(count)), skip))
}

/// The record batches of a stream in which there are rows of `range`.
fn of_stream(
    path: &Path,
    file: Handle,
    messages: Vec<Message>,
    range: &Range<u64>,
) -> Result<Found> {
    let (mut first, mut skip) = (0, None);
    let mut chosen = Vec::new();
    for message in messages {
        let end = first + message.rows;
        if message.kind != MessageHeader::RecordBatch {
            // Dictionaries apply to all later batches.
            if first < range.end {
                chosen.push(message);
            }
        } else if first < range.end && end > range.start {
            skip.get_or_insert(range.start - first.min(range.start));
            chosen.push(message);
        }
        first = end;
    }
    Ok(match skip {
        Some(skip) => (Box::new(stream(path, file, &chosen)?), skip),
        None => (Box::new(std::iter::empty()), 0),
    })
}

fn stream(path: &Path, file: Handle, messages: &[Message]) -> Result<StreamReader<Ranges>> {
    let ranges = messages.iter().map(|m| m.bytes.clone()).collect();
    StreamReader::try_new(
        Ranges {
            file,
            ranges,
            next: 0,
        },
        None,
    )
    .with_context(|| format!("`{}` is damaged", path.display()))
}

/// Where the rows of a file are.
enum Layout {
    /// Begins and ends with the magic: its footer says it.
    File(Footer),
    /// Messages one after another. The first one is the schema.
    Stream(Vec<Message>),
}

fn open(at: FileAt<'_>) -> Result<(Handle, Layout)> {
    let path = at.path();
    let file = Handle::open(at).with_context(|| format!("cannot open `{}`", path.display()))?;
    let size = file.bytes()?;
    let mut head = [0; MAGIC.len()];
    if size >= 8 && file.read_exact_at(&mut head, 0).is_ok() && head == *MAGIC {
        let footer = arrow_footer::read(&file, size)
            .and_then(|footer| check_front(&file, size, footer.first).map(|()| footer))
            .with_context(|| format!("`{}` is damaged", path.display()))?;
        return Ok((file, Layout::File(footer)));
    }
    let messages = walk(path, &file, size)?;
    Ok((file, Layout::Stream(messages)))
}

/// Fails if what stands before the first block of a file is no schema: it is not what was written.
/// Writers pad the magic with zeros; polars leaves out what goes before a message.
fn check_front(file: &Handle, size: u64, end: u64) -> Result<()> {
    let mut word = [0; 8];
    let mut at = 8;
    while at + 8 <= end {
        file.read_exact_at(&mut word, at)?;
        if word != [0; 8] {
            break;
        }
        at += 8;
    }
    let place = || format!("at byte {at}");
    if at + 8 > end {
        return Ok(());
    }
    if word[..4] == [0xff; 4] {
        message(file, at, size).with_context(place)?;
        return Ok(());
    }
    let mut bytes = vec![0; (end - at).min(MAX_METADATA) as usize];
    file.read_exact_at(&mut bytes, at)?;
    let is_schema =
        root_as_message(&bytes).is_ok_and(|message| message.header_type() == MessageHeader::Schema);
    ensure!(is_schema, "{}: no message starts here", place());
    Ok(())
}

/// The messages of a stream.
fn walk(path: &Path, file: &Handle, size: u64) -> Result<Vec<Message>> {
    let mut at = 0;
    let mut messages: Vec<Message> = Vec::new();
    while at + 8 <= size {
        let Some(message) = message(file, at, size)
            .with_context(|| format!("`{}` is damaged at byte {at}", path.display()))?
        else {
            break;
        };
        at = message.bytes.end;
        messages.push(message);
    }
    if messages
        .first()
        .is_none_or(|m| m.kind != MessageHeader::Schema)
    {
        bail!("`{}` does not start with an Arrow schema", path.display());
    }
    Ok(messages)
}

/// The message at `at`, or None at the end of the stream.
fn message(file: &Handle, at: u64, size: u64) -> Result<Option<Message>> {
    let mut prefix = [0; 8];
    file.read_exact_at(&mut prefix, at)?;
    let [a, b, c, d, rest @ ..] = prefix;
    let len = u32::from_le_bytes(rest);
    if [a, b, c, d] != [0xff; 4] {
        bail!("no message starts here");
    }
    if len == 0 {
        return Ok(None);
    }
    if u64::from(len) > MAX_METADATA || at + 8 + u64::from(len) > size {
        bail!("a message of {len} bytes does not fit into the file: it was cut");
    }
    let mut metadata = vec![0; len as usize];
    file.read_exact_at(&mut metadata, at + 8)?;
    let header = root_as_message(&metadata).map_err(|e| anyhow!("{e}"))?;
    let body = u64::try_from(header.bodyLength())?;
    let end = (at + 8 + u64::from(len))
        .checked_add(body)
        .filter(|&end| end <= size)
        .context("a message is longer than the file: it was cut")?;
    let rows = header
        .header_as_record_batch()
        .map_or(Ok(0), |b| u64::try_from(b.length()))?;
    Ok(Some(Message {
        bytes: at..end,
        kind: header.header_type(),
        rows,
    }))
}

/// Presents ranges of a file as one stream.
struct Ranges {
    file: Handle,
    ranges: Vec<Range<u64>>,
    next: usize,
}

impl Read for Ranges {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while let Some(range) = self.ranges.get_mut(self.next) {
            let upto = bytes.len().min((range.end - range.start) as usize);
            if upto > 0 || bytes.is_empty() {
                let got = self.file.read_at(&mut bytes[..upto], range.start)?;
                range.start += got as u64;
                return Ok(got);
            }
            self.next += 1;
        }
        Ok(0)
    }
}
