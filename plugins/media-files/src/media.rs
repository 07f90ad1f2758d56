//! A file that a row names or has in it, and what is wrong with it.

use crate::source::Source;
use std::borrow::Cow;
use std::fmt::Display;
use std::fs::File;
use std::io::ErrorKind;

/// A file that a row names, or has in it.
#[derive(Debug, Clone)]
pub struct Media<'a> {
    /// Its path, or a name for messages.
    name: Cow<'a, str>,
    bytes: Option<&'a [u8]>,
}

impl<'a> Media<'a> {
    /// A file named by a row, not yet opened.
    pub fn file(path: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: path.into(),
            bytes: None,
        }
    }

    /// A file with these bytes.
    pub fn inside(name: impl Into<Cow<'a, str>>, bytes: &'a [u8]) -> Self {
        Self {
            name: name.into(),
            bytes: Some(bytes),
        }
    }

    /// The path, if it is not inside of the row.
    pub fn path(&self) -> Option<&str> {
        match self.bytes {
            Some(_) => None,
            None => Some(&self.name),
        }
    }

    /// The bytes, if they are inside of the row.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        self.bytes
    }

    /// Its size in bytes.
    ///
    /// # Errors
    /// When it is inaccessible or not a file.
    pub fn size(&self) -> Result<u64, String> {
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
    pub fn open(&self) -> Result<Source, String> {
        if let Some(bytes) = self.bytes {
            return Ok(Source::of(bytes.to_vec()));
        }
        let len = self.size()?;
        let file =
            File::open(&*self.name).map_err(|error| format!("it cannot be opened: {error}"))?;
        Ok(Source::new(Box::new(file), len))
    }

    /// Adds the name of the file to `reason`.
    pub fn blamed(&self, reason: impl Display) -> String {
        match self.bytes {
            Some(_) => format!("{}: {reason}", self.name),
            None => format!("`{}`: {reason}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
