//! Files that rows name or have in them: finds, opens and reads them in small pieces.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};

/// A file that a row names, or has in it.
#[derive(Debug, Clone)]
pub(crate) struct Media<'a> {
    /// Its path, or a name for messages.
    name: Cow<'a, str>,
    bytes: Option<&'a [u8]>,
}

impl<'a> Media<'a> {
    /// A file named by a row, not yet opened.
    pub(crate) fn file(path: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: path.into(),
            bytes: None,
        }
    }

    /// A file with these bytes.
    pub(crate) fn inside(name: impl Into<Cow<'a, str>>, bytes: &'a [u8]) -> Self {
        Self {
            name: name.into(),
            bytes: Some(bytes),
        }
    }

    /// The path, if it is not inside of the row.
    pub(crate) fn path(&self) -> Option<&str> {
        match self.bytes {
            Some(_) => None,
            None => Some(&self.name),
        }
    }

    /// The bytes, if they are inside of the row.
    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        self.bytes
    }

    /// Its size in bytes.
    ///
    /// # Errors
    /// When it is inaccessible or not a file.
    pub(crate) fn size(&self) -> Result<u64, String> {
        if let Some(bytes) = self.bytes {
            return Ok(bytes.len() as u64);
        }
        let path = &*self.name;
        if path.is_empty() {
            return Err("the path is empty".into());
        }
        if path.contains("://") {
            return Err("operators have no network: download it and name the file".into());
        }
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => "there is no such file (paths are relative to the directory of the dataset)".to_owned(),
            ErrorKind::PermissionDenied => "it may not be read".into(),
            ErrorKind::NotADirectory | ErrorKind::InvalidInput | ErrorKind::InvalidFilename => error.to_string(),
            _ => format!("the operator may read the directories of the dataset and what `grants: {{read_dirs: […]}}` names: {error}"),
        })?;
        // A pipe would block the call forever.
        if metadata.is_file() {
            Ok(metadata.len())
        } else {
            Err("it is not a file".into())
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn open(&self) -> Result<Source, String> {
        if let Some(bytes) = self.bytes {
            return Ok(Source::of(bytes.to_vec()));
        }
        let len = self.size()?;
        let file =
            File::open(&*self.name).map_err(|error| format!("it cannot be opened: {error}"))?;
        Ok(Source::new(Box::new(file), len))
    }

    /// Adds the name of the file to `reason`.
    pub(crate) fn blamed(&self, reason: impl Display) -> String {
        match self.bytes {
            Some(_) => format!("{}: {reason}", self.name),
            None => format!("`{}`: {reason}", self.name),
        }
    }
}

trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// The bytes of a file, of which only a window is in memory.
pub(crate) struct Source {
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
    fn new(file: Box<dyn ReadSeek>, len: u64) -> Self {
        Self {
            file,
            len,
            window: Vec::new(),
            start: 0,
            pieces: 0,
        }
    }

    /// A file with these bytes.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self::new(Box::new(Cursor::new(bytes)), len)
    }

    /// Size of the file in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The `n` bytes at `at`.
    ///
    /// # Errors
    /// When the file ends before them or cannot be read.
    pub(crate) fn bytes(&mut self, at: u64, n: usize) -> Result<&[u8], String> {
        let len = self.len;
        let found = self.up_to(at, n)?;
        if found.len() < n {
            Err(format!("it ends after {len} bytes, before its headers do"))
        } else {
            Ok(found)
        }
    }

    /// The same as an array.
    pub(crate) fn array<const N: usize>(&mut self, at: u64) -> Result<[u8; N], String> {
        let bytes = self.bytes(at, N)?;
        Ok(std::array::from_fn(|i| bytes[i]))
    }

    /// The `n` bytes at `at`, or fewer at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read, or its headers do not end.
    pub(crate) fn up_to(&mut self, at: u64, n: usize) -> Result<&[u8], String> {
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
    pub(crate) fn all(&mut self, most: u64) -> Result<Vec<u8>, String> {
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
    pub(crate) fn walk(&mut self) {
        self.pieces = 0;
    }
}

/// The big-endian number of `n` bytes at `at`; bytes beyond the end count as 0.
pub(crate) fn be(bytes: &[u8], at: usize, n: usize) -> u64 {
    (0..n).fold(0, |value, i| {
        value << 8 | u64::from(bytes.get(at + i).copied().unwrap_or_default())
    })
}

/// The little-endian number likewise.
pub(crate) fn le(bytes: &[u8], at: usize, n: usize) -> u64 {
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

    #[test]
    fn what_is_no_file() {
        for path in [
            "",
            "nowhere/a.png",
            "/",
            "https://example.com/a.png",
            "a\0b",
        ] {
            assert!(Media::file(path).open().is_err(), "{path}");
        }
        assert!(Media::file("a.png").blamed("gone").starts_with("`a.png`"));
    }
}
