//! What is in a bucket below a prefix.

use super::address::{Address, Scheme};
use super::failure::Failure;
use super::hub;
use super::store;
use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use std::io::ErrorKind;

/// An object of a listing.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) bytes: u64,
    pub(crate) tag: Option<String>,
    /// SHA-256 of a large file of the hub.
    pub(super) digest: Option<String>,
}

impl Listed {
    /// An object that is known otherwise.
    pub(crate) fn new(key: &str, bytes: u64, tag: Option<String>) -> Self {
        Self {
            key: key.to_owned(),
            bytes,
            tag,
            digest: None,
        }
    }
}

/// The objects below `prefix`, a key without the slash at its end, sorted as files are in
/// directories. One request for a thousand objects.
pub(crate) fn list(address: &Address, prefix: &str) -> Result<Vec<Listed>, Failure> {
    let mut listed = match address.scheme {
        Scheme::Hub => hub::list(address, prefix)?,
        _ => of_store(address, prefix)?,
    };
    // But for what stands for a directory: this one, or one that something is below.
    listed.retain(|listed| listed.key != prefix);
    listed.sort_by(|a, b| a.key.split('/').cmp(b.key.split('/')));
    let is_mark = |pair: &[Listed]| {
        let below = pair[1].key.strip_prefix(&pair[0].key);
        pair[0].bytes == 0 && below.is_some_and(|rest| rest.starts_with('/'))
    };
    let marks: Vec<bool> = listed.windows(2).map(is_mark).collect();
    let mut marks = marks.into_iter();
    listed.retain(|_| marks.next() != Some(true));
    Ok(listed)
}

/// Returns whether nothing is below an address, if its server can be asked that.
pub(crate) fn is_empty(address: &Address) -> Result<bool, Failure> {
    let prefix = address.key.trim_end_matches('/');
    match address.scheme {
        Scheme::Http => Ok(false),
        Scheme::Hub => Ok(hub::list(&hub::pin(address)?, prefix)?.is_empty()),
        Scheme::S3 | Scheme::Gcs | Scheme::Azure => {
            let request = format!("the list of `{address}`");
            let path = store::path(prefix)?;
            let store = store::of(address)?;
            let first = store::wait(store.list(Some(&path)).try_next());
            let first = first.map_err(|e| Failure::of_store(&request, &e))?;
            Ok(first.is_none())
        }
    }
}

fn of_store(address: &Address, prefix: &str) -> Result<Vec<Listed>, Failure> {
    let request = format!("the list of `{}`", address.beside(prefix));
    let path = Path::parse(prefix)
        .map_err(|e| Failure::new(ErrorKind::Other, format!("{request}: {e}")))?;
    let store = store::of(address)?;
    let objects: Vec<_> =
        store::wait(store.list(Some(&path)).try_collect()).map_err(|e| match e {
            object_store::Error::InvalidPath { source } => {
                let message = format!("{request}: djhost cannot name an object there: {source}");
                Failure::new(ErrorKind::Other, message).hint(store::RENAME)
            }
            error => Failure::of_store(&request, &error),
        })?;
    let listed = objects.into_iter();
    Ok(listed
        .map(|object| Listed {
            key: object.location.into(),
            bytes: object.size,
            tag: object.e_tag,
            digest: None,
        })
        .collect())
}
