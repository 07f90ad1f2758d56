//! Reads Arrow IPC, file and stream. Both are a sequence of messages; walking these finds a range
//! of rows without decoding what comes before it. The `arrow` crate's `StreamReader` cannot seek,
//! and Hugging Face's `.arrow` files are streams.

use anyhow::{Context, Result, anyhow, bail};
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::{MessageHeader, root_as_message};
use arrow::record_batch::RecordBatch;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The start and the end of the file format.
const MAGIC: &[u8] = b"ARROW1";

/// No valid message has more metadata than this.
const MAX_METADATA: u32 = 256 << 20;

struct Message {
    bytes: Range<u64>,
    kind: MessageHeader,
    /// Rows of a record batch.
    rows: u64,
}

/// Schema and number of rows.
pub(crate) fn describe(path: &Path) -> Result<(SchemaRef, u64)> {
    let (file, messages) = open(path)?;
    let rows = messages.iter().map(|m| m.rows).sum();
    Ok((stream(path, file, &messages[..1])?.schema(), rows))
}

/// The rows in `range`.
pub(crate) fn rows(
    path: &Path,
    range: Range<u64>,
) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<>> {
    let (file, messages) = open(path)?;
    let (mut first, mut skip, mut found) = (0, None, false);
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
            found = true;
            chosen.push(message);
        }
        first = end;
    }
    let reader = if found {
        Some(stream(path, file, &chosen)?)
    } else {
        None
    };
    let (mut skip, mut left) = (
        skip.unwrap_or(0) as usize,
        (range.end - range.start) as usize,
    );
    let path = path.to_owned();
    Ok(reader.into_iter().flatten().map(move |batch| {
        let batch = batch.with_context(|| format!("`{}` is damaged", path.display()))?;
        let from = skip.min(batch.num_rows());
        let len = left.min(batch.num_rows() - from);
        skip = 0;
        left -= len;
        Ok(batch.slice(from, len))
    }))
}

fn stream(path: &Path, file: File, messages: &[Message]) -> Result<StreamReader<Ranges>> {
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

/// Walks the messages. The first one is the schema.
fn open(path: &Path) -> Result<(File, Vec<Message>)> {
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let size = file.metadata()?.len();
    let mut head = [0; 6];
    let is_file = size >= 8 && file.read_exact_at(&mut head, 0).is_ok() && head == MAGIC;
    let mut at = if is_file {
        first_message(&file, size)?
    } else {
        0
    };
    let mut messages: Vec<Message> = Vec::new();
    while at + 8 <= size {
        let Some(message) = message(&file, at, size)
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
    if is_file {
        // A file without a footer was not written to its end.
        file.read_exact_at(&mut head, size - 6)?;
        if head != MAGIC {
            bail!(
                "`{}` is not complete: it does not end with `ARROW1`",
                path.display()
            );
        }
    }
    Ok((file, messages))
}

/// Skips the magic, which writers pad with zeros to 8 bytes or to their own alignment.
fn first_message(file: &File, size: u64) -> Result<u64> {
    let mut word = [0; 8];
    let mut at = 8;
    while at + 8 <= size.min(4096) {
        file.read_exact_at(&mut word, at)?;
        if word != [0; 8] {
            break;
        }
        at += 8;
    }
    Ok(at)
}

/// The message at `at`, or None at the end of the stream.
fn message(file: &File, at: u64, size: u64) -> Result<Option<Message>> {
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
    if len > MAX_METADATA || at + 8 + u64::from(len) > size {
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
    file: File,
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
