//! The checksum of everything that djhost writes and reads again: xxh3-128, as 32 hex digits.

use std::io::{self, BufReader, Read, Write};

use xxhash_rust::xxh3::Xxh3;

/// Bytes per read: large enough that the cost of the calls does not matter.
const PIECE: usize = 1 << 20;

/// A running checksum.
#[derive(Default)]
pub(crate) struct Checksum {
    /// The state is half a kilobyte, so it lives on the heap.
    state: Box<Xxh3>,
}

impl Checksum {
    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
    }

    /// Returns the checksum of the bytes so far as 32 hex digits.
    pub(crate) fn hex(&self) -> String {
        format!("{:032x}", self.state.digest128())
    }
}

/// A writer that counts and checksums the bytes on their way to `inner`.
pub(crate) struct ChecksumWriter<W> {
    inner: W,
    checksum: Checksum,
    bytes: u64,
}

impl<W> ChecksumWriter<W> {
    /// Wraps `inner`, which must be empty: the checksum covers only what is written from now on.
    pub(crate) fn new(inner: W) -> Self {
        Self {
            inner,
            checksum: Checksum::default(),
            bytes: 0,
        }
    }

    /// Returns the checksum of the bytes written so far.
    pub(crate) fn checksum(&self) -> String {
        self.checksum.hex()
    }

    /// Returns the wrapped writer, the checksum and the number of bytes.
    pub(crate) fn into_parts(self) -> (W, String, u64) {
        let checksum = self.checksum();
        (self.inner, checksum, self.bytes)
    }
}

impl<W: Write> Write for ChecksumWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.checksum.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads `from` to its end and returns the checksum and the number of its bytes.
pub(crate) fn checksum(from: impl Read) -> io::Result<(String, u64)> {
    let mut sum = ChecksumWriter::new(io::sink());
    io::copy(&mut BufReader::with_capacity(PIECE, from), &mut sum)?;
    let (_, hex, bytes) = sum.into_parts();
    Ok((hex, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_and_what_is_read_have_the_same_checksum() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        let mut writer = ChecksumWriter::new(Vec::new());
        bytes
            .chunks(777)
            .for_each(|piece| writer.write_all(piece).unwrap());
        let (written, sum, n) = writer.into_parts();
        assert_eq!((written, n), (bytes.clone(), 3_000_000));
        assert_eq!(checksum(&bytes[..]).unwrap(), (sum, n));
        // The checksum of no bytes, taken from the reference implementation.
        assert_eq!(
            Checksum::default().hex(),
            "99aa06d3014798d86001c324468d497f"
        );
    }
}
