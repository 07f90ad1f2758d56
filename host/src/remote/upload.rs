//! Puts local files into a bucket: each appears whole, when it is committed, or not at all.

use super::address::{Address, Scheme};
use super::failure::Failure;
use super::store::{self, Shared};
use crate::threads::pool;
use anyhow::{Context, Result};
use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Bytes of a part. Smaller files are put by one request.
const PART: u64 = 8 << 20;
/// A store takes 10,000 parts.
const MOST_PARTS: u64 = 9_000;
/// Parts that are sent, and held in memory, at a time.
const AT_ONCE: usize = 4;

/// An upload that was begun and not committed: its parts are kept, and paid for, until it is
/// aborted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    address: String,
    id: String,
}

impl Unfinished {
    pub(super) fn new(address: &Address, id: String) -> Self {
        Self {
            address: address.text.clone(),
            id,
        }
    }

    /// Removes its parts. One that is not there any more is no mistake.
    pub(crate) fn abort(&self) -> Result<(), Failure> {
        let address = Address::parse(&self.address)
            .map_err(|e| Failure::new(std::io::ErrorKind::Other, e.message))?;
        let (store, path) = store::place(&address)?;
        store::removed(|| store.abort_multipart(&path, &self.id))
            .map_err(|e| Failure::of_store(&format!("abort of an upload to `{address}`"), &e))
    }
}

/// A file on its way.
pub(crate) struct Upload {
    address: Address,
    store: Shared,
    path: Path,
    file: File,
    bytes: u64,
    /// None: small enough for one request.
    id: Option<String>,
    parts: Vec<PartId>,
    at_once: usize,
    /// What was there before the upload.
    before: Option<String>,
}

impl Upload {
    /// Begins to put `file` at `address`.
    pub(crate) fn begin(file: File, address: Address) -> Result<Self> {
        let bytes = file.metadata()?.len();
        let (store, path) = store::place(&address)?;
        let (id, before) = match bytes > PART {
            true => (
                Some(begin(&store, &path, &address)?),
                tag_of(&store, &path).map(|(tag, _)| tag),
            ),
            false => (None, None),
        };
        Ok(Self {
            address,
            store,
            path,
            file,
            bytes,
            id,
            parts: Vec::new(),
            at_once: AT_ONCE,
            before,
        })
    }

    /// The same with one part at a time in memory, where several files are on their way.
    pub(crate) fn one_by_one(self) -> Self {
        Self { at_once: 1, ..self }
    }

    /// What a kill would leave behind.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        self.id.clone().map(|id| Unfinished {
            address: self.address.text.clone(),
            id,
        })
    }

    /// Sends all of it, but for a small file. Nobody sees it yet.
    pub(crate) fn send(&mut self) -> Result<()> {
        let Some(id) = &self.id else {
            return Ok(());
        };
        let part = PART.max(self.bytes.div_ceil(MOST_PARTS));
        let count = self.bytes.div_ceil(part) as usize;
        let send = |number: usize| -> Result<PartId> {
            let from = number as u64 * part;
            let piece = self.piece(from, (from + part).min(self.bytes))?;
            let sent = self.store.put_part(&self.path, id, number, piece.into());
            let request = format!("PUT part {} of `{}`", number + 1, self.address);
            Ok(store::wait(sent).map_err(|e| Failure::of_store(&request, &e))?)
        };
        if self.at_once == 1 {
            self.parts = (0..count).map(send).collect::<Result<_>>()?;
            return Ok(());
        }
        let threads = pool(self.at_once.min(count), "upload")?;
        let parts = threads.install(|| (0..count).into_par_iter().map(send).collect::<Result<_>>());
        self.parts = parts?;
        Ok(())
    }

    fn piece(&self, from: u64, to: u64) -> Result<Bytes> {
        let mut piece = vec![0; (to - from) as usize];
        self.file
            .read_exact_at(&mut piece, from)
            .context("cannot read the export again")?;
        Ok(piece.into())
    }

    /// Makes it appear in place of what was there. Returns its version.
    pub(crate) fn commit(&mut self) -> Result<Option<String>> {
        let request = format!("PUT `{}`", self.address);
        let put = match self.id.take() {
            Some(id) => {
                let parts = std::mem::take(&mut self.parts);
                let done = store::wait(self.store.complete_multipart(&self.path, &id, parts));
                // After a lost reply the store does not know the upload any more: it is done.
                if matches!(done, Err(object_store::Error::NotFound { .. }))
                    && let Some((tag, bytes)) = tag_of(&self.store, &self.path)
                    && bytes == self.bytes
                    && self.before.as_ref() != Some(&tag)
                {
                    return Ok(Some(tag));
                }
                if done.is_err() {
                    self.id = Some(id);
                }
                done
            }
            None => {
                let payload = PutPayload::from(self.piece(0, self.bytes)?);
                store::wait(self.store.put(&self.path, payload))
            }
        };
        Ok(put.map_err(|e| Failure::of_store(&request, &e))?.e_tag)
    }
}

/// The tag and the size of what is there.
fn tag_of(store: &Shared, path: &Path) -> Option<(String, u64)> {
    let found = store::wait(store.head(path)).ok()?;
    Some((found.e_tag?, found.size))
}

fn begin(store: &Shared, path: &Path, address: &Address) -> Result<String, Failure> {
    store::wait(store.create_multipart(path))
        .map_err(|e| Failure::of_store(&format!("begin of an upload to `{address}`"), &e))
}

/// Fails if a file cannot be put at `address`: no credentials, no bucket, no permission. Leaves
/// nothing there.
pub(crate) fn check_writable(address: &Address) -> Result<(), Failure> {
    let (store, path) = store::place(address)?;
    if address.scheme == Scheme::Azure {
        // There an upload begins with its first part.
        let probe = address.beside(&format!("{}.djhost-probe", address.key));
        let (store, path) = store::place(&probe)?;
        store::wait(store.put(&path, PutPayload::new()))
            .map_err(|e| Failure::of_store(&format!("PUT `{probe}`"), &e))?;
        return remove(&probe);
    }
    let id = begin(&store, &path, address)?;
    Unfinished {
        address: address.text.clone(),
        id,
    }
    .abort()
}

/// Removes an object; one that is not there is no mistake.
pub(crate) fn remove(address: &Address) -> Result<(), Failure> {
    let (store, path) = store::place(address)?;
    store::removed(|| store.delete(&path))
        .map_err(|e| Failure::of_store(&format!("DELETE `{address}`"), &e))
}
