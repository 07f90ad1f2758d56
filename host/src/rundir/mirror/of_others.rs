//! Files that other processes have put into the bucket, as the copy of this one has them.

use std::path::Path;

use anyhow::{Context, Result};

use super::absent;
use super::running::{Mirror, lock};
use crate::remote::Object;

impl Mirror {
    /// Learns of the file at `path`, which another process has put into the bucket: from now on the
    /// copy has it as what [`bring`](Self::bring) fetches. Nothing happens if the copy has one.
    pub(crate) fn adopt(&self, path: &Path) -> Result<()> {
        if path.symlink_metadata().is_ok() {
            return Ok(());
        }
        self.adopt_anew(path)
    }

    /// The same in place of what the copy has.
    pub(crate) fn adopt_anew(&self, path: &Path) -> Result<()> {
        let Some(key) = self.remote.key(path) else {
            return Ok(());
        };
        let found = self.remote.bucket.find(&key)?;
        absent::put(path, found.bytes)?;
        lock(&self.shared.index).leave(&found);
        Ok(())
    }

    /// The file at `path`, of `bytes` bytes, as it is in the bucket.
    pub(crate) fn object(&self, path: &Path, bytes: u64) -> Result<Object> {
        let key = self.remote.key(path);
        let key = key.context("internal error: a file that is not of the run directory")?;
        Ok(self.remote.bucket.object(&key, bytes)?)
    }

    /// Removes the file at `path` from the copy, if it is in the bucket; [`bring`](Self::bring)
    /// fetches it again.
    pub(crate) fn leave(&self, path: &Path) -> Result<()> {
        let Some(key) = self.remote.key(path) else {
            return Ok(());
        };
        let mut index = lock(&self.shared.index);
        let Some(found) = index.listed(&key) else {
            return Ok(());
        };
        index.leave(&found);
        drop(index);
        absent::put(path, found.bytes)
    }
}
