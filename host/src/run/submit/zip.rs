//! Writes zip archives: what Ray takes as the package of a job.
//!
//! By hand: an archive of a few files in memory needs two kinds of headers (PKWARE's APPNOTE 4.3), and
//! the compression is there.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::Crc;
use flate2::write::DeflateEncoder;

/// Version 2.0, made on Unix: rights are kept.
const MADE_BY: u16 = 3 << 8 | 20;
const NEEDS: u16 = 20;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
const DEFLATED: u16 = 8;
/// 1980-01-01, so that equal files make equal archives.
const DATE: u16 = 1 << 5 | 1;
/// The type of a file, beside its rights.
const REGULAR: u32 = 0o100_000;

/// An archive.
#[derive(Default)]
pub(super) struct Zip {
    content: Vec<u8>,
    directory: Vec<u8>,
    files: u16,
}

impl Zip {
    /// Adds a file. `mode` are its rights.
    pub(super) fn add(&mut self, name: &str, mode: u32, content: &[u8]) -> Result<()> {
        const LARGE: &str = "the package is too large for a zip archive";
        let at = u32::try_from(self.content.len()).context(LARGE)?;
        let mut crc = Crc::new();
        crc.update(content);
        let mut packed = DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(content)?;
        let packed = packed.finish()?;
        let mut common = Vec::new();
        for number in [NEEDS, FLAGS, DEFLATED, 0, DATE] {
            common.extend(number.to_le_bytes());
        }
        common.extend(crc.sum().to_le_bytes());
        for bytes in [packed.len(), content.len()] {
            common.extend(u32::try_from(bytes).context(LARGE)?.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).context(LARGE)?.to_le_bytes());
        // No further fields.
        common.extend(0u16.to_le_bytes());

        self.content.extend(b"PK\x03\x04");
        self.content.extend(&common);
        self.content.extend(name.as_bytes());
        self.content.extend(packed);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(MADE_BY.to_le_bytes());
        self.directory.extend(&common);
        // No comment, the first disk, nothing about text.
        self.directory.extend([0; 6]);
        self.directory
            .extend(((REGULAR | mode) << 16).to_le_bytes());
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.files = self.files.checked_add(1).context(LARGE)?;
        Ok(())
    }

    /// The archive.
    pub(super) fn finish(mut self) -> Result<Vec<u8>> {
        let at = u32::try_from(self.content.len()).context("the package is too large")?;
        self.content.extend(&self.directory);
        self.content.extend(b"PK\x05\x06");
        self.content.extend([0; 4]);
        self.content.extend(self.files.to_le_bytes());
        self.content.extend(self.files.to_le_bytes());
        self.content
            .extend((self.directory.len() as u32).to_le_bytes());
        self.content.extend(at.to_le_bytes());
        self.content.extend(0u16.to_le_bytes());
        Ok(self.content)
    }
}
