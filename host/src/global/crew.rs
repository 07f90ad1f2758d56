//! The memory and the threads that a global op may use.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::threads::pool;
use crate::wasm::thread_cpu;

/// The memory for tables, and the threads that fill them and look through them.
pub struct Crew {
    /// Bytes of all tables together.
    pub(super) memory: usize,
    threads: usize,
    pool: OnceLock<Option<ThreadPool>>,
    /// What the threads beside the caller have taken, in nanoseconds.
    cpu: AtomicU64,
}

impl Crew {
    /// `memory` bytes for tables, and `threads` threads, which start with the first work for them.
    pub fn new(memory: usize, threads: usize) -> Self {
        Self {
            memory,
            threads: threads.max(1),
            pool: OnceLock::new(),
            cpu: AtomicU64::new(0),
        }
    }

    /// The number of threads.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// The CPU time of its threads; that of the calling thread is not in it.
    pub(crate) fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu.load(Ordering::Relaxed))
    }

    /// The results of `work` for all numbers below `count`, in order.
    pub(super) fn map<T: Send>(
        &self,
        count: usize,
        work: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        // Without further threads, which the system may refuse, the caller does it alone.
        let pool = || (self.threads > 1).then(|| pool(self.threads, "resolve").ok())?;
        match self.pool.get_or_init(pool) {
            Some(pool) if count > 1 => pool.install(|| {
                let timed = |number| {
                    let before = thread_cpu();
                    let done = work(number);
                    let taken = thread_cpu().saturating_sub(before).as_nanos() as u64;
                    self.cpu.fetch_add(taken, Ordering::Relaxed);
                    done
                };
                (0..count).into_par_iter().map(timed).collect()
            }),
            _ => (0..count).map(work).collect(),
        }
    }
}
