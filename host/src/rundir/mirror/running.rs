//! The copy in which a job works, and the threads that keep the bucket like it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;

use super::growing::Growing;
use super::hooked::{Hook, Hooked};
use super::index::Index;
use super::lease::Lease;
use super::place::make_private;
use super::pull::{self, Part, pull};
use super::queue::{Item, Kind, Queue};
use super::{Remote, mirror_dir};
use crate::remote::address::Address;
use crate::remote::{Bucket, Put, Unfinished, Version, When, unfinished_below};
use crate::rundir::Storage;
use crate::rundir::events::now;
use crate::rundir::lock::Holder;
use crate::rundir::own_files::read_regular;
use crate::rundir::paths::RunPaths;
use crate::rundir::process::{ProcessId, host_name};
use crate::rundir::stop_request::StopFlag;
use crate::threads::inherit;

/// Threads that send files.
const SENDERS: usize = 4;
/// Bytes that may wait to be sent; then those who write wait.
const MOST_BYTES: u64 = 256 << 20;
/// Files that may wait.
const MOST_FILES: usize = 2_000;
/// How often what has grown is sent.
const PAUSE: Duration = Duration::from_secs(3);
/// How often it is looked whether a stop was asked for.
const LOOK: Duration = Duration::from_secs(1);
/// Documents up to this size are read when they are committed, as they may be replaced before it is
/// their turn.
const SMALL: u64 = 1 << 20;

