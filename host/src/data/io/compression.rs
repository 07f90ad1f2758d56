//! Compresses what djhost writes: checkpoints as one stream, exports in blocks. `sniff` opens what
//! others have compressed, with limits.

use std::io::{self, Read, Write};

use anyhow::{Result, bail};
use rayon::prelude::*;

use crate::config::Compression as Stored;
use crate::data::input::Compression as Exported;

/// For checkpoints, which are read once: the fastest level of zstd, and the level of gzip above
/// which smaller output costs far more time.
const STORED_ZSTD: i32 = 1;
const STORED_GZIP: u32 = 3;
/// For exports: the defaults of the programs `zstd` and `gzip`.
const EXPORTED_ZSTD: i32 = 3;
const EXPORTED_GZIP: u32 = 6;

/// Bytes per block of an export: large enough that both formats make good use of their windows (a
/// loss below 1 % against one frame).
const BLOCK: usize = 8 << 20;

/// Compresses a checkpoint. [`Self::finish`] writes the end; dropping does not.
pub(crate) enum Encoder<W: Write> {
    Plain(W),
    Snappy(Box<snap::write::FrameEncoder<W>>),
    Gzip(Box<flate2::write::GzEncoder<W>>),
    Zstd(Box<zstd::Encoder<'static, W>>),
    Lz4(Box<lz4_flex::frame::FrameEncoder<W>>),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(inner: W, compression: Stored) -> io::Result<Self> {
        Ok(match compression {
            Stored::None => Self::Plain(inner),
            Stored::Snappy => Self::Snappy(Box::new(snap::write::FrameEncoder::new(inner))),
            Stored::Gzip => Self::Gzip(Box::new(gzip(inner, STORED_GZIP))),
            Stored::Zstd => Self::Zstd(Box::new(zstd::Encoder::new(inner, STORED_ZSTD)?)),
            Stored::Lz4 => Self::Lz4(Box::new(lz4_flex::frame::FrameEncoder::new(inner))),
        })
    }

    /// Writes the end and returns the inner writer.
    pub(crate) fn finish(self) -> io::Result<W> {
        Ok(match self {
            Self::Plain(w) => w,
            Self::Snappy(w) => w
                .into_inner()
                .map_err(|e| io::Error::other(e.to_string()))?,
            Self::Gzip(w) => w.finish()?,
            Self::Zstd(w) => w.finish()?,
            Self::Lz4(w) => w.finish().map_err(io::Error::other)?,
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(w) => w,
            Self::Snappy(w) => w,
            Self::Gzip(w) => w,
            Self::Zstd(w) => w,
            Self::Lz4(w) => w,
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.writer().write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

/// Reads what an [`Encoder`] wrote.
pub(crate) fn decoder<'a>(
    inner: impl Read + Send + 'a,
    compression: Stored,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match compression {
        Stored::None => Box::new(inner),
        Stored::Snappy => Box::new(snap::read::FrameDecoder::new(inner)),
        Stored::Gzip => Box::new(flate2::read::MultiGzDecoder::new(inner)),
        Stored::Zstd => Box::new(zstd::Decoder::new(inner)?),
        Stored::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(inner)),
    })
}

/// Copies `from` to `to`, compressed in blocks of a fixed size, each its own gzip member or zstd
/// frame. Blocks are compressed in parallel, and the bytes do not depend on the number of threads
/// or on the partitions. Holds two blocks per thread in memory.
pub(crate) fn export(
    mut from: impl Read,
    to: &mut impl Write,
    compression: Exported,
) -> Result<()> {
    let mut any = false;
    loop {
        let mut blocks = Vec::new();
        while blocks.len() < rayon::current_num_threads() {
            let mut block = Vec::with_capacity(BLOCK);
            from.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
            // An empty stream gets a block, too: an empty file is not an archive.
            if block.is_empty() && (any || !blocks.is_empty()) {
                break;
            }
            let last = block.len() < BLOCK;
            blocks.push(block);
            if last {
                break;
            }
        }
        if blocks.is_empty() {
            return Ok(());
        }
        any = true;
        let packed: Vec<Vec<u8>> = blocks
            .par_iter()
            .map(|block| packed(block, compression))
            .collect::<Result<_>>()?;
        for block in packed {
            to.write_all(&block)?;
        }
    }
}

fn packed(block: &[u8], compression: Exported) -> Result<Vec<u8>> {
    Ok(match compression {
        Exported::Zstd => {
            let mut compressor = zstd::bulk::Compressor::new(EXPORTED_ZSTD)?;
            compressor.include_checksum(true)?;
            compressor.compress(block)?
        }
        Exported::Gzip => {
            let mut encoder = gzip(Vec::with_capacity(block.len() / 2), EXPORTED_GZIP);
            encoder.write_all(block)?;
            encoder.finish()?
        }
        Exported::None | Exported::Bzip2 | Exported::Xz => {
            bail!("an export is packed as gzip or zstd only")
        }
    })
}

fn gzip<W: Write>(inner: W, level: u32) -> flate2::write::GzEncoder<W> {
    flate2::write::GzEncoder::new(inner, flate2::Compression::new(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_back() {
        let text = "a line of text, and another one\n".repeat(20_000);
        for compression in [
            Stored::None,
            Stored::Snappy,
            Stored::Gzip,
            Stored::Zstd,
            Stored::Lz4,
        ] {
            let mut encoder = Encoder::new(Vec::new(), compression).unwrap();
            text.as_bytes()
                .chunks(1000)
                .for_each(|piece| encoder.write_all(piece).unwrap());
            let packed = encoder.finish().unwrap();
            assert_eq!(
                packed.len() < text.len() / 10,
                compression != Stored::None,
                "{compression:?}"
            );
            let mut back = String::new();
            decoder(&packed[..], compression)
                .unwrap()
                .read_to_string(&mut back)
                .unwrap();
            assert_eq!(back, text, "{compression:?}");
            if compression != Stored::None {
                let cut = decoder(&packed[..packed.len() / 2], compression)
                    .unwrap()
                    .read_to_end(&mut Vec::new());
                assert!(cut.is_err(), "{compression:?}");
            }
        }
    }
}
