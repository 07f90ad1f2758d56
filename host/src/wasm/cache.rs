//! Compiled components on disk. Compiling takes about a second per megabyte; loading the result
//! takes a few milliseconds.
//!
//! What is loaded runs as machine code of this process. So the cache uses no directory and no file
//! that another user could have written.

use std::collections::BTreeSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags};
use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::compiling::AtWork;
use crate::rundir::Storage;

/// How a file is laid out: the code, as wasmtime maps it, then 16 bytes of checksum. Part of the
/// file's name.
const LAYOUT: u8 = 2;
/// Length of the checksum.
const SUM: usize = 16;
/// How much of a file is read at once, in bytes.
const READ_BYTES: usize = 64 << 10;

/// The directory of compiled components: in `$DJHOST_CACHE_DIR`, else `$XDG_CACHE_HOME/djhost`, else
/// `~/.cache/djhost`. `None` if none of these variables is set.
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

/// Why the cache is refused, for the user. Set when it is first opened.
static REFUSED: OnceLock<String> = OnceLock::new();

/// Why this process refuses the cache; `None` while nothing is wrong with it.
pub(crate) fn problem() -> Option<&'static str> {
    REFUSED.get().map(String::as_str)
}

/// Files of the cache that components of this process came from, or went to.
static USED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The files of the cache that hold what this process has loaded.
pub(crate) fn compiled_components() -> Vec<PathBuf> {
    let used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    used.iter().filter(|path| path.exists()).cloned().collect()
}

/// Loads the component with this `digest` from the cache, if it was compiled before with the same
/// settings and version of wasmtime. Otherwise calls `compile`, which compiles it for `engine`, and
/// stores the result. A cache that cannot be used costs time, and is no error.
pub(crate) fn load(
    engine: &Engine,
    digest: &str,
    compile: impl FnOnce() -> Result<Vec<u8>>,
) -> Result<Component> {
    // The name says what was compiled, and for what: the component's digest, and wasmtime's own hash
    // of its version and settings.
    let mut hasher = DefaultHasher::new();
    LAYOUT.hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let stem = format!("{digest}-{:016x}", hasher.finish());
    let cache = directory().and_then(|path| match Cache::open(path) {
        Ok(cache) => Some(cache),
        Err(error) => {
            tracing::debug!("no cache of compiled components: {error:#}");
            None
        }
    });
    if let Some(cache) = &cache {
        let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert(cache.path.join(format!("{stem}.cwasm")));
    }
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
    // SAFETY: `compile` just got these bytes from `precompile_component` of an engine with the same
    // settings, in this process or in another one of this program. wasmtime checks version and
    // settings again.
    Ok(unsafe { Component::deserialize(engine, &compiled) }?)
}

/// The directory, held open: replacing it afterwards has no effect on this process.
struct Cache {
    dir: OwnedFd,
    path: PathBuf,
}

impl Cache {
    /// Opens the directory; creates it if it is missing. Fails, and sets [`REFUSED`], if others can
    /// write to it.
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
        // If a pipe has this name, opening it must not block.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.dir, &name, flags, Mode::empty()).ok()?;
        if let Some(why) = not_ours(&file).ok()? {
            tracing::warn!("compiled component `{stem}` in the cache is not used, as {why}");
            return None;
        }
        // wasmtime checks only the header, and running native code with a flipped bit would be
        // undefined behaviour.
        let mut file = File::from(file);
        if !is_whole(&mut file).ok()? {
            tracing::warn!("compiled component `{stem}` in the cache is damaged; compiling again");
            return None;
        }
        // SAFETY: the file is what `write` below stored for this engine: its name says for which
        // engine, the checksum that it is whole, and `not_ours` that only this user can have written
        // it. It does not change while it is mapped, because `write` replaces files and changes
        // none. wasmtime checks version and settings again.
        let mapped = unsafe { Component::deserialize_file(engine, path_of(&file)) };
        mapped.ok().or_else(|| {
            // A file system that is mounted with `noexec` cannot be mapped as code.
            let mut code = Vec::new();
            file.rewind().ok()?;
            file.read_to_end(&mut code).ok()?;
            code.truncate(code.len().checked_sub(SUM)?);
            // SAFETY: as above.
            unsafe { Component::deserialize(engine, code) }.ok()
        })
    }

    fn write(&self, stem: &str, code: &[u8]) -> Result<()> {
        // The path leads through the open directory, whatever has its name by now.
        let path = path_of(&self.dir).join(format!("{stem}.cwasm"));
        let mut file = Storage::new().create_with_mode(&path, 0o600)?;
        file.write_all(code)?;
        file.write_all(&xxh3_128(code).to_le_bytes())?;
        // Not synced: if a power cut damages the file, the checksum shows it.
        file.commit_unsynced()
    }
}

/// A path to what is open, even if it was renamed or replaced.
fn path_of(open: &impl AsRawFd) -> PathBuf {
    Path::new("/proc/self/fd").join(open.as_raw_fd().to_string())
}

/// Whether the checksum at the end of the file is that of the code before it.
fn is_whole(file: &mut File) -> std::io::Result<bool> {
    let Some(code) = file.metadata()?.len().checked_sub(SUM as u64) else {
        return Ok(false);
    };
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut left = code;
    while left > 0 {
        let next = left.min(READ_BYTES as u64) as usize;
        file.read_exact(&mut buffer[..next])?;
        hash.update(&buffer[..next]);
        left -= next as u64;
    }
    let mut sum = [0; SUM];
    file.read_exact(&mut sum)?;
    Ok(hash.digest128().to_le_bytes() == sum)
}

/// Why another user could have written what is open; `None` if only this user and root could.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(bytes: &[u8]) -> bool {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        is_whole(&mut file).unwrap_or(false)
    }

    #[test]
    fn a_file_is_whole_or_it_is_not_used() {
        for size in [
            0,
            1,
            READ_BYTES - 1,
            READ_BYTES,
            READ_BYTES + 1,
            3 * READ_BYTES,
        ] {
            let mut file: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            file.extend(xxh3_128(&file).to_le_bytes());
            assert!(holds(&file), "{size}");
            for at in [0, size / 2, size, file.len() - 1] {
                let mut flipped = file.clone();
                flipped[at] ^= 16;
                assert!(!holds(&flipped), "{size}: a bit of byte {at}");
            }
            for cut in [SUM - 1, file.len() / 2, file.len() - 1] {
                assert!(!holds(&file[..cut]), "{size}: cut to {cut}");
            }
        }
    }
}
