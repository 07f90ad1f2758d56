//! Runs work for partitions on threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;

use super::context::TaskContext;
use super::damage::Damaged;
use crate::data::Partition;
use crate::error::{Final, Stopped, UserError};
use crate::rundir::StopFlag;
use crate::rundir::events::Event;
use crate::threads;

/// Runs `work` for each partition on `workers` threads, the largest first. After the first error it
/// starts no more partitions, and lets the running ones finish.
pub(crate) fn for_each(
    partitions: &[Partition],
    workers: usize,
    stop: &StopFlag,
    work: impl Fn(&Partition) -> Result<()> + Sync,
) -> Result<()> {
    let size = |p: &Partition| p.slices.iter().map(|s| s.end - s.start).sum::<u64>();
    let mut order: Vec<&Partition> = partitions.iter().collect();
    // Stable: partitions of equal size keep their order.
    order.sort_by_key(|p| std::cmp::Reverse(size(p)));
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let first: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    let worker = || {
        while !ended.load(Ordering::Relaxed) {
            let Some(partition) = order.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let done = if stop.requested() {
                Err(Stopped.into())
            } else {
                guarded(|| work(partition))
            };
            if let Err(error) = done {
                ended.store(true, Ordering::Relaxed);
                first
                    .lock()
                    .expect("no panic while held")
                    .get_or_insert(error);
            }
        }
    };
    let pool = threads::pool(workers, "djhost-worker")?;
    pool.scope(|scope| (0..workers.max(1)).for_each(|_| scope.spawn(|_| worker())));
    match first.into_inner().expect("no panic while held") {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The results of `work` for all of `items`, in their order, on `workers` threads. After the first
/// error no more is begun.
pub(crate) fn map<I: Sync, T: Send>(
    workers: usize,
    items: &[I],
    work: impl Fn(&I) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let one = |item: &I| {
        let mut made = None;
        guarded(|| {
            made = Some(work(item)?);
            Ok(())
        })?;
        made.context("internal error: work without a result")
    };
    let pool = threads::pool(workers, "djhost-worker")?;
    pool.install(|| items.par_iter().with_max_len(1).map(one).collect())
}

/// Runs `work`; a panic becomes an error.
pub(crate) fn guarded(work: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(anyhow!("internal error: {}", said.unwrap_or("panic")))
    })
}

/// Retries a task that fails, but not after a stop or a mistake of the user, nor if it met a damaged
/// file, which others judge.
pub(crate) fn with_retries(
    env: &TaskContext<'_>,
    partition: &Partition,
    stage: usize,
    retries: u32,
    task: impl Fn() -> Result<()>,
) -> Result<()> {
    let started = std::time::Instant::now();
    for retry in 0.. {
        let error = match guarded(&task) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if error
            .chain()
            .any(|e| e.is::<Stopped>() || e.is::<Damaged>())
        {
            return Err(error);
        }
        let last = retry >= retries
            || error
                .chain()
                .any(|e| e.is::<UserError>() || e.is::<Final>());
        let partition_id = partition.id as usize;
        let error_message = format!("{error:#}");
        if last {
            let duration = started.elapsed().as_secs_f64();
            env.log.emit(Event::PartitionFailed {
                partition_id,
                stage,
                duration,
                error_message,
                retry_count: retry,
            });
            return Err(error.context(format!("partition {partition_id} failed")));
        }
        tracing::warn!("partition {partition_id} failed and is tried again: {error_message}");
        env.log.emit(Event::TaskRetried {
            partition_id: Some(partition_id),
            stage,
            retry_count: retry + 1,
            error_message,
        });
    }
    unreachable!("the loop ends by return")
}
