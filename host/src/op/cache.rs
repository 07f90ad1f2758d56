//! Compiled components on disk: compiling takes about a second per megabyte, loading the result less than a millisecond.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::xxh3_128;

use super::compiling::AtWork;

/// Where compiled components are kept: `$DJHOST_CACHE_DIR`, else `$XDG_CACHE_HOME/djhost`, else `~/.cache/djhost`. None = nowhere.
fn directory() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let root = set("DJHOST_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|d| d.join("djhost")))
        .or_else(|| set("HOME").map(|d| d.join(".cache").join("djhost")))?;
    Some(root.join("components"))
}

/// The component ready to run, from the cache if it was compiled before with the same engine settings and wasmtime version. A cache that
/// cannot be used only costs time.
pub(super) fn load(engine: &Engine, bytes: &[u8], digest: &str) -> Result<Component> {
    // The name says what it was compiled from and for: component digest, and wasmtime's own hash of version and settings.
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let stem = format!("{digest}-{:016x}", hasher.finish());
    let Some(dir) = directory() else {
        let _at_work = AtWork::start();
        return Ok(Component::new(engine, bytes)?);
    };
    if let Some(component) = read(engine, &dir, &stem) {
        return Ok(component);
    }
    let _at_work = AtWork::start();
    let compiled = engine.precompile_component(bytes)?;
    if let Err(error) = write(&dir, &stem, &compiled) {
        tracing::debug!("compiled component not cached: {error:#}");
    }
    // SAFETY: these bytes come from `precompile_component` of the same engine, a line above.
    Ok(unsafe { Component::deserialize(engine, &compiled) }?)
}

fn read(engine: &Engine, dir: &Path, stem: &str) -> Option<Component> {
    let bytes = std::fs::read(dir.join(format!("{stem}.cwasm"))).ok()?;
    // Native code with a flipped bit would be undefined behaviour, and wasmtime checks only the header: 16 bytes of checksum go before it.
    let (sum, code) = bytes.split_at_checked(16)?;
    if xxh3_128(code).to_le_bytes() != sum {
        tracing::warn!("compiled component `{stem}` in the cache is damaged; compiling again");
        return None;
    }
    // SAFETY: the file was written by `write` below from `precompile_component` (checksum), by this user (directory mode 0700), for this
    // engine (its name); wasmtime checks version and settings again.
    unsafe { Component::deserialize(engine, code) }.ok()
}

fn write(dir: &Path, stem: &str, code: &[u8]) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let mut temp = tempfile::NamedTempFile::new_in(dir)?;
    std::io::Write::write_all(&mut temp, &xxh3_128(code).to_le_bytes())?;
    std::io::Write::write_all(&mut temp, code)?;
    temp.persist(dir.join(format!("{stem}.cwasm")))?;
    Ok(())
}
