//! What a guest sees of the world: only what is granted. No other files or environment, no network,
//! arguments or input; fixed clocks, random numbers from the job's seed; memory up to its limit.
//! Its output goes to the job's log.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{SeedableRng, TryRng};
use tokio::io::AsyncWrite;
use wasmtime::ResourceLimiter;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult, subscribe};
use wasmtime_wasi::{FsPerms, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::grants::{GrantedModel, Grants};
use super::services;

/// The date that guests see: 2000-01-01T00:00:00Z. The real time would make a resumed job differ
/// from an undisturbed one.
const WALL_CLOCK: Duration = Duration::from_secs(946_684_800);
/// Start of the monotonic clock, in ns: a guest may subtract some seconds without falling below 0.
const START: u64 = 1_000_000_000_000;
/// Streams, pollables and the like that one instance may hold; they occupy the host's memory.
const MAX_RESOURCES: usize = 10_000;
/// The same for an instance that may read files: each handle may hold one of the host's file
/// descriptors, of which the process has 1,024.
const MAX_HANDLES: usize = 64;
/// Lines that one instance may write to the log; further ones are counted and dropped.
const MAX_LINES: usize = 100;
/// Bytes kept of an unfinished line.
const MAX_LINE: usize = 4096;

/// The state of one store.
pub(crate) struct Guest {
    wasi: WasiCtx,
    pub(super) table: ResourceTable,
    clock: u64,
    pub(super) models: Vec<GrantedModel>,
    /// Whether its calls end at the deadline.
    pub(super) interruptible: bool,
    /// The CPU time of the calling thread at which the call must end.
    pub(crate) deadline: Duration,
    pub(crate) limiter: Limiter,
    pub(crate) random: SharedRandom,
    pub(crate) printed: Printed,
}

impl Guest {
    /// A guest that may use `memory` bytes of linear memory and what `grants` allows. Its log lines
    /// are marked `name`. Fails if a granted directory is missing.
    pub(crate) fn new(
        name: &str,
        memory: usize,
        grants: &Grants,
        seed: u64,
        interruptible: bool,
    ) -> anyhow::Result<Self> {
        let random = SharedRandom::new(seed);
        let printed = Printed::new(name);
        let mut wasi = WasiCtxBuilder::new();
        wasi.wall_clock(FixedClock);
        wasi.secure_random(random.clone())
            .insecure_random(random.clone())
            .insecure_random_seed(u128::from(seed));
        wasi.allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        wasi.stdout(printed.clone()).stderr(printed.clone());
        for (name, value) in &grants.env {
            wasi.env(name, value);
        }
        for dir in &grants.dirs {
            wasi.preopened_dir(&dir.host, &dir.guest, FsPerms::ReadOnly)
                .map_err(|e| {
                    anyhow::anyhow!(
                        "the granted directory `{}` cannot be opened: {e:#}",
                        dir.host.display()
                    )
                })?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(if grants.dirs.is_empty() {
            MAX_RESOURCES
        } else {
            MAX_HANDLES + grants.dirs.len()
        });
        Ok(Self {
            wasi: wasi.build(),
            table,
            clock: START,
            models: grants.models.clone(),
            interruptible,
            deadline: Duration::ZERO,
            limiter: Limiter {
                memory,
                refused: None,
                peak: 0,
                used: 0,
                elements: 0,
            },
            random,
            printed,
        })
    }

    /// Resets the monotonic clock: what a guest sees must not depend on earlier batches.
    pub(crate) fn start_clock(&mut self) {
        self.clock = START;
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Bounds memory and tables, summed over those of the instance, and remembers what it refused: the
/// guest only sees a failed allocation and traps with `unreachable`.
pub(crate) struct Limiter {
    memory: usize,
    used: usize,
    elements: usize,
    pub(crate) peak: usize,
    pub(crate) refused: Option<usize>,
}

/// Entries of all tables together; a Rust or C component has a few hundred, one for each function
/// whose address is taken.
const MAX_TABLE: usize = 1 << 20;

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let after = self.used.saturating_sub(current).saturating_add(desired);
        if after > self.memory {
            self.refused = Some(after);
            return Ok(false);
        }
        self.used = after;
        self.peak = self.peak.max(after);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let after = self
            .elements
            .saturating_sub(current)
            .saturating_add(desired);
        let fits = after <= MAX_TABLE;
        if fits {
            self.elements = after;
        }
        Ok(fits)
    }
}

struct FixedClock;

impl HostWallClock for FixedClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }
    fn now(&self) -> Duration {
        WALL_CLOCK
    }
}

