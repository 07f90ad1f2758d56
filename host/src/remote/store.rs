//! The stores of buckets, each made once, and how their futures are waited for.

use super::client::retry;
use super::failure::Failure;
use super::{address::Address, address::Scheme, aws, azure, gcs};
use object_store::ObjectStore;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::io::ErrorKind;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// What every store can do.
pub(super) trait Store: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Store for T {}

/// The store of a bucket.
pub(super) type Shared = Arc<dyn Store>;

/// The store of the bucket of `address`.
pub(super) fn of(address: &Address) -> Result<Shared, Failure> {
    type Known = Mutex<HashMap<(Scheme, String), Shared>>;
    static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);
    let mut known = KNOWN.lock().expect("nothing panics while it is held");
    let name = (address.scheme, address.host.clone());
    if let Some(store) = known.get(&name) {
        return Ok(Arc::clone(store));
    }
    let store: Shared = match address.scheme {
        Scheme::Gcs => Arc::new(gcs::store(&address.host)?),
        Scheme::Azure => Arc::new(azure::store(&address.host)?),
        Scheme::S3 | Scheme::Http | Scheme::Hub => Arc::new(aws::store(&address.host)?),
    };
    known.insert(name, Arc::clone(&store));
    Ok(store)
}

/// The store of `address`, and the place in it.
pub(super) fn place(address: &Address) -> Result<(Shared, Path), Failure> {
    Ok((of(address)?, path(&address.key)?))
}

/// What to do with an object whose key is not one.
pub(super) const RENAME: &str = "rename it: a key has no empty parts, and none that is `.` or `..`";

/// The name of an object, as stores take it.
pub(super) fn path(key: &str) -> Result<Path, Failure> {
    Path::parse(key).map_err(|e| {
        Failure::new(
            ErrorKind::Other,
            format!("djhost cannot name this object: {e}"),
        )
        .hint(RENAME)
    })
}

thread_local! {
    /// Only its clock is needed, for pauses between requests: these block (`client.rs`).
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a clock needs no resources");
}

/// Removes something, again if the connection was lost: `object_store` then repeats no DELETE, which
/// makes the same however often it is done.
pub(super) fn removed<F>(remove: impl Fn() -> F) -> object_store::Result<()>
where
    F: Future<Output = object_store::Result<()>>,
{
    let most = retry().max_retries;
    let mut tries = 0;
    loop {
        match wait(remove()) {
            Err(object_store::Error::NotFound { .. }) => return Ok(()),
            Err(e) if tries < most && is_lost(&e) => {
                std::thread::sleep(Duration::from_millis(100 << tries.min(7)));
                tries += 1;
            }
            done => return done,
        }
    }
}

/// Whether there was no answer.
fn is_lost(error: &object_store::Error) -> bool {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<HttpError>())
        .any(|error| error.kind() != HttpErrorKind::Unknown)
}

/// Waits for what a store does.
pub(super) fn wait<T>(what: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(what))
}
