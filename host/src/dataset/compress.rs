//! Packs a stream in blocks of a fixed size, each a gzip member or zstd frame of its own: they are packed in parallel, and the bytes do not
//! depend on how many threads do it or how the rows were partitioned.

use super::file::Compression;
use anyhow::{Result, bail};
use rayon::prelude::*;
use std::io::{Read, Write};

/// Bytes per block: large enough that the windows of both formats are used well (a loss below 1 % against one frame).
const BLOCK: usize = 8 << 20;

/// Level 3 is the default of the `zstd` program, 6 that of `gzip`.
const ZSTD_LEVEL: i32 = 3;

/// Copies `from` to `to`, packed. In memory are two blocks per thread.
pub(super) fn pack(mut from: impl Read, to: &mut impl Write, compression: Compression) -> Result<()> {
    let mut any = false;
    loop {
        let mut blocks = Vec::new();
        while blocks.len() < rayon::current_num_threads() {
            let mut block = Vec::with_capacity(BLOCK);
            from.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
            // An empty stream is packed too: an empty file is no archive.
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
        let packed: Vec<Vec<u8>> = blocks.par_iter().map(|block| pack_block(block, compression)).collect::<Result<_>>()?;
        for block in packed {
            to.write_all(&block)?;
        }
    }
}

fn pack_block(block: &[u8], compression: Compression) -> Result<Vec<u8>> {
    Ok(match compression {
        Compression::Zstd => {
            let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
            compressor.include_checksum(true)?;
            compressor.compress(block)?
        }
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(block.len() / 2), flate2::Compression::default());
            encoder.write_all(block)?;
            encoder.finish()?
        }
        Compression::None | Compression::Bzip2 | Compression::Xz => bail!("an export is packed as gzip or zstd only"),
    })
}
