//! Who does the work of partitions: threads of this process, or others.

use anyhow::Result;

use super::barrier_task::{self, BarrierTask, MadeFile};
use super::context::TaskContext;
use super::index::Held;
use super::{queue, segment};
use crate::checkpoint::Manifest;
use crate::data::Partition;
use crate::plan::Segment;

/// What is left to do of one partition in one segment.
pub(crate) struct Steps<'a> {
    /// The partition.
    pub partition: &'a Partition,
    /// The segment.
    pub segment: &'a Segment,
    /// The ops after which rows are stored.
    pub stored: &'a [usize],
    /// Number of the segment's first step within the job.
    pub stage: usize,
    /// What there is of the partition already.
    pub held: Held,
}

impl Steps<'_> {
    /// The name of the task: `steps.SEGMENT.PARTITION`.
    pub(crate) fn id(&self) -> String {
        format!("steps.{}.{}", self.segment.index, self.partition.id)
    }
}

/// Does the work of partitions. Thread-safe.
///
/// Whoever does it, and however often, the files are the same: these are pure functions of the run
/// directory and the input, and a file is there once its manifest is.
pub(crate) trait Executor: Sync {
    /// The number of steps that can be at work at a time.
    fn slots(&self) -> usize;

    /// Does `steps` and returns when they have ended. `committed` gets each manifest as soon as it
    /// is on the disk, also those of steps that fail later. Fails with
    /// [`Stopped`](crate::error::Stopped) if the job is to stop.
    fn run(
        &self,
        env: &TaskContext<'_>,
        steps: &Steps<'_>,
        committed: &dyn Fn(Manifest),
    ) -> Result<()>;

    /// Does pieces of the work of a barrier, which is step `stage` of the job. Returns the files that
    /// they have made, in their order. Threads of this process do, if nobody else does.
    fn share(
        &self,
        env: &TaskContext<'_>,
        _stage: usize,
        pieces: Vec<BarrierTask>,
    ) -> Result<Vec<MadeFile>> {
        queue::map(self.slots(), &pieces, |piece| barrier_task::run(env, piece))
    }

    /// Whether pieces of the work of a barrier go to other machines.
    fn is_elsewhere(&self) -> bool {
        false
    }

    /// Called before the first [`run`](Self::run) of a segment: what was done here has to be where
    /// those who do the work see it.
    fn begin(&self, _: &TaskContext<'_>) -> Result<()> {
        Ok(())
    }

    /// Called when [`run`](Self::run) was called for all partitions that have something to do in a
    /// segment. What comes next needs all of them: an error means that it is not done here.
    fn end(&self, _: &TaskContext<'_>) -> Result<()> {
        Ok(())
    }
}

/// So many threads of this process.
pub(crate) struct Threads(pub usize);

impl Executor for Threads {
    fn slots(&self) -> usize {
        self.0
    }

    fn run(
        &self,
        env: &TaskContext<'_>,
        steps: &Steps<'_>,
        committed: &dyn Fn(Manifest),
    ) -> Result<()> {
        segment::run(env, steps, committed)
    }
}
