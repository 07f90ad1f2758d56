//! Compiled components on disk: compiling takes about a second per megabyte, loading the result
//! less than a millisecond.
//!
//! What is read there becomes machine code of this process, so a directory or file that somebody
//! else could have written is not used.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags};
use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::xxh3_128;

use super::compiling::AtWork;
use crate::rundir::Storage;

/// Where compiled components are kept: `$DJHOST_CACHE_DIR`, else `$XDG_CACHE_HOME/djhost`, else
/// `~/.cache/djhost`. None = nowhere.
fn directory() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let root = set("DJHOST_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|d| d.join("djhost")))
        .or_else(|| set("HOME").map(|d| d.join(".cache").join("djhost")))?;
    Some(root.join("components"))
}

/// Why the cache is not used, for the user, once it was tried.
static REFUSED: OnceLock<String> = OnceLock::new();

/// Why the cache is not used though there is one; None while nothing is wrong with it.
pub(crate) fn problem() -> Option<&'static str> {
    REFUSED.get().map(String::as_str)
}

/// The component ready to run, from the cache if it was compiled before with the same engine
/// settings and wasmtime version, else from what `compile` gives for this engine. A cache that
/// cannot be used only costs time.
pub(crate) fn load(
    engine: &Engine,
    digest: &str,
    compile: impl FnOnce() -> Result<Vec<u8>>,
) -> Result<Component> {
    // The name says what it was compiled from and for: component digest, and wasmtime's own hash of
    // version and settings.
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let stem = format!("{digest}-{:016x}", hasher.finish());
    let cache = directory().and_then(|path| match Cache::open(path) {
        Ok(cache) => Some(cache),
        Err(error) => {
            tracing::debug!("no cache of compiled components: {error:#}");
            None
        }
    });
    if let Some(component) = cache.as_ref().and_then(|cache| cache.read(engine, &stem)) {
        return Ok(component);
    }
    let _at_work = AtWork::start();
    let compiled = compile()?;
    if let Some(cache) = cache
        && let Err(error) = cache.write(&stem, &compiled)
    {
        let dir = cache.path.display();
        tracing::debug!("compiled component not cached in `{dir}`: {error:#}");
    }
    // SAFETY: these bytes come from `precompile_component` of an engine with the same settings,
    // here or in a process of the same program, a line above; wasmtime checks version and settings
    // again.
    Ok(unsafe { Component::deserialize(engine, &compiled) }?)
}

/// The directory, held open: whoever exchanges it afterwards changes nothing.
struct Cache {
    dir: OwnedFd,
    path: PathBuf,
}

impl Cache {
    /// Opens the directory, and makes it if need be. Fails if others can write to it, which the
    /// user is told.
    fn open(path: PathBuf) -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let open = || rustix::fs::open(&path, flags, Mode::empty());
        let dir = match open() {
            Err(rustix::io::Errno::NOENT) => {
                let made = std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&path);
                made.with_context(|| format!("cannot create {}", path.display()))?;
                open()
            }
            opened => opened,
        };
        let dir = dir.with_context(|| format!("cannot open {}", path.display()))?;
        if let Some(why) = not_ours(&dir)? {
            let text = format!(
                "the cache of compiled components `{}` is not used, as {why}: every start compiles anew. Make it yours alone (`chmod -R go-w`, \
                 `chown`), or set DJHOST_CACHE_DIR to a directory that is",
                path.display()
            );
            let _ = REFUSED.set(text);
            anyhow::bail!("{why}");
        }
        Ok(Self { dir, path })
    }

    fn read(&self, engine: &Engine, stem: &str) -> Option<Component> {
        let name = format!("{stem}.cwasm");
        // A pipe in its place must not make anybody wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.dir, &name, flags, Mode::empty()).ok()?;
        if let Some(why) = not_ours(&file).ok()? {
            tracing::warn!("compiled component `{stem}` in the cache is not used, as {why}");
            return None;
        }
        let mut bytes = Vec::new();
        File::from(file).read_to_end(&mut bytes).ok()?;
        // Native code with a flipped bit would be undefined behaviour, and wasmtime checks only the
        // header: 16 bytes of checksum go before it.
        let (sum, code) = bytes.split_at_checked(16)?;
        if xxh3_128(code).to_le_bytes() != sum {
            tracing::warn!("compiled component `{stem}` in the cache is damaged; compiling again");
            return None;
        }
        // SAFETY: only this user can have written the file (`not_ours`), which `write` below does
        // with what `precompile_component` gives (checksum) for this engine (its name); wasmtime
        // checks version and settings again.
        unsafe { Component::deserialize(engine, code) }.ok()
    }

    fn write(&self, stem: &str, code: &[u8]) -> Result<()> {
        // Through the open directory, whatever its name leads to by now.
        let dir = format!("/proc/self/fd/{}", self.dir.as_raw_fd());
        let path = Path::new(&dir).join(format!("{stem}.cwasm"));
        let mut file = Storage::new().create_with_mode(&path, 0o600)?;
        file.write_all(&xxh3_128(code).to_le_bytes())?;
        file.write_all(code)?;
        // What a power cut leaves of it the checksum tells.
        file.commit_unsynced()
    }
}

/// Why somebody else could have written what is open; None = nobody but the user (or the system's
/// administrator) could.
fn not_ours(file: impl AsFd) -> Result<Option<String>> {
    let stat = rustix::fs::fstat(file)?;
    let user = rustix::process::geteuid().as_raw();
    if stat.st_uid != user && stat.st_uid != 0 {
        return Ok(Some(format!("it belongs to user {}", stat.st_uid)));
    }
    if stat.st_mode & 0o022 != 0 {
        return Ok(Some(format!(
            "others can write to it (mode {:o})",
            stat.st_mode & 0o7777
        )));
    }
    Ok(None)
}
