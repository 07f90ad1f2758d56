//! The user's cache, and remote files in it: what has to be a local file before it is read, such as
//! components and models.

use std::path::PathBuf;

#[cfg(feature = "remote")]
use super::{Bucket, Object, address::Address};
#[cfg(feature = "remote")]
use crate::error::UserError;

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

/// Returns a local file with the bytes of the remote file at `address`, which is fetched unless this
/// version of it was fetched before. A server that names no versions is believed if the size is the
/// same. The file must not be written to. The error names no place.
#[cfg(feature = "remote")]
pub(crate) fn fetch_to_cache(address: &Address) -> Result<PathBuf, UserError> {
    let object = Object::find(address.clone()).map_err(|e| e.at(""))?;
    let name = address.key.rsplit('/').next().unwrap_or_default();
    let dir = fetched(&[(&address.text, object.bytes(), object.tag())])?;
    write(&dir, name, &object).map_err(|e| failed(address, &e))
}

/// Returns a local directory with the remote files below `address` of which the name, from there, is
/// `wanted`; as [`fetch_to_cache`]. If there is an object at `address` itself, returns that file.
#[cfg(feature = "remote")]
pub(crate) fn fetch_dir_to_cache(
    address: &Address,
    wanted: impl Fn(&str) -> bool,
) -> Result<PathBuf, UserError> {
    if !address.scheme.is_store() {
        return fetch_to_cache(address);
    }
    let at = |e: super::Failure| e.at("");
    let bucket = Bucket::new(address).map_err(at)?;
    let mut listed = bucket.list("", true).map_err(at)?;
    listed.retain(|listed| wanted(&listed.key));
    if listed.is_empty() {
        return match Object::find(address.clone()) {
            Ok(_) => fetch_to_cache(address),
            Err(e) if e.is_absence() => Err(UserError::new(
                "",
                format!("`{address}`: there is no such object, and no such file below it"),
            )),
            Err(e) => Err(at(e)),
        };
    }
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    let addresses: Vec<String> = listed
        .iter()
        .map(|listed| bucket.address(&listed.key).text)
        .collect();
    let versions: Vec<_> = listed
        .iter()
        .zip(&addresses)
        .map(|(listed, text)| (&**text, listed.bytes, listed.tag.as_deref()))
        .collect();
    let dir = fetched(&versions)?;
    for listed in &listed {
        let address = bucket.address(&listed.key);
        let object = Object::known(address.clone(), listed.bytes, listed.tag.clone(), true);
        let object = object.map_err(at)?;
        write(&dir, &listed.key, &object).map_err(|e| failed(&address, &e))?;
    }
    Ok(dir)
}

#[cfg(feature = "remote")]
fn failed(address: &Address, error: &std::io::Error) -> UserError {
    UserError::new("", format!("`{address}` cannot be fetched: {error}"))
}

/// The directory of these versions of these files.
#[cfg(feature = "remote")]
fn fetched(files: &[(&str, u64, Option<&str>)]) -> Result<PathBuf, UserError> {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for (address, bytes, tag) in files {
        digest.update(format!("{address}\n{bytes}\n{}\n", tag.unwrap_or_default()));
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
fn write(dir: &std::path::Path, name: &str, object: &Object) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let path = dir.join(name);
    let is_there = |meta: std::fs::Metadata| meta.is_file() && meta.len() == object.bytes();
    if path.symlink_metadata().is_ok_and(is_there) {
        return Ok(path);
    }
    let parent = path.parent().unwrap_or(dir);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)?;
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    std::io::copy(&mut object.read(), &mut file)?;
    // Another process may have fetched it, too: the bytes are the same.
    file.persist(&path).map_err(|e| e.error)?;
    Ok(path)
}

#[cfg(not(feature = "remote"))]
pub(crate) use super::without::{fetch_dir_to_cache, fetch_to_cache};
