//! Unpacked data whose errors say where they came.

use anyhow::anyhow;
use std::io::{self, Read};

use super::file::Compression;

/// The message of an I/O error from [`Located`] already says everything.
pub(crate) fn plain_error(error: io::Error) -> anyhow::Error {
    anyhow!("{error}")
}

/// A reader whose errors say where in the unpacked data they came; who reads it names the file.
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
                    // Nothing is wrong with the file but what it asks for.
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
