//! Run directories in buckets.
//!
//! A job works in a local copy of its run directory, through the same code as any other job. A
//! [`Mirror`] puts each file that the storage commits there into the bucket, in the background and in
//! an order that a kill at any moment leaves what a kill on a disk leaves: data before the manifest
//! that names them. The bucket is the truth: an attempt begins with what is there, on whatever
//! machine it runs. Documents and manifests are fetched then, rows and the like when they are read. A [`Lease`](lease::Lease) in the bucket excludes two attempts at a time.
//!
//! Commands that only look have a copy of their own, a [`View`].

pub(crate) mod absent;
mod clean;
mod growing;
mod hooked;
mod index;
mod lease;
mod of_others;
mod place;
mod pull;
mod queue;
mod running;
mod view;

pub(crate) use clean::{Leftovers, LocalCopy, leftovers, unused_copies};
pub(crate) use place::mirror_dir;
pub(crate) use pull::has_changed;
pub(crate) use queue::Kind;
pub(crate) use running::Mirror;
pub(crate) use view::View;

use std::path::{Path, PathBuf};

use anyhow::Result;
use bytes::Bytes;

use crate::error::UserError;
use crate::remote::address::Address;
use crate::remote::{Bucket, Put, When};
use crate::rundir::paths::RunPaths;

/// A run directory in a bucket, and where its copy is.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) address: Address,
    pub(crate) bucket: Bucket,
    pub(crate) root: PathBuf,
}

impl Remote {
    /// The key of a file of the copy; None if it is elsewhere.
    fn key(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.root).ok()?;
        Some(below.to_str()?.to_owned())
    }
}

/// Checks before any work that a run directory can be kept at `address`: that the bucket can be
/// written to, and that it refuses to make an object that is there, which excludes two runs of one
/// job. Leaves nothing there.
pub(crate) fn check(address: &Address) -> Result<(), UserError> {
    let place = || format!("work_dir `{address}`");
    let bucket = Bucket::new(address).map_err(|e| e.at(place()))?;
    let key = RunPaths::probe(&lease::nonce());
    let put = |text: &'static str| bucket.put(&key, &Bytes::from(text), &When::Absent);
    let first = put("first").map_err(|e| e.at(place()))?;
    let second = put("second");
    let removed = bucket.remove(&key);
    let second = second.map_err(|e| e.at(place()))?;
    removed.map_err(|e| e.at(place()))?;
    match (first, second) {
        (Put::Done(_), Put::Refused) => Ok(()),
        _ => Err(UserError::new(
            place(),
            "this store replaces an object although it is asked not to (`If-None-Match`): two runs of a job could not be kept apart",
        )
        .hint("keep the run directory on a disk (`work_dir`), or update the store; the dataset and the result may be in this bucket")),
    }
}
