//! Compressed files: detects the compression and streams the content.

use super::file::Compression;
use super::handle::FileAt;
use super::source::Source;
use super::zstd_frames::Frames;
use anyhow::{Context, Result};
use flate2::bufread::GzDecoder;
use std::io::{self, Read};

/// Number of bytes that identify the compression.
const MAGIC: usize = 10;

/// The compression of data that starts with `head`, by its magic number.
pub(crate) fn packing(head: &[u8]) -> Compression {
    match head {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        // Including skippable frames, with which `pzstd` begins.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        // The second pattern is an empty stream: only the end.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, ..] => Compression::Bzip2,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
        _ => Compression::None,
    }
}

/// Memory limit for xz data in KiB: the largest dictionary, and what the decoder needs besides. It
/// bounds what a file can claim. `xz -9` has a dictionary of 64 MiB.
const XZ_MEMORY_KB: u32 = (128 << 10) + 1024;

/// Streams the content of a file. A compressed one may consist of any number of members (gzip),
/// frames (zstd) and streams (bzip2, xz), of different kinds, too, separated and followed by zeros,
/// as on tapes. `zstd_window` is the largest accepted window, in bytes.
pub(crate) fn open_unpacked<'a>(
    at: impl Into<FileAt<'a>>,
    compression: Compression,
    zstd_window: u64,
) -> Result<Box<dyn Read + Send>> {
    let at = at.into();
    let source =
        Source::open(at).with_context(|| format!("cannot open `{}`", at.path().display()))?;
    Ok(of_source(source, compression, zstd_window))
}

/// Like [`open_unpacked`], of what `from` reads.
pub(crate) fn unpacked(
    from: Box<dyn Read + Send>,
    compression: Compression,
    zstd_window: u64,
) -> Box<dyn Read + Send> {
    of_source(Source::of(from), compression, zstd_window)
}

fn of_source(source: Source, compression: Compression, zstd_window: u64) -> Box<dyn Read + Send> {
    match compression {
        Compression::None => Box::new(source),
        _ => Box::new(Unpacked {
            member: Member::Between(source),
            zstd_window,
            any: false,
        }),
    }
}

struct Unpacked {
    member: Member,
    zstd_window: u64,
    /// A member has begun.
    any: bool,
}

enum Member {
    Between(Source),
    Gzip(Box<GzDecoder<Source>>),
    Zstd(Box<Frames>),
    Bzip2(Box<bzip2::bufread::BzDecoder<Source>>),
    Xz(Box<lzma_rust2::XzReader<Source>>),
    End,
}

impl Unpacked {
    /// Opens the member at which `source` is positioned.
    fn begin(&mut self, mut source: Source) -> io::Result<Member> {
        if self.any {
            source.skip_zeros()?;
        }
        let head = source.peek(MAGIC)?;
        let (compression, is_end) = (packing(head), head.is_empty());
        let any = std::mem::replace(&mut self.any, true);
        Ok(match compression {
            Compression::Gzip => Member::Gzip(Box::new(GzDecoder::new(source))),
            Compression::Zstd => Member::Zstd(Box::new(Frames::new(source, self.zstd_window)?)),
            Compression::Bzip2 => Member::Bzip2(Box::new(bzip2::bufread::BzDecoder::new(source))),
            Compression::Xz => Member::Xz(Box::new(lzma_rust2::XzReader::new_mem_limit(
                source,
                false,
                XZ_MEMORY_KB,
            ))),
            Compression::None if is_end && any => Member::End,
            Compression::None => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "what follows behind its end is not packed",
                ));
            }
        })
    }
}

impl Read for Unpacked {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let got = match &mut self.member {
                Member::Between(_) => 0,
                Member::Gzip(member) => member.read(bytes)?,
                Member::Zstd(member) => member.read(bytes)?,
                Member::Bzip2(member) => member.read(bytes)?,
                Member::Xz(member) => member.read(bytes)?,
                Member::End => return Ok(0),
            };
            if got > 0 || bytes.is_empty() {
                return Ok(got);
            }
            let source = match std::mem::replace(&mut self.member, Member::End) {
                Member::Between(source) => source,
                Member::Gzip(member) => member.into_inner(),
                Member::Zstd(member) => member.into_source(),
                Member::Bzip2(member) => member.into_inner(),
                Member::Xz(member) => member.into_inner(),
                Member::End => return Ok(0),
            };
            self.member = self.begin(source)?;
        }
    }
}
