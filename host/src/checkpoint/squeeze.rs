//! Compression of whole files as streams, with checksum and size on the way.

use std::io::{self, Read, Write};

use xxhash_rust::xxh3::Xxh3;

use crate::config::Compression;

/// Passes bytes on and keeps their checksum and number.
pub(super) struct Summing<W> {
    inner: W,
    hash: Xxh3,
    bytes: u64,
}

impl<W: Write> Summing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hash: Xxh3::new(), bytes: 0 }
    }

    /// The writer below, the checksum in hex, and the number of bytes.
    pub(super) fn into_parts(self) -> (W, String, u64) {
        (self.inner, format!("{:032x}", self.hash.digest128()), self.bytes)
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hash.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The checksum of a file as [`Summing`] makes it.
pub(super) fn checksum(mut file: impl Read) -> io::Result<(String, u64)> {
    let mut sum = Summing::new(io::sink());
    io::copy(&mut io::BufReader::with_capacity(1 << 20, &mut file), &mut sum)?;
    let (_, hex, bytes) = sum.into_parts();
    Ok((hex, bytes))
}

/// A stream compressor that is finished by name.
pub(super) enum Packer<W: Write> {
    Plain(W),
    Snappy(Box<snap::write::FrameEncoder<W>>),
    Gzip(Box<flate2::write::GzEncoder<W>>),
    Zstd(Box<zstd::Encoder<'static, W>>),
    Lz4(Box<lz4_flex::frame::FrameEncoder<W>>),
}

impl<W: Write> Packer<W> {
    pub(super) fn new(inner: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(inner),
            Compression::Snappy => Self::Snappy(Box::new(snap::write::FrameEncoder::new(inner))),
            Compression::Gzip => Self::Gzip(Box::new(flate2::write::GzEncoder::new(inner, flate2::Compression::new(3)))),
            Compression::Zstd => Self::Zstd(Box::new(zstd::Encoder::new(inner, 1)?)),
            Compression::Lz4 => Self::Lz4(Box::new(lz4_flex::frame::FrameEncoder::new(inner))),
        })
    }

    pub(super) fn finish(self) -> io::Result<W> {
        Ok(match self {
            Self::Plain(w) => w,
            Self::Snappy(w) => w.into_inner().map_err(|e| io::Error::other(e.to_string()))?,
            Self::Gzip(w) => w.finish()?,
            Self::Zstd(w) => w.finish()?,
            Self::Lz4(w) => w.finish().map_err(io::Error::other)?,
        })
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(w) => w.write(buf),
            Self::Snappy(w) => w.write(buf),
            Self::Gzip(w) => w.write(buf),
            Self::Zstd(w) => w.write(buf),
            Self::Lz4(w) => w.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(w) => w.flush(),
            Self::Snappy(w) => w.flush(),
            Self::Gzip(w) => w.flush(),
            Self::Zstd(w) => w.flush(),
            Self::Lz4(w) => w.flush(),
        }
    }
}

/// The way back.
pub(super) fn unpack<'a>(inner: impl Read + Send + 'a, compression: Compression) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(inner),
        Compression::Snappy => Box::new(snap::read::FrameDecoder::new(inner)),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(inner)),
        Compression::Zstd => Box::new(zstd::Decoder::new(inner)?),
        Compression::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(inner)),
    })
}
