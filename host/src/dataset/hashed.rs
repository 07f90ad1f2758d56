//! A file that is written with its checksum.

use std::fs::File;
use std::io::{self, Write};
use xxhash_rust::xxh3::Xxh3;

/// A file, its checksum and size so far.
pub(super) struct Hashed {
    file: File,
    /// Half a kilobyte of state.
    hash: Box<Xxh3>,
    bytes: u64,
}

impl Hashed {
    /// An empty file.
    pub(super) fn new(file: File) -> Self {
        Self { file, hash: Box::new(Xxh3::new()), bytes: 0 }
    }

    /// Puts it on the disk.
    pub(super) fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// xxh3-128 of what was written so far, 32 hex digits.
    pub(super) fn checksum(&self) -> String {
        format!("{:032x}", self.hash.digest128())
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