/// The run directory of an attempt, in a bucket. [`finish`](Self::finish) must be called.
pub(crate) struct Mirror {
    pub(super) remote: Remote,
    pub(super) shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

pub(super) struct Shared {
    remote: Remote,
    /// Whether it runs the job, and so has the lease until the end; else it follows who does.
    leads: bool,
    lease: Mutex<Option<Lease>>,
    pub(super) index: Mutex<Index>,
    growing: Mutex<Growing>,
    state: Mutex<State>,
    changed: Condvar,
    stop: StopFlag,
}

#[derive(Default)]
struct State {
    queue: Queue,
    /// Why nothing is sent any more.
    failed: Option<String>,
    has_ended: bool,
}

pub(super) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mirror {
    /// Makes the directory in which the job of `address` works. Nothing is in it that the bucket
    /// does not have, once [`begin`](Self::begin) has returned.
    pub(crate) fn make_dir(address: &Address) -> Result<()> {
        make_private(&mirror_dir(address)?)
    }

    /// Takes the lease of the run directory at `address`, fetches what is there, and sends from then
    /// on what the storage commits. The caller holds the lock of the copy in `root`.
    pub(crate) fn begin(
        address: &Address,
        root: &Path,
        does_more: bool,
        stop: &StopFlag,
    ) -> Result<Arc<Self>> {
        let remote = Remote {
            address: address.clone(),
            bucket: Bucket::new(address)?,
            root: root.to_owned(),
        };
        let holder = Holder {
            format_version: crate::rundir::lock::FORMAT_VERSION,
            process: ProcessId::current(),
            host: host_name(),
            attempt: 0,
            since: now(),
            does_more,
        };
        let mut lease = Lease::take(&remote.bucket, &holder, stop)?;
        let fetched = std::thread::scope(|scope| {
            scope.spawn(inherit(|| abort_unfinished(&remote)));
            // A program looks at the copy itself.
            fetch(&remote, !does_more)
        });
        let (index, growing) = match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                lease.release();
                return Err(error);
            }
        };
        let shared = Arc::new(Shared {
            remote: remote.clone(),
            leads: true,
            lease: Mutex::new(Some(lease)),
            index,
            growing: Mutex::new(growing),
            state: Mutex::default(),
            changed: Condvar::new(),
            stop: stop.clone(),
        });
        let spawn = |name: &str, work: fn(&Shared)| {
            let theirs = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(inherit(move || work(&theirs)))
                .context("cannot start a thread")
        };
        let mut threads = vec![spawn("djhost-grown", Shared::keep)?];
        for _ in 0..SENDERS {
            threads.push(spawn("djhost-send", Shared::send_all)?);
        }
        Ok(Arc::new(Self {
            remote,
            shared,
            threads: Mutex::new(threads),
        }))
    }

    /// The same for a process that runs tasks of a job which another one runs: it takes no lease, and
    /// fetches only what the job is planned by. It calls [`flush`](Self::flush) before it says that
    /// something is committed, and its end needs no call: who runs the job ends it at any moment.
    pub(crate) fn follow(address: &Address, root: &Path, stop: &StopFlag) -> Result<Arc<Self>> {
        let remote = Remote {
            address: address.clone(),
            bucket: Bucket::new(address)?,
            root: root.to_owned(),
        };
        let index = Mutex::new(Index::open(root)?);
        for dir in RunPaths::OF_THE_PLAN {
            let part = Part {
                dir,
                deep: true,
                // How far the job is may be written just now.
                is_written: true,
                leaves_data: true,
            };
            pull(&remote, &index, part)?;
        }
        let shared = Arc::new(Shared {
            remote: remote.clone(),
            leads: false,
            lease: Mutex::new(None),
            index,
            growing: Mutex::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
            stop: stop.clone(),
        });
        let mut threads = Vec::new();
        for _ in 0..SENDERS {
            let theirs = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name("djhost-send".into());
            let work = inherit(move || theirs.send_all());
            threads.push(thread.spawn(work).context("cannot start a thread")?);
        }
        Ok(Arc::new(Self {
            remote,
            shared,
            threads: Mutex::new(threads),
        }))
    }

    /// Where the run directory is.
    pub(crate) fn address(&self) -> &Address {
        &self.remote.address
    }

    /// How the files of the copy are written.
    pub(crate) fn storage(&self) -> Storage {
        Storage::on(Arc::new(Hooked::new(Arc::clone(&self.shared))))
    }

    /// Number of the last attempt of the job that is known.
    pub(crate) fn last_attempt(&self) -> u32 {
        lock(&self.shared.lease).as_ref().map_or(0, Lease::attempt)
    }

    /// Says in the bucket who runs the job.
    pub(crate) fn set_holder(&self, holder: &Holder) -> Result<()> {
        match &*lock(&self.shared.lease) {
            Some(lease) => lease.set_holder(holder),
            None => Ok(()),
        }
    }

    /// Removes from the bucket what the copy does not have any more, and was not removed by the
    /// storage.
    pub(crate) fn forget_removed(&self) -> Result<()> {
        let keys = lock(&self.shared.index).keys();
        for key in keys {
            let name = RunPaths::of_piece(&key).map_or(&*key, |(name, _)| name);
            if self.remote.root.join(name).symlink_metadata().is_err() {
                self.shared.push(Item::new(key, Kind::Removal, None, 0))?;
            }
        }
        lock(&self.shared.growing).forget_removed(&self.remote.root);
        Ok(())
    }

    /// Waits until all that was committed is in the bucket. Fails if something could not be put
    /// there.
    pub(crate) fn flush(&self) -> Result<()> {
        self.shared.push_grown(true)?;
        let state = lock(&self.shared.state);
        let waiting = |state: &mut State| state.failed.is_none() && !state.queue.is_empty();
        let state = self
            .shared
            .changed
            .wait_while(state, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.result()
    }

    /// Does not send what waits under keys that are of no use any more, because their files will be
    /// removed.
    pub(crate) fn forget_unsent(&self, is_of_no_use: impl Fn(&str) -> bool) {
        lock(&self.shared.state).queue.forget(is_of_no_use);
        self.shared.changed.notify_all();
    }

    /// Fetches the file at `path` of the copy, if it is in the bucket alone. An error for which
    /// [`has_changed`](super::has_changed) holds says that it is another one by now, or none.
    pub(crate) fn bring(&self, path: &Path) -> Result<()> {
        match self.remote.key(path) {
            Some(key) => pull::bring(&self.remote, &self.shared.index, &key),
            None => Ok(()),
        }
    }

    /// Why nothing is sent any more, if that is so.
    pub(crate) fn failure(&self) -> Option<anyhow::Error> {
        lock(&self.shared.state).result().err()
    }

    /// Sends the rest, gives the lease back, and ends the threads. Fails as [`flush`](Self::flush)
    /// does.
    pub(crate) fn finish(&self) -> Result<()> {
        let flushed = self.flush();
        lock(&self.shared.state).has_ended = true;
        self.shared.changed.notify_all();
        for thread in lock(&self.threads).drain(..) {
            let _ = thread.join();
        }
        if let Some(mut lease) = lock(&self.shared.lease).take() {
            lease.release();
        }
        flushed
    }

    /// Removes the large files of the copy. The bucket keeps them.
    pub(crate) fn drop_copies(&self) {
        let paths = RunPaths::new(&self.remote.root);
        for dir in [paths.checkpoints(), paths.parts(), paths.partitions()] {
            let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
            for file in files {
                // What stays is only in the way of other files.
                let _ = Storage::temporary().remove_unsynced(&file.path());
            }
        }
    }
}

