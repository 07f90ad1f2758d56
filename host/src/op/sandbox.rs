//! What a guest sees of the world: nothing. No files, network, environment, arguments or input; fixed clocks, random numbers from the job's
//! seed; memory up to its limit. What it prints goes to the job's log.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{SeedableRng, TryRng};
use tokio::io::AsyncWrite;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// What guests take for today: 2000-01-01T00:00:00Z. The real time would make a resumed job differ from an undisturbed one.
const WALL_CLOCK: Duration = Duration::from_secs(946_684_800);
/// Lines that one instance may write to the log; the rest is counted and dropped.
const MAX_LINES: usize = 100;
/// Bytes of an unfinished line that are kept.
const MAX_LINE: usize = 4096;

/// The state of one store.
pub(super) struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    pub(super) limiter: Limiter,
    pub(super) random: SharedRandom,
    pub(super) printed: Printed,
}

impl Guest {
    /// A guest that may use `memory` bytes of linear memory and whose log lines are marked `name`.
    pub(super) fn new(name: &str, memory: usize, seed: u64) -> Self {
        let random = SharedRandom::new(seed);
        let printed = Printed::new(name);
        let mut wasi = WasiCtxBuilder::new();
        wasi.wall_clock(FixedClock).monotonic_clock(CountingClock::default());
        wasi.secure_random(random.clone()).insecure_random(random.clone()).insecure_random_seed(u128::from(seed));
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        wasi.stdout(printed.clone()).stderr(printed.clone());
        Self {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            limiter: Limiter { memory, refused: None, peak: 0, used: 0 },
            random,
            printed,
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Bounds linear memory and tables, over all memories of the instance, and remembers what it refused: the guest only sees a failed
/// allocation and traps with `unreachable`.
pub(super) struct Limiter {
    memory: usize,
    used: usize,
    pub(super) peak: usize,
    pub(super) refused: Option<usize>,
}

/// Entries of all tables together; a Rust or C component has a few hundred, one for each function whose address is taken.
const MAX_TABLE: usize = 1 << 20;

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.used.saturating_sub(current).saturating_add(desired);
        if after > self.memory {
            self.refused = Some(after);
            return Ok(false);
        }
        self.used = after;
        self.peak = self.peak.max(after);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE)
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

/// Rises by a microsecond each time it is read, so that a guest which waits for it comes to an end.
#[derive(Default)]
struct CountingClock(std::sync::atomic::AtomicU64);

impl HostMonotonicClock for CountingClock {
    fn resolution(&self) -> u64 {
        1000
    }
    fn now(&self) -> u64 {
        self.0.fetch_add(1000, std::sync::atomic::Ordering::Relaxed)
    }
}

/// Random numbers that depend on the job's seed and the rows in the batch only; the instance reseeds it before each call.
#[derive(Clone)]
pub(super) struct SharedRandom(Arc<Mutex<SmallRng>>);

impl SharedRandom {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))))
    }

    pub(super) fn reseed(&self, seed: u64) {
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
        self.0.lock().expect("no panic while held").try_fill_bytes(dst)
    }
}

/// What the guest prints: whole lines to the job's log, the last one kept to explain a trap (a Rust guest prints its panic message).
#[derive(Clone)]
pub(super) struct Printed {
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
        Self { name: name.into(), state: Arc::default() }
    }

    /// The last few lines, joined, and forgets them.
    pub(super) fn take_tail(&self) -> String {
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
