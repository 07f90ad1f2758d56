//! Detects what a file holds: by its first bytes, or by its name where these do not decide.

use super::encoding::{self, Encoding};
use super::file::{Compression, Format};
use super::handle::{FileAt, Handle};
use super::not_data::{self, NotData};
use super::packing::{packing, unpacked};
use super::pages::layout::{Layout, layout};
use super::zstd_frames;
use crate::error::UserError;
use anyhow::Result;
use std::io::{self, Cursor, Read};
use std::path::Path;

/// Bytes read.
const HEAD: usize = 64 << 10;

/// The valid choices, for hints.
pub(crate) const KNOWN: &str = "`.jsonl`, `.json`, `.parquet`, `.arrow`, `.csv`, `.tsv`, `.txt`, `.html`, `.warc` and `.wet`, all but Parquet and Arrow also as `.gz`, `.zst`, `.bz2` or `.xz`";

/// The format that a file name promises, ignoring a compression suffix.
pub(crate) fn by_name(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    Some(match unpacked_name(&name).rsplit_once('.')?.1 {
        "jsonl" | "ndjson" | "json" => Format::Jsonl,
        "parquet" | "pq" => Format::Parquet,
        "arrow" | "feather" | "ipc" => Format::Arrow,
        "csv" => Format::Csv,
        "tsv" => Format::Tsv,
        "txt" | "md" => Format::Text,
        "html" | "htm" | "xhtml" => Format::Html,
        "warc" | "wet" => Format::Warc,
        _ => return None,
    })
}

/// A name in lower case without its compression suffix.
pub(crate) fn unpacked_name(name: &str) -> &str {
    [".gz", ".zst", ".zstd", ".bz2", ".xz"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}

/// What was found out about a file.
#[derive(Clone)]
pub(crate) struct Sniffed {
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    /// See [`InputFile::by_record`](super::InputFile::by_record).
    pub(crate) by_record: bool,
    /// A note for the user: a sentence that continues after the file's name.
    pub(crate) note: Option<String>,
    /// What a plain text is whose only row cannot be read.
    pub(crate) unreadable: Option<NotData>,
}

/// Examines the file. An empty file has no rows, whatever format its name says. `zstd_window` is
/// the largest accepted window in bytes.
pub(crate) fn sniff<'a>(at: impl Into<FileAt<'a>>, zstd_window: u64) -> Result<Sniffed> {
    let at = at.into();
    let path = at.path();
    let place = path.display().to_string();
    let mut head =
        first_bytes(at).map_err(|e| UserError::new(&place, format!("cannot be read: {e}")))?;
    let named = by_name(path);
    let compression = packing(&head);
    let io = |e: io::Error| UserError::new(&place, format!("cannot be read: {e}"));
    let is_warc = named == Some(Format::Warc);
    // A server that gives no parts of files is read from front to end, where the layout is no help.
    if at.gives_parts()
        && let Some(layout) = layout(at, is_warc, compression, zstd_window).map_err(io)?
    {
        return Ok(Sniffed {
            format: Format::Warc,
            compression,
            by_record: layout == Layout::ByRecord,
            note: None,
            unreadable: None,
        });
    }
    if compression != Compression::None {
        zstd_frames::check(&head, zstd_window)
            .map_err(|unfit| UserError::new(&place, unfit.to_string()).hint(unfit.hint()))?;
        let mut inner = Vec::new();
        // Unpacking reports a damaged archive, with the position.
        let read = unpacked(Box::new(Cursor::new(head)), compression, zstd_window)
            .take(HEAD as u64)
            .read_to_end(&mut inner);
        if compression == Compression::Xz
            && read.is_err_and(|e| e.kind() == io::ErrorKind::OutOfMemory)
        {
            return Err(UserError::new(
                place,
                "its xz data need a dictionary of more than 128 MiB, which is not accepted",
            )
            .hint("pack it with a smaller one: `xz -dc FILE | xz -9 > NEW`")
            .into());
        }
        head = inner;
    }
    let sniffed = |format, note| -> Result<Sniffed> {
        Ok(Sniffed {
            format,
            compression,
            by_record: false,
            note,
            unreadable: None,
        })
    };
    if head.is_empty() {
        return sniffed(
            named.filter(|f| !f.is_columnar()).unwrap_or(Format::Jsonl),
            None,
        );
    }
    let refuse = |not: NotData| -> Result<Sniffed> {
        Err(UserError::new(&place, format!("this is {}", not.what))
            .hint(not.hint)
            .into())
    };
    if let Some(pointer) = not_data::pointer(&head) {
        return refuse(pointer);
    }
    // Its first record may be damaged.
    if is_warc && memchr::memmem::find(&head, b"\nWARC/").is_some() {
        return sniffed(Format::Warc, None);
    }
    if named == Some(Format::Html) && by_magic(&head).is_none() {
        // Whatever its charset is. A page that is none is one bad row of many.
        return sniffed(Format::Html, None);
    }
    if by_magic(&head).is_none()
        && let Some(wide) = encoding::wide(&head)
    {
        return refuse(wide);
    }
    let format = match (by_magic(&head), named) {
        (Some(format), _) if format.is_columnar() && compression != Compression::None => {
            return Err(UserError::new(place, format!("a packed {format:?} file"))
                .hint("unpack it first: these formats compress by themselves")
                .into());
        }
        (Some(format), _) => return sniffed(format, None),
        (None, Some(format @ (Format::Csv | Format::Tsv | Format::Text))) if !is_binary(&head) => {
            format
        }
        (None, named) => match json(&head) {
            Some(format) => format,
            None => {
                let other = not_data::foreign(&head).or_else(|| not_data::page(&head));
                if other.is_none() && named == Some(Format::Jsonl) && !is_binary(&head) {
                    Format::Jsonl
                } else {
                    let said = match (named, &other) {
                        (Some(named), Some(is)) => format!(
                            "it does not hold what its name says ({named:?}): this is {}",
                            is.what
                        ),
                        (Some(named), None) => {
                            format!("it does not hold what its name says ({named:?})")
                        }
                        (None, Some(is)) => format!("this is {}", is.what),
                        (None, None) => "its format is not known".to_owned(),
                    };
                    let hint =
                        other.map_or_else(|| format!("valid are {KNOWN}, in UTF-8"), |is| is.hint);
                    return Err(UserError::new(place, said).hint(hint).into());
                }
            }
        },
    };
    match encoding::of_lines(&head, head.len() < HEAD) {
        Encoding::Utf8 => sniffed(format, None),
        // One odd text among many, each a row, is no reason to stop.
        Encoding::Other(other) if format == Format::Text => Ok(Sniffed {
            unreadable: Some(other.clone()),
            ..sniffed(format, Some(format!("is {}; {}", other.what, other.hint)))?
        }),
        Encoding::Other(other) => refuse(other),
        Encoding::Mixed(note) => sniffed(format, Some(note)),
    }
}

