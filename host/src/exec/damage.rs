//! Committed files that turn out to be damaged when they are read. Nobody reads all files of earlier
//! attempts before the work begins: their sizes are compared then, and their checksums by whoever
//! reads them first. A damaged one is set aside, and what it had is done again within the attempt.

use std::collections::HashSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, anyhow};
use serde::{Deserialize, Serialize};

use super::context::TaskContext;
use super::index::Index;
use super::{reconcile, segment};
use crate::checkpoint::{Artifact, Manifest};

/// A file is not what its manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damaged {
    artifact: Artifact,
    op: usize,
    partition: usize,
    why: String,
}

impl Damaged {
    /// The file of `manifest`, for the reason `why`.
    pub(super) fn new(manifest: &Manifest, why: String) -> Self {
        Self {
            artifact: manifest.artifact,
            op: manifest.place(),
            partition: manifest.partition,
            why,
        }
    }

    /// What `error` is about, if it is a damaged file.
    pub(crate) fn of(error: &anyhow::Error) -> Option<&Self> {
        error.chain().find_map(|e| e.downcast_ref())
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Damaged {}

/// The damaged files that an attempt has met.
#[derive(Default)]
pub(super) struct Damage {
    /// Each once: a disk that damages what is made again does not keep the job busy for ever.
    met: Mutex<HashSet<(Artifact, usize, usize)>>,
    is_new: AtomicBool,
}

impl Damage {
    /// Takes an error: if it is a damaged file, the file is set aside and leaves the index. Any other
    /// error is returned, and that of a file which is as it should be for this process: the reason is
    /// on the machine of whoever read it.
    pub(super) fn take(
        &self,
        env: &TaskContext<'_>,
        index: &Index,
        error: anyhow::Error,
    ) -> Result<()> {
        let Some(damaged) = Damaged::of(&error) else {
            return Err(error);
        };
        let (artifact, op, p) = (damaged.artifact, damaged.op, damaged.partition);
        if let Some(manifest) = index.get(artifact, op, p) {
            let Err(why) = segment::look(env, &manifest)? else {
                return Err(anyhow!("{error:#}; seen from here it is not"));
            };
            let mut met = self.met.lock().expect("no panic while held");
            if !met.insert((artifact, op, p)) {
                return Err(anyhow!("{why}, as it was before it was made again"));
            }
            drop(met);
            reconcile::reject(env, &manifest, &why, index)?;
        }
        self.is_new.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a file was set aside since this was asked last.
    pub(super) fn is_new(&self) -> bool {
        self.is_new.swap(false, Ordering::Relaxed)
    }
}
