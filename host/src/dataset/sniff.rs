//! What a file holds: by its first bytes, and by its name where these leave it open.

use super::file::{Compression, Format};
use crate::error::UserError;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes looked at.
const HEAD: usize = 64 << 10;

/// Largest window of a zstd frame that is accepted, as a power of two: 128 MiB, the default of the `zstd` program, so that a file cannot
/// claim more memory.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The same for the dictionary of xz data, with what the decoder needs besides, in KiB. `xz -9` has one of 64 MiB.
const XZ_MEMORY_KB: u32 = (128 << 10) + 1024;

/// The valid choices, for hints.
pub(super) const KNOWN: &str =
    "`.jsonl`, `.json`, `.parquet`, `.arrow`, `.csv`, `.tsv` and `.txt`, the text ones also as `.gz`, `.zst`, `.bz2` or `.xz`";

/// The format that a file name promises, packing suffix aside.
pub(super) fn by_name(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let name = packings().find_map(|(suffix, _)| name.strip_suffix(suffix)).unwrap_or(&name);
    Some(match name.rsplit_once('.')?.1 {
        "jsonl" | "ndjson" | "json" => Format::Jsonl,
        "parquet" | "pq" => Format::Parquet,
        "arrow" | "feather" | "ipc" => Format::Arrow,
        "csv" => Format::Csv,
        "tsv" => Format::Tsv,
        "txt" | "md" => Format::Text,
        _ => return None,
    })
}

fn packings() -> impl Iterator<Item = (&'static str, Compression)> {
    [
        (".gz", Compression::Gzip),
        (".zst", Compression::Zstd),
        (".zstd", Compression::Zstd),
        (".bz2", Compression::Bzip2),
        (".xz", Compression::Xz),
    ]
    .into_iter()
}

/// Looks into the file. An empty file has no rows in whatever format its name says.
pub(super) fn sniff(path: &Path) -> Result<(Format, Compression)> {
    let place = path.display().to_string();
    let mut head = Vec::new();
    let file = File::open(path).map_err(|e| UserError::new(&place, format!("cannot be read: {e}")))?;
    file.take(HEAD as u64).read_to_end(&mut head).map_err(|e| UserError::new(&place, format!("cannot be read: {e}")))?;
    let named = by_name(path);
    let compression = packing(&head);
    if compression != Compression::None {
        let mut inner = Vec::new();
        // What is wrong with the archive is said when it is unpacked, with the position.
        let read = open_unpacked(path, compression)?.take(HEAD as u64).read_to_end(&mut inner);
        if compression == Compression::Xz && read.is_err_and(|e| e.kind() == io::ErrorKind::OutOfMemory) {
            return Err(UserError::new(place, "its xz data need a dictionary of more than 128 MiB, which is not accepted")
                .hint("pack it with a smaller one: `xz -dc FILE | xz -9 > NEW`")
                .into());
        }
        head = inner;
    }
    if head.is_empty() {
        return Ok((named.filter(|f| !f.is_columnar()).unwrap_or(Format::Jsonl), compression));
    }
    let format = match (by_magic(&head), named) {
        (Some(format), _) if format.is_columnar() && compression != Compression::None => {
            return Err(UserError::new(place, format!("a packed {format:?} file"))
                .hint("unpack it first: these formats compress by themselves")
                .into());
        }
        (Some(format), _) => format,
        (None, Some(format @ (Format::Csv | Format::Tsv | Format::Text))) if !is_binary(&head) => format,
        (None, named) => match json(&head) {
            Some(format) => format,
            None if named == Some(Format::Jsonl) && !is_binary(&head) => Format::Jsonl,
            None => {
                let said =
                    named.map_or_else(|| "its format is not known".to_owned(), |f| format!("it does not hold what its name says ({f:?})"));
                return Err(UserError::new(place, said).hint(format!("valid are {KNOWN}, in UTF-8")).into());
            }
        },
    };
    Ok((format, compression))
}

fn packing(head: &[u8]) -> Compression {
    match head {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Compression::Bzip2,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
        _ => Compression::None,
    }
}

fn by_magic(head: &[u8]) -> Option<Format> {
    match head {
        [b'P', b'A', b'R', b'1', ..] => Some(Format::Parquet),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, _, _, _, 0, ..] => Some(Format::Arrow),
        _ => None,
    }
}

/// NUL bytes, or one of the byte order marks of UTF-16.
fn is_binary(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head[..head.len().min(4096)].contains(&0)
}

/// Text that starts like JSON rows.
fn json(head: &[u8]) -> Option<Format> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match text.first()? {
        b'[' => Some(Format::JsonArray),
        b'{' => {
            let line_end = memchr::memchr(b'\n', text);
            let line = text[..line_end.unwrap_or(text.len())].trim_ascii_end();
            // A line that breaks off where printers break lines, and not within a string: one object over several lines.
            let broken = matches!(line.last(), Some(b'{' | b',' | b'[' | b':'));
            let unfinished =
                || serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err_and(|e| e.is_eof() && !e.to_string().contains("string"));
            Some(if line_end.is_some() && broken && unfinished() { Format::JsonArray } else { Format::Jsonl })
        }
        _ => None,
    }
}

/// The content of a packed file, as a stream.
pub(crate) fn open_unpacked(path: &Path, compression: Compression) -> Result<Box<dyn Read + Send>> {
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let file = io::BufReader::with_capacity(256 << 10, file);
    Ok(match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        Compression::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(file, true, XZ_MEMORY_KB)),
    })
}
