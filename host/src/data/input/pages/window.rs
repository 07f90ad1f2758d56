//! Reads a file at any position, with the bytes read last kept.

use crate::data::input::handle::{FileAt, Handle};
use std::io;

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

/// A file, and a piece of it in memory.
pub(super) struct Window {
    file: Handle,
    /// Size of the file when it was opened.
    pub(super) size: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    pub(super) fn open<'a>(at: impl Into<FileAt<'a>>) -> io::Result<Self> {
        let file = Handle::open(at)?;
        let size = file.bytes()?;
        Ok(Self {
            file,
            size,
            start: 0,
            bytes: Vec::new(),
        })
    }

    /// The bytes from `at` on: at least `least` (at most 256 KB), fewer only at the end of the file,
    /// and more if they are in memory.
    pub(super) fn at(&mut self, at: u64, least: usize) -> io::Result<&[u8]> {
        let least = (least.min(PIECE) as u64).min(self.size.saturating_sub(at));
        let end = self.start + self.bytes.len() as u64;
        if at < self.start || at + least > end {
            self.bytes.clear();
            self.start = at;
            let want = (PIECE as u64).min(self.size.saturating_sub(at)) as usize;
            self.bytes.resize(want, 0);
            self.file.read_exact_at(&mut self.bytes, at)?;
        }
        Ok(self
            .bytes
            .get((at - self.start) as usize..)
            .unwrap_or_default())
    }

    /// Exactly the bytes from `at` to `to`, appended to `out`.
    pub(super) fn copy(&mut self, at: u64, to: u64, out: &mut Vec<u8>) -> io::Result<()> {
        let end = self.start + self.bytes.len() as u64;
        let mut from = at;
        if (self.start..end).contains(&at) {
            let here = to.min(end);
            let range = (at - self.start) as usize..(here - self.start) as usize;
            out.extend_from_slice(&self.bytes[range]);
            from = here;
        }
        let done = out.len();
        out.resize(done + (to - from) as usize, 0);
        self.file.read_exact_at(&mut out[done..], from)
    }
}
