//! The disk of a copy: what is committed or removed there is told to whoever keeps the bucket.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::rundir::storage::{Disk, DiskFile, real_disk};

/// Is told what the storage does.
pub(super) trait Hook: Send + Sync {
    /// Makes sure that the copy has the file at `path`, if the bucket has it.
    fn bring(&self, path: &Path) -> io::Result<()>;
    /// There is a whole file at `path`.
    fn committed(&self, path: &Path) -> io::Result<()>;
    /// There was a file at `path`, or there may be one in the bucket.
    fn removed(&self, path: &Path) -> io::Result<()>;
    /// Whether there is a file of this name in the bucket that the copy need not have.
    fn knows(&self, path: &Path) -> bool;
}

/// The disk, and one that is told. Nobody waits for the disk: the bucket is what lasts.
pub(super) struct Hooked<H> {
    disk: Arc<dyn Disk>,
    hook: H,
}

impl<H: Hook> Hooked<H> {
    pub(super) fn new(hook: H) -> Self {
        Self {
            disk: real_disk(false),
            hook,
        }
    }
}

impl<H: Hook> Disk for Hooked<H> {
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
        self.disk.create(path, mode)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.hook.bring(from)?;
        self.disk.rename(from, to)?;
        self.hook.removed(from)?;
        self.hook.committed(to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.disk.remove(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && self.hook.knows(path) => {}
            removed => removed?,
        }
        self.hook.removed(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }
}
