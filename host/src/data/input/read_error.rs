//! Adds the position in the unpacked data to read errors.

use anyhow::anyhow;
use std::io::{self, Read};

use super::file::Compression;

/// Unwraps an I/O error from [`Located`], whose message is complete.
pub(crate) fn plain_error(error: io::Error) -> anyhow::Error {
    anyhow!("{error}")
}

/// A reader whose errors name the file and the position in the unpacked data.
pub(crate) struct Located {
    inner: Box<dyn Read + Send>,
    compression: Compression,
    at: u64,
}

impl Located {
    /// `inner` unpacks a file of this packing.
    pub(crate) fn new(inner: Box<dyn Read + Send>, compression: Compression) -> Self {
        Self {
            inner,
            compression,
            at: 0,
        }
    }
}

impl Read for Located {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(bytes) {
            Ok(n) => {
                self.at += n as u64;
                Ok(n)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Err(e),
            Err(e) => {
                let what = match self.compression {
                    // The file is intact; it asks for too much.
                    _ if e.kind() == io::ErrorKind::Unsupported => "",
                    Compression::None => "",
                    Compression::Gzip => "gzip data is cut or damaged: ",
                    Compression::Zstd => "zstd data is cut or damaged: ",
                    Compression::Bzip2 => "bzip2 data is cut or damaged: ",
                    Compression::Xz if e.kind() == io::ErrorKind::OutOfMemory => {
                        "xz data need a dictionary of more than 128 MiB: "
                    }
                    Compression::Xz => "xz data is cut or damaged: ",
                };
                Err(io::Error::new(
                    e.kind(),
                    format!("{what}{e}, after {} unpacked bytes", self.at),
                ))
            }
        }
    }
}
