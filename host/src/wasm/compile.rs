//! Compiling somebody else's component in a process of its own, which may use so much memory and
//! time and no more: what a compiler makes of a hostile function cannot be told from its size.
//!
//! The process is the djhost program itself, called with [`COMMAND`]. It reads the component from
//! its standard input and writes the compiled one to its standard output. Another program that uses
//! this crate has no such command, and must not be started in djhost's place: it compiles in its
//! own process, within the bounds of [`bounds`](super::bounds) alone, unless it calls
//! [`compile_with`].

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use super::engine;
use crate::sanitize::printable;

/// The hidden subcommand that compiles.
pub(crate) const COMMAND: &str = "compile-plugin";

/// Memory for a component of 0 bytes, and for each byte of one. 19 MB of Python take 0.5 GB.
const MEMORY: u64 = 1 << 30;
const MEMORY_PER_BYTE: u64 = 64;
/// CPU time for a component of 0 bytes, and for each MB of one, in seconds. 19 MB of Python take 8
/// s.
const SECONDS: u64 = 30;
const SECONDS_PER_MB: u64 = 5;
/// The process is ended when it has taken so many times its CPU time by the clock, as it does if it
/// waits for something.
const PATIENCE: u32 = 4;
/// Threads that compile. Each reserves address space, whether it uses it or not.
const MAX_THREADS: usize = 16;
/// Address space beyond the memory: for threads, and the program itself.
const RESERVED: u64 = 8 << 30;
/// Bytes of what the process says when it fails.
const MAX_WORDS: u64 = 16 << 10;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// From now on components of plugins are compiled by `program`, which is a djhost of this version:
/// the program calls it for itself when it starts. Only the first call counts.
pub(crate) fn compile_with(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// The program that runs now, as it is even after the file was replaced.
pub(crate) fn this_program() -> Option<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() {
        Some(own)
    } else {
        std::env::current_exe().ok()
    }
}

/// Compiles a component that nobody vouches for. `engine` is that of [`engine::engine`] with
/// interruption.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>> {
    match PROGRAM.get() {
        Some(program) => {
            // One at a time: each uses all cores, and the memory of one is what a machine must have
            // to spare.
            static ONE: Mutex<()> = Mutex::new(());
            let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
            in_child(program, bytes)
        }
        None => Ok(engine.precompile_component(bytes)?),
    }
}

/// What a process may use to compile a component.
#[derive(Clone, Copy)]
struct Allowed {
    memory: u64,
    seconds: u64,
}

impl Allowed {
    fn for_bytes(bytes: usize) -> Self {
        let bytes = bytes as u64;
        Self {
            memory: MEMORY + MEMORY_PER_BYTE * bytes,
            seconds: SECONDS + SECONDS_PER_MB * bytes.div_ceil(1_000_000),
        }
    }

    fn clock(self) -> Duration {
        Duration::from_secs(self.seconds) * PATIENCE
    }
}

fn in_child(program: &PathBuf, bytes: &[u8]) -> Result<Vec<u8>> {
    let allowed = Allowed::for_bytes(bytes.len());
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS);
    let mut child = Command::new(program)
        .args([
            COMMAND,
            &allowed.memory.to_string(),
            &allowed.seconds.to_string(),
        ])
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("the compiler `{}` cannot be started", program.display()))?;
    let (mut input, mut output, errors) =
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(input), Some(output), Some(errors)) => (input, output, errors),
            _ => return Err(anyhow!("the compiler has no standard streams")),
        };
    std::thread::scope(|scope| {
        // A compiler that ends early does not read all: why, its end says.
        scope.spawn(move || input.write_all(bytes));
        let compiled = scope.spawn(move || {
            let mut compiled = Vec::new();
            output.read_to_end(&mut compiled).map(|_| compiled)
        });
        let words = scope.spawn(move || {
            let mut words = Vec::new();
            let _ = errors.take(MAX_WORDS).read_to_end(&mut words);
            String::from_utf8_lossy(&words).into_owned()
        });
        let ended = wait(&mut child, allowed.clock());
        let compiled = compiled
            .join()
            .map_err(|_| anyhow!("the answer of the compiler cannot be read"))?;
        let words = words.join().unwrap_or_default();
        match ended? {
            Some(status) if status.success() => {
                compiled.context("the answer of the compiler cannot be read")
            }
            Some(status) => Err(anyhow!(why(status, &words, allowed))),
            None => Err(anyhow!(
                "it takes more than {} seconds",
                allowed.clock().as_secs()
            )),
        }
    })
}

/// How the child ended; None: it was ended after `limit`.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// Why the compiler gave nothing.
fn why(status: ExitStatus, words: &str, allowed: Allowed) -> String {
    use std::os::unix::process::ExitStatusExt;
    // What the allocator, the system and the engine say when there is no more memory.
    let memory = [
        "memory allocation of",
        "os error 12",
        "Cannot allocate memory",
        "out of memory",
    ];
    if memory.iter().any(|sign| words.contains(sign)) {
        return format!(
            "it takes more than {} MB of memory",
            allowed.memory / 1_000_000
        );
    }
    match status.signal() {
        Some(signal) if signal == rustix::process::Signal::XCPU.as_raw() => {
            format!("it takes more than {} seconds of CPU time", allowed.seconds)
        }
        Some(signal) if signal == rustix::process::Signal::KILL.as_raw() => {
            "the compiler was killed, as the system does when it has no more memory".to_owned()
        }
        Some(_) => format!(
            "the compiler broke down ({status}) {}",
            printable(words.trim())
        ),
        None => printable(words.trim()),
    }
}

/// What the process does: the limits are on before anything is read. Gives the exit code.
pub(crate) fn compile_stdin(memory: u64, seconds: u64) -> Result<u8> {
    // A killed djhost leaves no compiler behind.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // Address space is reserved in large pieces and mostly not used; data is what is really there
    // to be written to.
    limit(Resource::Data, memory, memory)?;
    limit(
        Resource::As,
        memory.saturating_add(RESERVED),
        memory.saturating_add(RESERVED),
    )?;
    // The signal at the first says why, the one at the second is that of everything that kills.
    limit(Resource::Cpu, seconds, seconds + 5)?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    match engine::engine(true)?.precompile_component(&bytes) {
        Ok(compiled) => {
            let mut out = std::io::stdout().lock();
            out.write_all(&compiled).and_then(|()| out.flush())?;
            Ok(crate::error::exit::DONE)
        }
        Err(error) => {
            // A closed pipe: nobody wants to know.
            let _ = write!(std::io::stderr().lock(), "{error:#}");
            Ok(crate::error::exit::FAILED)
        }
    }
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, soft: u64, hard: u64) -> Result<()> {
    let now = getrlimit(resource);
    let lower = |old: Option<u64>, to: u64| Some(old.map_or(to, |old| old.min(to)));
    Ok(setrlimit(
        resource,
        Rlimit {
            current: lower(now.current, soft),
            maximum: lower(now.maximum, hard),
        },
    )?)
}
