//! The lease of a run directory in a bucket: at most one attempt holds it.
//!
//! It is an object that is made only if there is none, and replaced only as it was last seen. Its
//! holder renews it. Another machine's clock is never believed: how old the lease is, is the
//! difference of two times of the store, or how long it has been seen unchanged.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::error::{Stopped, UserError};
use crate::remote::{Bucket, Got, Put, Version, When};
use crate::rundir::events::now;
use crate::rundir::lock::{Holder, Liveness};
use crate::rundir::paths::RunPaths;
use crate::rundir::process::ProcessId;
use crate::rundir::stop_request::StopFlag;
use crate::threads::inherit;

/// Version of the content of the lease.
const FORMAT_VERSION: u32 = 1;

/// How long a lease is good after it was renewed, in seconds.
const SECONDS: u64 = 60;

/// How often one that waits looks at it.
const LOOK: Duration = Duration::from_millis(500);

/// The content of the object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Content {
    format_version: u32,
    /// Tells this holder from all others.
    nonce: String,
    /// How often it was renewed, so that no two versions are alike.
    serial: u64,
    /// Who holds it.
    pub(super) holder: Holder,
    /// The process namespace of the holder: its process id means nothing in another one.
    namespace: String,
    /// How long it is good after it was written.
    seconds: u64,
    /// Until when, by the clock of the holder: for people.
    until: f64,
    /// The holder has given it back.
    released: bool,
}

impl Content {
    fn parse(got: &Got, bucket: &Bucket) -> Result<Self> {
        let address = bucket.address(RunPaths::LOCK);
        let content: Self = serde_json::from_slice(&got.bytes).map_err(|e| {
            UserError::new(
                address.to_string(),
                format!("this object is not the lock of a run directory: {e}"),
            )
            .hint("choose another `work_dir` or `job_id`, or remove the object if no job runs here")
        })?;
        if content.format_version > FORMAT_VERSION {
            let version = content.format_version;
            anyhow::bail!(
                "`{address}` has format version {version}, this program knows {FORMAT_VERSION}"
            );
        }
        Ok(content)
    }

    /// Whether its holder was a process of this machine that has ended.
    fn is_dead_here(&self) -> bool {
        let here = ProcessId::current();
        self.holder.process.boot_id == here.boot_id
            && !here.boot_id.is_empty()
            && self.namespace == namespace()
            && !self.holder.process.is_alive()
    }

    /// After which time without a renewal its holder has stopped, for certain.
    fn grace(&self) -> Duration {
        Duration::from_secs(self.seconds + self.seconds / 6 + 1)
    }

    fn is_free(&self, age: Option<Duration>, unchanged: Duration) -> bool {
        self.released
            || self.is_dead_here()
            || age.is_some_and(|age| age > self.grace())
            || unchanged > self.grace()
    }
}

