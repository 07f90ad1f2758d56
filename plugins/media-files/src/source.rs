//! The bytes of a file, read in small pieces.

use std::io::{Cursor, Read, Seek, SeekFrom};

/// What a [`Source`] reads.
pub(crate) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// The bytes of a file, of which only a window is in memory.
pub struct Source {
    file: Box<dyn ReadSeek>,
    len: u64,
    /// The bytes from `start` on.
    window: Vec<u8>,
    start: u64,
    pieces: u32,
}

/// Bytes read at a new place, and at most when reading on.
const PIECE: usize = 4 << 10;
const LARGE_PIECE: usize = 64 << 10;
/// No header is longer.
const MOST: usize = 1 << 20;
/// A file with so many headers is hostile, or damaged.
const PIECES: u32 = 1_000_000;

impl Source {
    /// What has `len` bytes.
    pub(crate) fn new(file: Box<dyn ReadSeek>, len: u64) -> Self {
        Self {
            file,
            len,
            window: Vec::new(),
            start: 0,
            pieces: 0,
        }
    }

    /// A file with these bytes.
    pub fn of(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self::new(Box::new(Cursor::new(bytes)), len)
    }

    /// Size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.len
    }

    /// The `n` bytes at `at`.
    ///
    /// # Errors
    /// When the file ends before them or cannot be read.
    pub fn bytes(&mut self, at: u64, n: usize) -> Result<&[u8], String> {
        let len = self.len;
        let found = self.up_to(at, n)?;
        if found.len() < n {
            Err(format!("it ends after {len} bytes, before its headers do"))
        } else {
            Ok(found)
        }
    }

    /// The same as an array.
    ///
    /// # Errors
    /// Likewise.
    pub fn array<const N: usize>(&mut self, at: u64) -> Result<[u8; N], String> {
        let bytes = self.bytes(at, N)?;
        Ok(std::array::from_fn(|i| bytes[i]))
    }

    /// The `n` bytes at `at`, or fewer at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read, or its headers do not end.
    pub fn up_to(&mut self, at: u64, n: usize) -> Result<&[u8], String> {
        self.pieces += 1;
        if n > MOST || self.pieces > PIECES {
            return Err("its headers have no end".into());
        }
        let n = self.len.saturating_sub(at).min(n as u64) as usize;
        let end = self.start + self.window.len() as u64;
        if at < self.start || at + n as u64 > end {
            // Sequential reads use larger pieces.
            let piece = if at >= self.start && at <= end && !self.window.is_empty() {
                LARGE_PIECE
            } else {
                PIECE
            };
            let wanted = self.len.saturating_sub(at).min(n.max(piece) as u64) as usize;
            self.window.resize(wanted, 0);
            self.start = at;
            let read = self
                .file
                .seek(SeekFrom::Start(at))
                .and_then(|_| self.file.read_exact(&mut self.window));
            if let Err(error) = read {
                self.window.clear();
                return Err(format!("it cannot be read: {error}"));
            }
        }
        let from = (at - self.start) as usize;
        Ok(&self.window[from..from + n])
    }

    /// All bytes.
    ///
    /// # Errors
    /// When there are more than `most`, or it cannot be read.
    pub fn all(&mut self, most: u64) -> Result<Vec<u8>, String> {
        if self.len > most {
            return Err(format!(
                "it has {} bytes, more than the {most} that are decoded",
                self.len
            ));
        }
        let mut bytes = vec![0; self.len as usize];
        let read = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|error| format!("it cannot be read: {error}"))?;
        Ok(bytes)
    }

    /// Begins a long walk over small headers: allows as many as the file has bytes for.
    pub fn walk(&mut self) {
        self.pieces = 0;
    }
}

/// The big-endian number of `n` bytes at `at`; bytes beyond the end count as 0.
pub fn be(bytes: &[u8], at: usize, n: usize) -> u64 {
    (0..n).fold(0, |value, i| {
        value << 8 | u64::from(bytes.get(at + i).copied().unwrap_or_default())
    })
}

/// The little-endian number likewise.
pub fn le(bytes: &[u8], at: usize, n: usize) -> u64 {
    (0..n).rev().fold(0, |value, i| {
        value << 8 | u64::from(bytes.get(at + i).copied().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_file() {
        let bytes: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        let mut source = Source::of(bytes.clone());
        for (at, n) in [(0, 4), (4090, 20), (199_998, 2), (5000, 70_000), (0, 1)] {
            assert_eq!(source.bytes(at as u64, n).unwrap(), &bytes[at..at + n]);
        }
        assert!(
            source
                .bytes(199_999, 2)
                .unwrap_err()
                .contains("200000 bytes")
        );
        assert_eq!(source.up_to(199_999, 2).unwrap().len(), 1);
        assert_eq!(source.up_to(u64::MAX, 2).unwrap().len(), 0);
        assert!(source.bytes(0, MOST + 1).is_err());
        assert_eq!(source.all(200_000).unwrap(), bytes);
        assert!(source.all(199_999).is_err());
    }
}
