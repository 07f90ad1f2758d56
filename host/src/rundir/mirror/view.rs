//! A copy of a run directory in a bucket, for commands that look at a job without running it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use rustix::fs::{FlockOperation, flock};

use super::Remote;
use super::hooked::{Hook, Hooked};
use super::index::Index;
use super::lease::Watched;
use super::place::{make_private, view_dir};
use super::pull::{Part, pull};
use crate::remote::address::Address;
use crate::remote::{Bucket, When};
use crate::rundir::Storage;
use crate::rundir::lock::Liveness;
use crate::rundir::own_files::{open_own, read_document};
use crate::rundir::paths::RunPaths;

/// For how long what was fetched counts as new.
const FRESH: Duration = Duration::from_secs(1);

/// A run directory in a bucket, for one who looks.
pub(crate) struct View {
    remote: Remote,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    index: Option<Arc<Mutex<Index>>>,
    /// When each directory was last fetched.
    fetched: HashMap<String, Instant>,
    watched: Watched,
    liveness: Option<(Instant, Liveness)>,
}

impl View {
    /// Makes no request yet, and no directory.
    pub(crate) fn new(address: &Address) -> Result<Self> {
        Ok(Self {
            remote: Remote {
                address: address.clone(),
                bucket: Bucket::new(address)?,
                root: view_dir(address)?,
            },
            state: Mutex::default(),
        })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.remote.address
    }

    /// Where the copy is.
    pub(crate) fn root(&self) -> &Path {
        &self.remote.root
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches what has changed of the documents, events and logs.
    pub(crate) fn refresh(&self) -> Result<()> {
        for dir in RunPaths::LOOKED_AT {
            self.bring(dir)?;
        }
        Ok(())
    }

    /// Fetches what has changed in one directory: its name, or nothing for the run directory itself.
    /// Rows and what global ops compare are of no use to one who looks, and stay.
    pub(crate) fn bring(&self, dir: &str) -> Result<()> {
        self.pull(dir, false)
    }

    /// Fetches what has changed of all directories, but for what manifests name, by one listing.
    /// False if there is no job; then there is no copy, either.
    pub(crate) fn bring_manifests(&self) -> Result<bool> {
        let summary = RunPaths::new(&self.remote.root).summary();
        let key = self.remote.key(&summary).unwrap_or_default();
        if self.remote.bucket.get(&key)?.is_none() {
            return Ok(false);
        }
        self.pull("", true)?;
        let mut state = self.lock();
        for dir in RunPaths::OF_MANIFESTS {
            state.fetched.insert(dir.to_owned(), Instant::now());
        }
        Ok(true)
    }

    fn pull(&self, dir: &str, deep: bool) -> Result<()> {
        let mut state = self.lock();
        if state
            .fetched
            .get(dir)
            .is_some_and(|at| at.elapsed() < FRESH)
        {
            return Ok(());
        }
        let _lock = self.lock_copy()?;
        let index = match &state.index {
            Some(index) => Arc::clone(index),
            None => {
                let index = Arc::new(Mutex::new(Index::open(&self.remote.root)?));
                state.index = Some(Arc::clone(&index));
                index
            }
        };
        let part = Part {
            dir,
            deep,
            is_written: true,
            leaves_data: deep || RunPaths::OF_MANIFESTS.contains(&dir),
        };
        pull(&self.remote, &index, part)?;
        // A bucket has no empty directories.
        make_private(&self.remote.root.join(dir))?;
        state.fetched.insert(dir.to_owned(), Instant::now());
        Ok(())
    }

    /// Keeps other commands from fetching into the copy at the same time.
    fn lock_copy(&self) -> Result<File> {
        make_private(&self.remote.root)?;
        let path = RunPaths::new(&self.remote.root).lock();
        let context = || format!("cannot lock `{}`", path.display());
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = open_own(&path, options).with_context(context)?;
        flock(&file, FlockOperation::LockExclusive).with_context(context)?;
        Ok(file)
    }

    /// Who runs the job.
    pub(crate) fn liveness(&self) -> Result<Liveness> {
        let mut state = self.lock();
        if let Some((at, liveness)) = &state.liveness
            && at.elapsed() < FRESH
        {
            return Ok(liveness.clone());
        }
        let liveness = state.watched.look(&self.remote.bucket)?;
        let is_other = state
            .liveness
            .as_ref()
            .is_some_and(|(_, earlier)| *earlier != liveness);
        if is_other {
            // What the job wrote last came before that.
            state.fetched.clear();
        }
        state.liveness = Some((Instant::now(), liveness.clone()));
        Ok(liveness)
    }

    /// Writes to the copy and to the bucket.
    pub(crate) fn storage(&self) -> Storage {
        let through = Through {
            remote: self.remote.clone(),
        };
        Storage::on(Arc::new(Hooked::new(through)))
    }
}

/// Puts what is committed into the bucket at once.
struct Through {
    remote: Remote,
}

impl Hook for Through {
    fn bring(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn committed(&self, path: &Path) -> io::Result<()> {
        if let Some(key) = self.remote.key(path) {
            let content = Bytes::from(read_document(path)?);
            self.remote.bucket.put(&key, &content, &When::Always)?;
        }
        Ok(())
    }

    fn removed(&self, path: &Path) -> io::Result<()> {
        match self.remote.key(path) {
            Some(key) if RunPaths::mirrored_as(&key).is_some() => {
                Ok(self.remote.bucket.remove(&key)?)
            }
            _ => Ok(()),
        }
    }

    fn knows(&self, path: &Path) -> bool {
        self.remote.key(path).is_some()
    }
}
