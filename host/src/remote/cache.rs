//! The user's cache, and remote files in it: what has to be a local file before it is read, such as
//! components and models.

use std::path::PathBuf;
#[cfg(feature = "remote")]
use std::path::{Component, Path};

use super::address::Address;
#[cfg(feature = "remote")]
use super::{Object, address::Scheme};
#[cfg(feature = "remote")]
use crate::error::UserError;
#[cfg(feature = "remote")]
use crate::threads::pool;

/// `$XDG_CACHE_HOME/djhost`, else `~/.cache/djhost`; None without either variable.
pub(crate) fn cache_home() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(home.join("djhost"))
}

/// A local file or directory with what is at an address.
pub(crate) struct Fetched {
    /// Must not be written to.
    pub(crate) path: PathBuf,
    /// Where it is from; of the hub, at which commit.
    pub(crate) address: Address,
}

/// Most files that are fetched of a directory.
#[cfg(feature = "remote")]
const MOST_FILES: usize = 100_000;
/// Files that are fetched at a time.
#[cfg(feature = "remote")]
const AT_ONCE: usize = 8;

/// Fetches the remote file at `address`, unless this version of it was fetched before; None if there
/// is none. A server that names no versions is believed if the size is the same. The error names no
/// place.
#[cfg(feature = "remote")]
pub(crate) fn fetch_to_cache(address: &Address) -> Result<Option<Fetched>, UserError> {
    let address = pinned(address).map_err(|e| e.at(""))?;
    let Some(object) = find(&address)? else {
        return Ok(None);
    };
    let path = fetch_all(&[(last_name(&address), object)])?.join(last_name(&address));
    Ok(Some(Fetched { path, address }))
}

/// Fetches remote files that are in one directory of a store into one local directory, which has
/// nothing else; as [`fetch_to_cache`]. One that is not there is a mistake: its number is returned
/// beside the error.
#[cfg(feature = "remote")]
pub(crate) fn fetch_files_to_cache(addresses: &[Address]) -> Result<PathBuf, (usize, UserError)> {
    let mut files = Vec::new();
    for (number, address) in addresses.iter().enumerate() {
        let found = pinned(address)
            .map_err(|e| e.at(""))
            .and_then(|address| find(&address))
            .and_then(|found| found.ok_or_else(|| absent(address, "there is no such file")));
        files.push((last_name(address), found.map_err(|error| (number, error))?));
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files.dedup_by(|a, b| a.0 == b.0);
    fetch_all(&files).map_err(|error| (0, error))
}

/// Returns a local directory with the remote files below `address` of which the name, from there, is
/// `wanted`; as [`fetch_to_cache`]. If there is a file at `address` itself, that is returned.
#[cfg(feature = "remote")]
pub(crate) fn fetch_dir_to_cache(
    address: &Address,
    wanted: impl Fn(&str) -> bool,
) -> Result<Fetched, UserError> {
    let at = |e: super::Failure| e.at("");
    let none = || absent(address, "there is no such file, and no such file below it");
    if address.scheme == Scheme::Http {
        return fetch_to_cache(address)?.ok_or_else(none);
    }
    let address = pinned(address).map_err(at)?;
    let prefix = address.key.trim_end_matches('/');
    let above = match prefix {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let mut listed = super::list(&address, prefix).map_err(at)?;
    // No server chooses where on this machine a file goes.
    let is_inside = |name: &&str| {
        let mut parts = Path::new(name).components();
        parts.all(|part| matches!(part, Component::Normal(_)))
    };
    listed.retain(|listed| {
        let name = listed.key.strip_prefix(&above).filter(is_inside);
        name.is_some_and(&wanted)
    });
    if listed.is_empty() {
        return fetch_to_cache(&address)?.ok_or_else(none);
    }
    if listed.len() > MOST_FILES {
        let message = format!("`{address}` has {} files below it", listed.len());
        return Err(UserError::new("", message).hint("name a directory with at most 100,000"));
    }
    let known = |listed: super::Listed| {
        let object = Object::known(address.beside(&listed.key), listed.bytes, listed.tag, true);
        let name = listed.key[above.len()..].to_owned();
        object.map(|object| (name, object)).map_err(at)
    };
    let files: Vec<_> = listed.into_iter().map(known).collect::<Result<_, _>>()?;
    let path = fetch_all(&files)?;
    Ok(Fetched { path, address })
}

/// The same file at the commit that the revision is now, if it is one of the hub.
#[cfg(feature = "remote")]
fn pinned(address: &Address) -> Result<Address, super::Failure> {
    match address.scheme {
        Scheme::Hub => super::hub::pin(address),
        _ => Ok(address.clone()),
    }
}

#[cfg(feature = "remote")]
fn find(address: &Address) -> Result<Option<Object>, UserError> {
    match Object::find(address.clone()) {
        Ok(object) => Ok(Some(object)),
        Err(e) if e.is_absence() => Ok(None),
        Err(e) => Err(e.at("")),
    }
}

#[cfg(feature = "remote")]
fn absent(address: &Address, what: &str) -> UserError {
    UserError::new("", format!("`{address}`: {what}"))
}

#[cfg(feature = "remote")]
fn last_name(address: &Address) -> String {
    let name = address.key.trim_end_matches('/').rsplit('/').next();
    name.unwrap_or_default().to_owned()
}

/// Returns the directory that has these versions of these files, under these names.
#[cfg(feature = "remote")]
fn fetch_all(files: &[(String, Object)]) -> Result<PathBuf, UserError> {
    use rayon::prelude::*;
    let dir = directory_of(files)?;
    let wrong = |e: anyhow::Error| UserError::new("", format!("{e:#}"));
    let threads = pool(AT_ONCE.min(files.len()), "djhost-fetch").map_err(wrong)?;
    threads.install(|| {
        files.par_iter().try_for_each(|(name, object)| {
            let written = write(&dir, name, object);
            written.map_err(|e| failed(object.address(), &e))
        })
    })?;
    Ok(dir)
}

#[cfg(feature = "remote")]
fn failed(address: &Address, error: &std::io::Error) -> UserError {
    UserError::new("", format!("`{address}` cannot be fetched: {error}"))
}

/// The directory of these versions of these files, under these names.
#[cfg(feature = "remote")]
fn directory_of(files: &[(String, Object)]) -> Result<PathBuf, UserError> {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for (name, object) in files {
        let (address, bytes) = (object.address(), object.bytes());
        let tag = object.tag().unwrap_or_default();
        digest.update(format!("{name}\n{address}\n{bytes}\n{tag}\n"));
    }
    let home = cache_home().ok_or_else(|| {
        UserError::new("", "there is no place for fetched files on this machine")
            .hint("set XDG_CACHE_HOME or HOME")
    })?;
    let name = hex::encode(&digest.finalize()[..16]);
    Ok(home.join("fetched").join(name))
}

/// Writes the file to `name` in `dir`, unless it is there.
#[cfg(feature = "remote")]
fn write(dir: &Path, name: &str, object: &Object) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let path = dir.join(name);
    let is_there = |meta: std::fs::Metadata| meta.is_file() && meta.len() == object.bytes();
    if path.symlink_metadata().is_ok_and(is_there) {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(dir);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)?;
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    std::io::copy(&mut object.read(), &mut file)?;
    // Its name and size are all that the next run looks at.
    file.as_file().sync_all()?;
    // Another process may have fetched it, too: the bytes are the same.
    file.persist(&path).map_err(|e| e.error)?;
    Ok(())
}

#[cfg(not(feature = "remote"))]
pub(crate) use super::without::{fetch_dir_to_cache, fetch_files_to_cache, fetch_to_cache};
