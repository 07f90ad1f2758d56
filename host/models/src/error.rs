//! What is wrong with a model file.

use std::path::{Path, PathBuf};

/// A file that cannot be used as a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and what to do.
    pub message: String,
}

impl Error {
    pub(crate) fn new(path: &Path, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {}", self.path.display(), self.message)
    }
}

impl std::error::Error for Error {}

/// The message for a file that ends too early or lies about sizes.
pub(crate) fn damaged(what: &str) -> String {
    format!("the file is damaged or was cut off ({what}): get it again")
}

/// The message for a file that cannot be read.
pub(crate) fn unreadable(error: &std::io::Error) -> String {
    format!("cannot read it: {error}")
}
