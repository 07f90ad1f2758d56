//! Files of a bucket that its copy does not have yet: in their places are links that lead nowhere. So
//! they are listed and removed as files are, their sizes are known, and none is read by mistake.

use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

use crate::rundir::Storage;

/// What such a link leads to, with the size of the file.
const NOWHERE: &str = ".in-the-bucket.";

/// Puts a link for a file of `bytes` bytes in the place of what is at `path`.
pub(super) fn put(path: &Path, bytes: u64) -> Result<()> {
    if size(path) == Some(bytes) {
        return Ok(());
    }
    Storage::temporary().remove_unsynced(path)?;
    symlink(format!("{NOWHERE}{bytes}"), path)
        .with_context(|| format!("cannot create `{}`", path.display()))
}

/// The size of the file that is in the bucket alone; None if `path` is anything else.
pub(crate) fn size(path: &Path) -> Option<u64> {
    let target = std::fs::read_link(path).ok()?;
    target.to_str()?.strip_prefix(NOWHERE)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_elsewhere_has_a_size_and_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.arrow");
        std::fs::write(&path, "old").unwrap();
        assert_eq!(size(&path), None);
        put(&path, 7).unwrap();
        put(&path, 9).unwrap();
        assert_eq!(size(&path), Some(9));
        assert!(std::fs::read(&path).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