/// Removes the parts of files that a killed attempt was sending.
fn abort_unfinished(remote: &Remote) {
    let left = unfinished_below(&remote.address)
        .and_then(|uploads| uploads.iter().try_for_each(Unfinished::abort));
    if let Err(error) = left {
        tracing::debug!("{error}");
    }
}

/// Makes the copy what the bucket has, with or without what manifests name.
fn fetch(remote: &Remote, leaves_data: bool) -> Result<(Mutex<Index>, Growing)> {
    let index = Mutex::new(Index::open(&remote.root)?);
    let all = Part {
        dir: "",
        deep: true,
        is_written: false,
        leaves_data,
    };
    let mut growing = Growing::default();
    growing.start(pull(remote, &index, all)?);
    Ok((index, growing))
}

impl Drop for Mirror {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        state.has_ended = true;
        state.queue.clear();
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl State {
    fn result(&self) -> Result<()> {
        match &self.failed {
            Some(why) => Err(anyhow!("{why}")),
            None => Ok(()),
        }
    }
}

impl Shared {
    /// Adds a file. Waits while too many are on their way.
    fn push(&self, item: Item) -> Result<()> {
        let is_full = |state: &mut State| {
            state.failed.is_none()
                && (state.queue.bytes() > MOST_BYTES || state.queue.len() > MOST_FILES)
        };
        let mut state = self
            .changed
            .wait_while(lock(&self.state), is_full)
            .unwrap_or_else(PoisonError::into_inner);
        state.result()?;
        state.queue.push(item);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    fn push_grown(&self, all: bool) -> Result<()> {
        let mut growing = lock(&self.growing);
        let items = growing.take(&self.remote.root, all)?;
        items.into_iter().try_for_each(|item| self.push(item))
    }

    fn is_held(&self) -> bool {
        !self.leads || lock(&self.lease).as_ref().is_some_and(Lease::is_held)
    }

    /// Nothing is sent from now on, and the job stops.
    fn fail(&self, why: &str) {
        let mut state = lock(&self.state);
        if state.failed.is_none() {
            state.failed = Some(format!(
                "the run directory `{}` cannot be kept: {why}",
                self.remote.address
            ));
        }
        state.queue.clear();
        drop(state);
        self.changed.notify_all();
        self.stop
            .request("the run directory cannot be kept in its bucket");
    }

    /// A thread that sends files until the end.
    fn send_all(&self) {
        loop {
            let mut state = lock(&self.state);
            let item = loop {
                if state.failed.is_some() || state.has_ended && state.queue.is_empty() {
                    return;
                }
                match state.queue.take() {
                    Some(item) => break item,
                    None => {
                        state = self
                            .changed
                            .wait(state)
                            .unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            drop(state);
            let sent = self.send(&item);
            lock(&self.state).queue.sent(&item);
            if let Err(error) = sent {
                self.fail(&format!("{error:#}"));
            }
            self.changed.notify_all();
        }
    }

    fn send(&self, item: &Item) -> Result<()> {
        const LOST: &str = "another run may have taken it over: its lock could not be renewed";
        if !self.is_held() {
            return Err(anyhow!(LOST));
        }
        let (bucket, key) = (&self.remote.bucket, &*item.key);
        let version = match (item.kind, &item.content) {
            (Kind::Removal, _) => {
                bucket.remove(key)?;
                lock(&self.index).remove(key);
                return Ok(());
            }
            (Kind::Manifest, Some(content)) => self.put_manifest(key, content)?,
            (_, Some(content)) => match bucket.put(key, content, &When::Always)? {
                Put::Done(version) => version,
                Put::Refused => return Err(anyhow!("`{}` was refused", bucket.address(key))),
            },
            (_, None) => match File::open(self.remote.root.join(key)) {
                // It was removed again, which will be sent, too.
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
                file => bucket.put_file(key, file?)?,
            },
        };
        lock(&self.index).insert(key, item.bytes, version);
        Ok(())
    }

    /// A manifest is made only where there is none, or in place of the one that this run knows. Of
    /// several workers that have one task, the last one counts.
    fn put_manifest(&self, key: &str, content: &Bytes) -> Result<Version> {
        let bucket = &self.remote.bucket;
        if !self.leads {
            return match bucket.put(key, content, &When::Always)? {
                Put::Done(version) => Ok(version),
                Put::Refused => Err(anyhow!("`{}` was refused", bucket.address(key))),
            };
        }
        let index = lock(&self.index);
        let is_known = index.version(key).is_some() || index.absent(key).is_some();
        drop(index);
        let when = match is_known {
            // Some stores tell versions by what a list does not have.
            true => match bucket.get(key)? {
                Some(there) => When::Is(there.version),
                None => When::Absent,
            },
            false => When::Absent,
        };
        match bucket.put(key, content, &when)? {
            Put::Done(version) => Ok(version),
            Put::Refused => Err(anyhow!(
                "`{}` was written by another run of the job",
                bucket.address(key)
            )),
        }
    }

    /// A thread that sends what grows, and looks for a request to stop, until the end.
    fn keep(&self) {
        let mut since = Duration::ZERO;
        loop {
            let state = lock(&self.state);
            let goes_on = |state: &mut State| !state.has_ended && state.failed.is_none();
            let (state, _) = self
                .changed
                .wait_timeout_while(state, LOOK, goes_on)
                .unwrap_or_else(PoisonError::into_inner);
            if state.has_ended || state.failed.is_some() {
                return;
            }
            drop(state);
            since += LOOK;
            if !self.is_held() {
                self.fail("another run may have taken it over: its lock could not be renewed");
                return;
            }
            self.look_for_request();
            if since >= PAUSE {
                since = Duration::ZERO;
                if let Err(error) = self.push_grown(false) {
                    tracing::warn!("{error:#}");
                }
            }
        }
    }

    /// Hands a request to stop, which somebody has put into the bucket, to the job.
    fn look_for_request(&self) {
        let path = RunPaths::new(&self.remote.root).stop_request();
        let Some(key) = self.remote.key(&path) else {
            return;
        };
        if path.exists() {
            return;
        }
        match self.remote.bucket.get(&key) {
            Ok(Some(request)) => {
                let written = Storage::temporary().replace(&path, &request.bytes);
                let version = request.version;
                lock(&self.index).insert(&key, request.bytes.len() as u64, version);
                if let Err(error) = written {
                    tracing::warn!("{error:#}");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::debug!("{error}"),
        }
    }
}

impl Hook for Arc<Shared> {
    fn bring(&self, path: &Path) -> io::Result<()> {
        match self.remote.key(path) {
            Some(key) => pull::bring(&self.remote, &self.index, &key).map_err(io::Error::other),
            None => Ok(()),
        }
    }

    fn committed(&self, path: &Path) -> io::Result<()> {
        let Some(key) = self.remote.key(path) else {
            return Ok(());
        };
        let Some(kind) = RunPaths::mirrored_as(&key) else {
            return Ok(());
        };
        let bytes = path.metadata()?.len();
        let content = match kind {
            Kind::Data => None,
            _ if bytes <= SMALL => Some(Bytes::from(read_regular(path, SMALL)?)),
            _ => None,
        };
        self.push(Item::new(key, kind, content, bytes))
            .map_err(io::Error::other)
    }

    fn removed(&self, path: &Path) -> io::Result<()> {
        match self.remote.key(path) {
            Some(key) if self.has(&key) => self
                .push(Item::new(key, Kind::Removal, None, 0))
                .map_err(io::Error::other),
            _ => Ok(()),
        }
    }

    fn knows(&self, path: &Path) -> bool {
        self.remote.key(path).is_some_and(|key| self.has(&key))
    }
}

impl Shared {
    /// Whether the bucket has or gets an object of this name.
    fn has(&self, key: &str) -> bool {
        let index = lock(&self.index);
        let is_there = index.version(key).is_some() || index.absent(key).is_some();
        drop(index);
        is_there || lock(&self.state).queue.has(key)
    }
}
