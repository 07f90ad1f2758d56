//! What killed jobs leave in buckets, and of their copies here; for `djhost clean`.

use std::path::PathBuf;

use anyhow::Result;

use crate::remote::address::Address;
use crate::rundir::mirror::{Leftovers, LocalCopy, leftovers, unused_copies};

/// What can be removed of one run directory in a bucket.
pub struct BucketLeftovers(Leftovers);

impl BucketLeftovers {
    /// The run directory.
    pub fn address(&self) -> String {
        self.0.address.to_string()
    }

    /// Objects that no manifest names, by their names in it, and their bytes.
    pub fn objects(&self) -> &[(String, u64)] {
        &self.0.objects
    }

    /// Number of uploads that were begun and not finished.
    pub fn uploads(&self) -> usize {
        self.0.uploads.len()
    }

    /// Returns whether the job runs: then nothing is removed.
    pub fn is_running(&self) -> bool {
        self.0.is_running
    }

    /// Returns whether there is nothing to remove.
    pub fn is_empty(&self) -> bool {
        self.0.objects.is_empty() && self.0.uploads.is_empty()
    }

    /// Removes them. Fails if a run of the job has begun meanwhile.
    pub fn remove(&self) -> Result<()> {
        match self.is_empty() {
            true => Ok(()),
            false => self.0.remove(),
        }
    }
}

/// Looks at the run directories at and below an address. Removes nothing. Fails with a
/// [`UserError`](crate::error::UserError) if there is none.
pub fn in_bucket(address: &str) -> Result<Vec<BucketLeftovers>> {
    let address = Address::parse_prefix(address)?;
    Ok(leftovers(&address)?
        .into_iter()
        .map(BucketLeftovers)
        .collect())
}

/// Copies of run directories in buckets, on this machine.
pub struct Copies(Vec<LocalCopy>);

/// Returns the copies of this user that no process uses. Without them a job begins by fetching what
/// it needs.
pub fn of_this_user() -> Result<Copies> {
    Ok(Copies(unused_copies()?))
}

impl Copies {
    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their directories.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.iter().map(|copy| copy.path.clone()).collect()
    }

    /// The bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|copy| copy.bytes).sum()
    }

    /// Removes those that no process has begun to use.
    pub fn remove(&self) -> Result<()> {
        self.0.iter().try_for_each(LocalCopy::remove)
    }
}
