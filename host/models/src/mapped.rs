//! A file as bytes: mapped, or in memory.

use crate::error::unreadable;
use memmap2::Mmap;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

/// The bytes of a model. All of its readers go through slices of it, whose bounds are checked: a
/// file that another process writes to gives wrong answers, as any file would. One that is made
/// shorter while it is used ends the process, as with every mapped file.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// The pages of the file, which all processes share.
    Mapped(Mmap),
    /// A copy.
    Loaded(Vec<u8>),
}

impl Bytes {
    /// Maps a file for reading.
    ///
    /// # Errors
    /// When it cannot be opened, or is not a file.
    pub(crate) fn map(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let length = length(&file)?;
        if length == 0 {
            return Ok(Self::Loaded(Vec::new()));
        }
        // SAFETY: the mapping is read-only, and read as bytes whose values nothing relies on.
        let map = unsafe { Mmap::map(&file) }.map_err(|error| unreadable(&error))?;
        Ok(Self::Mapped(map))
    }
}

/// The length of a file, if it is a file with content.
fn length(file: &File) -> Result<u64, String> {
    let about = file.metadata().map_err(|error| unreadable(&error))?;
    match about.is_file() {
        true => Ok(about.len()),
        false => Err("this is not a file: name the file of a model".into()),
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Loaded(bytes) => bytes,
        }
    }
}