/// The guest's monotonic clock. It advances by a microsecond each time it is read, and by the time
/// that the guest wants to sleep, so waiting for it ends at once. WASI's own clock would block the
/// host's thread, where no time limit reaches it.
pub(crate) struct Clock<'a> {
    now: &'a mut u64,
    table: &'a mut ResourceTable,
}

impl HasData for Clock<'static> {
    type Data<'a> = Clock<'a>;
}

impl monotonic_clock::Host for Clock<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        *self.now = self.now.saturating_add(1000);
        Ok(*self.now)
    }
    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1000)
    }
    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        *self.now = when.max(*self.now);
        let ready = self.table.push(Elapsed)?;
        subscribe(self.table, ready)
    }
    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_instant(self.now.saturating_add(duration))
    }
}

/// A time that has passed.
struct Elapsed;

#[wasmtime_wasi::async_trait]
impl Pollable for Elapsed {
    async fn ready(&mut self) {}
}

/// Links what guests may call: all of WASI 0.2, with [`Clock`] in place of its clock, and the host's
/// services. None grants anything by itself.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Guest, Clock<'static>>(linker, |guest| Clock {
        now: &mut guest.clock,
        table: &mut guest.table,
    })?;
    linker.allow_shadowing(false);
    services::link(linker)
}

/// Random numbers that depend only on the job's seed and the rows in the batch; the instance
/// reseeds it before each call.
#[derive(Clone)]
pub(crate) struct SharedRandom(Arc<Mutex<SmallRng>>);

impl SharedRandom {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))))
    }

    pub(crate) fn reseed(&self, seed: u64) {
        *self.0.lock().expect("no panic while held") = SmallRng::seed_from_u64(seed);
    }
}

impl TryRng for SharedRandom {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.lock().expect("no panic while held").try_next_u32()
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.lock().expect("no panic while held").try_next_u64()
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0
            .lock()
            .expect("no panic while held")
            .try_fill_bytes(dst)
    }
}

/// The guest's output: whole lines go to the job's log, and the last ones are kept to explain a
/// trap (a Rust guest prints its panic message).
#[derive(Clone)]
pub(crate) struct Printed {
    name: Arc<str>,
    state: Arc<Mutex<PrintedState>>,
}

#[derive(Default)]
struct PrintedState {
    line: Vec<u8>,
    tail: Vec<String>,
    lines: usize,
}

impl Printed {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            state: Arc::default(),
        }
    }

    /// Takes the last few lines, joined.
    pub(crate) fn take_tail(&self) -> String {
        let mut state = self.state.lock().expect("no panic while held");
        if !state.line.is_empty() {
            let line = std::mem::take(&mut state.line);
            state.tail.push(String::from_utf8_lossy(&line).into_owned());
        }
        std::mem::take(&mut state.tail).join(" ")
    }

    fn push(&self, bytes: &[u8]) {
        let mut state = self.state.lock().expect("no panic while held");
        for part in bytes.split_inclusive(|b| *b == b'\n') {
            let room = MAX_LINE.saturating_sub(state.line.len());
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            state.line.extend_from_slice(&text[..text.len().min(room)]);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut state.line);
                let line = String::from_utf8_lossy(&line).into_owned();
                state.lines += 1;
                if state.lines <= MAX_LINES {
                    tracing::info!(target: "djhost::guest", op = %self.name, "{}", line.escape_debug());
                } else if state.lines == MAX_LINES + 1 {
                    tracing::warn!(target: "djhost::guest", op = %self.name, "prints too much; its further lines are dropped");
                }
                if state.tail.len() == 4 {
                    state.tail.remove(0);
                }
                state.tail.push(line);
            }
        }
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

impl OutputStream for Printed {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}
