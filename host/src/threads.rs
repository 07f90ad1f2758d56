//! Threads that log where the thread that starts them logs: several jobs in one process have logs of
//! their own.

use anyhow::Result;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tracing::dispatcher::{get_default, with_default};

/// Stack of a worker: guests may use 1 MiB of it, and deeply nested JSON some more.
const STACK: usize = 8 << 20;

/// Returns `work` for another thread.
pub(crate) fn inherit<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let logs = get_default(Clone::clone);
    move || with_default(&logs, work)
}

/// Returns a pool of `threads` threads, each called `name` and a number.
pub(crate) fn pool(threads: usize, name: &'static str) -> Result<ThreadPool> {
    let logs = get_default(Clone::clone);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .spawn_handler(|worker| {
            let logs = logs.clone();
            std::thread::Builder::new()
                .name(format!("{name}-{}", worker.index()))
                .stack_size(STACK)
                .spawn(move || with_default(&logs, || worker.run()))?;
            Ok(())
        });
    Ok(pool.build()?)
}
