//! Compiles somebody else's component in a separate process with limits on memory and time, because
//! a function's size does not bound what a compiler makes of a hostile one.
//!
//! The process is the djhost program itself, called with [`COMMAND`]. It reads the component from
//! standard input and writes the compiled one to standard output. Another program that uses this
//! crate has no such command and does not call [`compile_with`], so it must not be started in
//! djhost's place: it compiles in its own process, within the bounds of [`bounds`](super::bounds)
//! alone.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
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

/// Memory for a component of 0 bytes; each byte adds some. Python's 19 MB take 0.5 GB.
const MEMORY: u64 = 1 << 30;
const MEMORY_PER_BYTE: u64 = 64;
/// CPU seconds for a component of 0 bytes; each MB adds some. Python's 19 MB take 8 s.
const SECONDS: u64 = 30;
const SECONDS_PER_MB: u64 = 5;
/// Wall time limit as a multiple of the CPU time limit: ends a process that waits for something.
const PATIENCE: u32 = 4;
/// Threads that compile. Each reserves address space, used or not.
const MAX_THREADS: usize = 16;
/// Address space beyond the memory limit: for threads, and the program itself.
const RESERVED: u64 = 8 << 30;
/// How much of a failed process's output is read, in bytes.
const MAX_WORDS: u64 = 16 << 10;

static PROGRAM: OnceLock<Vec<OsString>> = OnceLock::new();

/// Makes `command`, a program with its first arguments, compile the components of plugins from now
/// on, in a process of its own for each, and run tasks, if a recipe has `worker_processes`. It is
/// called with further arguments, which it has to give to [`cli::main`](crate::cli::main) of this
/// version of djhost. The djhost program calls this for itself at start. Only the first call in a
/// process counts; without one, components are compiled in the process itself, and
/// `worker_processes` is refused.
pub fn compile_with(command: Vec<OsString>) {
    let _ = PROGRAM.set(command);
}

/// The program that [`compile_with`] named, with its first arguments: it takes those of djhost.
pub(crate) fn program() -> Option<&'static [OsString]> {
    PROGRAM.get().map(Vec::as_slice)
}

/// The running program, even if its file was replaced.
pub(crate) fn this_program() -> Option<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() {
        Some(own)
    } else {
        std::env::current_exe().ok()
    }
}

/// Compiles an untrusted component. `engine` must be that of [`engine::engine`] with interruption.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>> {
    match PROGRAM.get() {
        Some(command) => {
            // One at a time: each uses all cores, and a machine must have the memory of one to
            // spare.
            static ONE: Mutex<()> = Mutex::new(());
            let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
            in_child(command, bytes)
        }
        None => Ok(engine.precompile_component(bytes)?),
    }
}

/// Limits of a compiling process.
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

fn in_child(command: &[OsString], bytes: &[u8]) -> Result<Vec<u8>> {
    let (program, first) = command.split_first().context("the compiler has no name")?;
    let allowed = Allowed::for_bytes(bytes.len());
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS);
    let mut child = Command::new(program)
        .args(first)
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
        .with_context(|| {
            format!(
                "the compiler `{}` cannot be started",
                Path::new(program).display()
            )
        })?;
    let (mut input, mut output, errors) =
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(input), Some(output), Some(errors)) => (input, output, errors),
            _ => return Err(anyhow!("the compiler has no standard streams")),
        };
    std::thread::scope(|scope| {
        // A compiler that ends early does not read everything; its exit status says why.
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

/// Waits for the child. Returns None if it was ended after `limit`.
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

/// Explains why the compiler failed.
fn why(status: ExitStatus, words: &str, allowed: Allowed) -> String {
    use std::os::unix::process::ExitStatusExt;
    // The messages of the allocator, the system and the engine when memory runs out.
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

/// The work of the process: sets the limits, then reads. Returns the exit code.
pub(crate) fn compile_stdin(memory: u64, seconds: u64) -> Result<u8> {
    // A killed djhost leaves no compiler running.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // Address space is reserved in large pieces and mostly unused; the data limit counts writable
    // memory.
    limit(Resource::Data, memory, memory)?;
    limit(
        Resource::As,
        memory.saturating_add(RESERVED),
        memory.saturating_add(RESERVED),
    )?;
    // The signal of the first limit says why; that of the second could come from any kill.
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
            // A closed pipe: nobody is listening.
            let _ = write!(std::io::stderr().lock(), "{error:#}");
            Ok(crate::error::exit::FAILED)
        }
    }
}

/// Lowers a limit; keeps one that is lower already.
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