/// A text that nobody else has.
pub(super) fn nonce() -> String {
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

fn namespace() -> String {
    std::fs::read_link("/proc/self/ns/pid")
        .map(|link| link.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Time since the machine was started, also while it slept.
fn clock() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn seconds() -> u64 {
    let given = std::env::var("DJHOST_TEST_LEASE_SECONDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(SECONDS)
}

/// A lease that this process has taken. Renewed by a thread until it is dropped or released.
pub(super) struct Lease {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    bucket: Bucket,
    /// Held while the content is written.
    writing: Mutex<()>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    content: Content,
    version: Version,
    /// By [`clock`], when the last renewal that the store has confirmed was asked for.
    renewed: Duration,
    is_lost: bool,
    has_ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the content anew.
    fn write(&self, change: impl FnOnce(&mut Content)) -> Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (content, version) = {
            let mut state = self.lock();
            change(&mut state.content);
            state.content.serial += 1;
            state.content.until = now() + state.content.seconds as f64;
            (state.content.clone(), state.version.clone())
        };
        let asked = clock();
        let bytes = Bytes::from(serde_json::to_vec(&content)?);
        let put = self
            .bucket
            .put(RunPaths::LOCK, &bytes, &When::Is(version))?;
        let mut state = self.lock();
        match put {
            Put::Done(version) => {
                state.version = version;
                state.renewed = asked;
            }
            Put::Refused => state.is_lost = true,
        }
        Ok(())
    }

    fn keep(&self) {
        loop {
            let state = self.lock();
            let pause = Duration::from_secs(state.content.seconds) / 6;
            let (state, _) = self
                .changed
                .wait_timeout_while(state, pause, |state| !state.has_ended)
                .unwrap_or_else(PoisonError::into_inner);
            if state.has_ended || state.is_lost {
                return;
            }
            drop(state);
            if let Err(error) = self.write(|_| ()) {
                tracing::warn!("the lock of the run directory is not renewed: {error:#}");
            }
        }
    }
}

impl Lease {
    /// Takes the lease of the run directory in `bucket` for `holder`. Where another machine has it
    /// and may have died, waits until that is certain. Fails with a [`UserError`] that says who runs
    /// the job.
    pub(super) fn take(bucket: &Bucket, holder: &Holder, stop: &StopFlag) -> Result<Self> {
        let mut content = Content {
            format_version: FORMAT_VERSION,
            nonce: nonce(),
            serial: 0,
            holder: holder.clone(),
            namespace: namespace(),
            seconds: seconds(),
            until: 0.0,
            released: false,
        };
        let mut seen: Option<(Version, Instant)> = None;
        loop {
            let there = bucket.get(RunPaths::LOCK)?;
            let earlier = there.as_ref().map(|got| Content::parse(got, bucket));
            let earlier = earlier.transpose()?;
            let when = match (&there, &earlier) {
                (Some(got), Some(earlier)) => {
                    let since = match &seen {
                        Some((version, since)) if *version == got.version => *since,
                        // It was renewed while we looked.
                        Some(_) if !earlier.released => return Err(running(bucket, earlier)),
                        _ => Instant::now(),
                    };
                    if !earlier.is_free(got.age, since.elapsed()) {
                        if seen.is_none() {
                            say_waiting(bucket, earlier, got.age);
                        }
                        seen = Some((got.version.clone(), since));
                        if stop.requested() {
                            return Err(Stopped.into());
                        }
                        std::thread::sleep(LOOK);
                        continue;
                    }
                    When::Is(got.version.clone())
                }
                _ => When::Absent,
            };
            content.holder.attempt = earlier.as_ref().map_or(0, |earlier| earlier.holder.attempt);
            content.until = now() + content.seconds as f64;
            let asked = clock();
            let bytes = Bytes::from(serde_json::to_vec(&content)?);
            if let Put::Done(version) = bucket.put(RunPaths::LOCK, &bytes, &when)? {
                return Self::start(bucket, content, version, asked);
            }
            // Another one was quicker.
            let now = bucket.get(RunPaths::LOCK)?;
            if let Some(got) = now {
                let quicker = Content::parse(&got, bucket)?;
                if !quicker.released {
                    return Err(running(bucket, &quicker));
                }
            }
            seen = None;
        }
    }

    fn start(
        bucket: &Bucket,
        content: Content,
        version: Version,
        renewed: Duration,
    ) -> Result<Self> {
        let shared = Arc::new(Shared {
            bucket: bucket.clone(),
            writing: Mutex::new(()),
            state: Mutex::new(State {
                content,
                version,
                renewed,
                is_lost: false,
                has_ended: false,
            }),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("djhost-lease".to_owned())
            .spawn(inherit(move || theirs.keep()))
            .context("cannot start a thread")?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Number of the last attempt that is known.
    pub(super) fn attempt(&self) -> u32 {
        self.shared.lock().content.holder.attempt
    }

    /// Writes who holds it.
    pub(super) fn set_holder(&self, holder: &Holder) -> Result<()> {
        let holder = holder.clone();
        self.shared.write(|content| content.holder = holder)
    }

    /// Whether it is certain that nobody else has it.
    pub(super) fn is_held(&self) -> bool {
        let state = self.shared.lock();
        let good = Duration::from_secs(state.content.seconds) * 11 / 12;
        !state.is_lost && clock().saturating_sub(state.renewed) < good
    }

    /// Gives it back.
    pub(super) fn release(&mut self) {
        self.end();
        if self.is_held()
            && let Err(error) = self.shared.write(|content| content.released = true)
        {
            tracing::warn!("the lock of the run directory is not given back: {error:#}");
        }
    }

    fn end(&mut self) {
        self.shared.lock().has_ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.end();
    }
}

fn running(bucket: &Bucket, content: &Content) -> anyhow::Error {
    let (address, holder) = (bucket.address(""), &content.holder);
    let (pid, host) = (holder.process.pid, &holder.host);
    UserError::new(
        address.to_string(),
        format!("this job is already run by process {pid} on `{host}`"),
    )
    .hint(format!(
        "watch it with `djhost monitor {address}`, stop it with `djhost stop {address}`"
    ))
    .into()
}

fn say_waiting(bucket: &Bucket, content: &Content, age: Option<Duration>) {
    let left = content.grace().saturating_sub(age.unwrap_or_default());
    tracing::warn!(
        "process {} on `{}` had `{}` until {} s ago and may have died: waiting for at most {} s",
        content.holder.process.pid,
        content.holder.host,
        bucket.address(""),
        age.unwrap_or_default().as_secs(),
        left.as_secs() + 1
    );
}

/// Who holds a lease, as one who only looks can tell.
#[derive(Default)]
pub(super) struct Watched {
    seen: Option<(Version, Instant)>,
}

impl Watched {
    pub(super) fn look(&mut self, bucket: &Bucket) -> Result<Liveness> {
        let Some(got) = bucket.get(RunPaths::LOCK)? else {
            return Ok(Liveness::Free(None));
        };
        let content = Content::parse(&got, bucket)?;
        let since = match &self.seen {
            Some((version, since)) if *version == got.version => *since,
            _ => Instant::now(),
        };
        self.seen = Some((got.version.clone(), since));
        let holder = Some(content.holder.clone());
        Ok(match content.is_free(got.age, since.elapsed()) {
            true => Liveness::Free(holder),
            false => Liveness::Held(holder),
        })
    }
}