/// The first [`HEAD`] bytes of a file.
fn first_bytes(at: FileAt<'_>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    match Handle::open(at)? {
        Handle::Local(file) => {
            file.take(HEAD as u64).read_to_end(&mut head)?;
        }
        Handle::Remote(remote) if remote.object.ranges() => {
            let bytes = remote.object.bytes().min(HEAD as u64);
            head.extend_from_slice(&remote.object.fetch(0..bytes)?);
        }
        Handle::Remote(remote) => {
            let mut from = remote.object.read();
            from.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        }
    }
    Ok(head)
}

fn by_magic(head: &[u8]) -> Option<Format> {
    match head {
        [b'P', b'A', b'R', b'1', ..] => Some(Format::Parquet),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, _, _, _, 0, ..] => {
            Some(Format::Arrow)
        }
        [
            b'W',
            b'A',
            b'R',
            b'C',
            b'/',
            b'0'..=b'9',
            b'.',
            b'0'..=b'9',
            ..,
        ] => Some(Format::Warc),
        _ => None,
    }
}

/// NUL bytes, or one of the byte order marks of UTF-16.
fn is_binary(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xfe")
        || head.starts_with(b"\xfe\xff")
        || head[..head.len().min(4096)].contains(&0)
}

/// Text that starts like JSON rows.
fn json(head: &[u8]) -> Option<Format> {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    match text.first()? {
        b'[' => Some(Format::JsonArray),
        b'{' => {
            let line_end = memchr::memchr(b'\n', text);
            let line = text[..line_end.unwrap_or(text.len())].trim_ascii_end();
            // A line that ends where printers break lines, and not within a string: one object over
            // several lines.
            let broken = matches!(line.last(), Some(b'{' | b',' | b'[' | b':'));
            let unfinished = || {
                serde_json::from_slice::<serde::de::IgnoredAny>(line)
                    .is_err_and(|e| e.is_eof() && !e.to_string().contains("string"))
            };
            Some(if line_end.is_some() && broken && unfinished() {
                Format::JsonArray
            } else {
                Format::Jsonl
            })
        }
        _ => None,
    }
}
