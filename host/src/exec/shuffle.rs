//! The barrier of a global op with many keys, in pieces that go to all workers. What the pieces are,
//! [`shuffle`](crate::global::shuffle) says; what is left for this process is to give them out, and
//! to make masks of what they find.

use std::time::Duration;

use anyhow::{Context, Result};

use super::barrier_task::{self, BarrierTask, MadeFile};
use super::context::TaskContext;
use super::executor::Executor;
use super::scheduler::Workers;
use crate::checkpoint::Manifest;
use crate::global::shuffle::{Finish, Keys, Layout, Matching};
use crate::plan::PlannedOp;
use crate::wasm::Kind;

/// Bytes of entries from which workers of a cluster share the work: this process alone takes some
/// seconds for as many.
const MANY: u64 = 1 << 30;
/// Bytes of entries that a worker of a cluster looks through at a time. It takes twice the memory.
const SECTION: u64 = 128 << 20;
/// Scans of all fingerprints that this process makes, at most, before it sorts them into files first:
/// that reads and writes all of them once more.
const SCANS: u64 = 8;
/// Bytes of entries from which this process sorts counted keys and those of groups, of which it would
/// have one large table: in sections that fit the cache, 12 million lines take 4.5 CPU s, not 21.
const CACHED: u64 = 16 << 20;
/// The most rows that tables of this process number: the last numbers of 32 bits say that there is
/// no row.
const MOST_ROWS: u64 = u32::MAX as u64 - 1;
/// Names the variable that tests set to the size of sections, which is then shared whatever its size.
const TEST_SECTION: &str = "DJHOST_TEST_SECTION_BYTES";

/// How the keys of an op are spread; None: this process looks through them at once. `keys` are the
/// manifests of those of all partitions.
pub(super) fn layout(
    env: &TaskContext<'_>,
    op: usize,
    keys: &[Manifest],
    executor: &dyn Executor,
    workers: Workers,
) -> Result<Option<Layout>> {
    let planned = &env.plan.ops[op];
    let Some(matching) = matching(planned) else {
        return Ok(None);
    };
    let shape = match matching {
        Matching::Counted => Some((8, 1)),
        _ => shape(env, keys, matching == Matching::Grouped)?,
    };
    let Some(shape) = shape else {
        return Ok(None);
    };
    let about: Vec<Keys> = keys
        .iter()
        .map(|keys| Keys {
            rows: keys.rows,
            bytes: keys.bytes,
        })
        .collect();
    let rows: u64 = about.iter().map(|keys| keys.rows).sum();
    let memory = workers.resolver_memory as u64;
    let here = memory / 2 / workers.threads.max(1) as u64;
    let set = std::env::var(TEST_SECTION).ok();
    let (section, most) = match set.and_then(|set| set.parse().ok()) {
        Some(section) => (section, 0),
        None if executor.is_elsewhere() => (SECTION, MANY),
        None => {
            let most = match matching {
                Matching::Counted | Matching::Grouped => CACHED,
                Matching::Equal | Matching::Near { .. } => SCANS * memory,
            };
            (here.clamp(1 << 20, SECTION), most)
        }
    };
    let layout = Layout::new(matching, shape, &about, section);
    let is_wanted = layout.bytes() > most || rows > MOST_ROWS;
    Ok(is_wanted.then_some(layout))
}

/// How an op compares rows; None: not by what sections have.
fn matching(op: &PlannedOp) -> Option<Matching> {
    match op.kind() {
        Kind::Grouper => Some(Matching::Grouped),
        Kind::Deduplicator if op.pool.seen().is_some() => None,
        Kind::Deduplicator if op.pool.counts_keys() => Some(Matching::Counted),
        Kind::Deduplicator => Some(match op.pool.hamming_distance() {
            Some(distance) => Matching::near(distance),
            None => Matching::Equal,
        }),
        Kind::Filter | Kind::Mapper | Kind::Selector => None,
    }
}

/// Bytes and number of the fingerprints of a row; None: no row has any.
fn shape(
    env: &TaskContext<'_>,
    keys: &[Manifest],
    is_beside_rows: bool,
) -> Result<Option<(usize, usize)>> {
    for keys in keys.iter().filter(|keys| keys.rows > 0) {
        let table = barrier_task::table(env, keys, is_beside_rows)?;
        if table.shape().is_some() {
            return Ok(table.shape());
        }
    }
    Ok(None)
}

/// What the pieces have made.
pub(super) struct Shuffled<'a> {
    env: &'a TaskContext<'a>,
    layout: Layout,
    splits: Vec<MadeFile>,
    found: Vec<MadeFile>,
}

impl<'a> Shuffled<'a> {
    /// Has all pieces done. `stage` is the step of the job.
    pub(super) fn make(
        env: &'a TaskContext<'a>,
        (op, stage): (usize, usize),
        layout: Layout,
        keys: &[Manifest],
        executor: &dyn Executor,
    ) -> Result<Self> {
        let name = || format!("op {op} `{}`", env.plan.ops[op].name);
        let pieces = layout.pieces().len();
        tracing::info!(
            "{}: {} pieces to split its keys, {pieces} to look through them",
            name(),
            layout.groups()
        );
        let mut made = Self {
            env,
            splits: Vec::new(),
            found: Vec::new(),
            layout,
        };
        // Workers of a cluster may be on machines that have not seen the last keys.
        executor.begin(env)?;
        let layout = &made.layout;
        let tasks = (0..layout.groups()).map(|group| BarrierTask::split(op, layout, group, keys));
        made.splits = executor.share(env, stage, tasks.collect())?;
        let tasks = (0..pieces).map(|piece| BarrierTask::find(op, layout, piece, &made.splits));
        made.found = executor.share(env, stage, tasks.collect())?;
        Ok(made)
    }

    /// CPU time of all pieces.
    pub(super) fn cpu(&self) -> Duration {
        let files = self.splits.iter().chain(&self.found);
        Duration::from_secs_f64(files.map(|file| file.cpu_seconds).sum())
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        let files = self.splits.iter().chain(&self.found);
        files.map(|file| file.bytes).sum()
    }

    /// Calls `work` with what makes masks, or groups, of the files.
    pub(super) fn finish<T>(&self, work: impl FnOnce(&Finish<'_>) -> Result<T>) -> Result<T> {
        let (env, layout) = (self.env, &self.layout);
        let splits = |number: usize| {
            let file = self.splits.get(number).context("a file too few")?;
            barrier_task::open(env, file, layout.sections() + 1)
        };
        let found = |number: usize| {
            let file = self.found.get(number).context("a file too few")?;
            barrier_task::open(env, file, layout.found_sections())
        };
        work(&Finish::new(layout, &splits, &found))
    }

    /// Removes the files, and what workers have left that were lost or slower than others.
    pub(super) fn remove(self) -> Result<()> {
        let mut files = self.splits.iter().chain(&self.found);
        files.try_for_each(|file| barrier_task::remove(self.env, file))?;
        barrier_task::remove_left(self.env)
    }
}
