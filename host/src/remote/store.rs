//! The stores of buckets, each made once, and how their futures are waited for.

use super::failure::Failure;
use super::{address::Address, aws};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use std::collections::HashMap;
use std::future::Future;
use std::io::ErrorKind;
use std::sync::{Arc, LazyLock, Mutex};

/// The store of the bucket of `address`.
pub(super) fn of(address: &Address) -> Result<Arc<AmazonS3>, Failure> {
    type Known = Mutex<HashMap<String, Arc<AmazonS3>>>;
    static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);
    let mut known = KNOWN.lock().expect("nothing panics while it is held");
    if let Some(store) = known.get(&address.host) {
        return Ok(Arc::clone(store));
    }
    let store = Arc::new(aws::store(&address.host)?);
    known.insert(address.host.clone(), Arc::clone(&store));
    Ok(store)
}

/// The store of `address`, and the place in it.
pub(super) fn place(address: &Address) -> Result<(Arc<AmazonS3>, Path), Failure> {
    let path = Path::parse(&address.key).map_err(|e| {
        Failure::new(
            ErrorKind::Other,
            format!("djhost cannot name this object: {e}"),
        )
        .hint("rename it: a key has no empty parts, and none that is `.` or `..`")
    })?;
    Ok((of(address)?, path))
}

thread_local! {
    /// Only its clock is needed, for pauses between requests: these block (`client.rs`).
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a clock needs no resources");
}

/// Waits for what a store does.
pub(super) fn wait<T>(what: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(what))
}
