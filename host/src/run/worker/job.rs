//! The job of another process, as a process sees it that runs tasks of it.

use anyhow::{Context, Result};

use super::digest::PlanDigest;
use crate::checkpoint::Chains;
use crate::config::{OnDifference, Recipe, Strategy};
use crate::data::input::unpack::{materialise, materialised};
use crate::data::{Dataset, Partition};
use crate::error::UserError;
use crate::exec::placement::Placement;
use crate::exec::{Determinism, Tally, TaskContext};
use crate::partition::{Chosen, table};
use crate::plan::lineage_key::Key;
use crate::plan::{Plan, Prepared, Segment};
use crate::run::context::Shared;
use crate::run::{Draft, retry};
use crate::rundir::events::EventLog;
use crate::rundir::{RunPaths, StopFlag, TaskLock};
use crate::sanitize::printable;
use crate::wasm::this_program;

/// A job that another process has begun. All of it comes from the run directory: the recipe, the
/// table of partitions, fallbacks of operators, unpacked input.
pub(super) struct Job {
    prepared: Prepared,
    paths: RunPaths,
    attempt: u32,
    /// The number of this worker of a cluster.
    worker: Option<usize>,
    dataset: Dataset,
    pub(super) chosen: Chosen,
    chains: Chains,
    pub(super) digest: PlanDigest,
    /// Counts of this process.
    pub(super) tally: Tally,
    _lock: TaskLock,
}

impl Job {
    /// Plans the job in the run directory `paths` again. Writes nothing; what it plans the caller compares by the digest.
    /// `worker` is as in [`Init`].
    pub(super) fn load(paths: RunPaths, attempt: u32, worker: Option<usize>) -> Result<Self> {
        let recipe = paths.resolved_config();
        if !recipe.exists() {
            return Err(UserError::new(
                paths.root().display().to_string(),
                "there is no job that has been planned",
            )
            .hint("name the run directory of a job that `djhost run` has begun")
            .into());
        }
        let lock = TaskLock::share(&paths)?;
        let draft = Draft::again(&Recipe::File(recipe), &paths.job_id())?;
        let mut prepared = draft.prepare_again()?;
        retry::attach(&mut prepared, &paths)?;
        let changed = "the dataset is not what the job was planned for";
        let dataset = match paths.mirror() {
            // Buckets do not have what can be made again.
            Some(_) => materialise(&prepared.dataset, &paths.partitions(), &paths.storage())?,
            None => materialised(&prepared.dataset, &paths.partitions()).context(changed)?,
        };
        let chosen = table::load(&prepared, &dataset, &paths).context(changed)?;
        let chains = table::chains(&prepared, &chosen);
        let program = this_program().context("the program cannot be found")?;
        let digest = PlanDigest::of(&paths, &chains, &program)?;
        let check = &prepared.resolved.config.determinism;
        let tally = Tally::of_share(Determinism::new(
            check.check_ratio,
            check.on_difference == OnDifference::Fail,
        ));
        Ok(Self {
            prepared,
            paths,
            attempt,
            worker,
            dataset,
            chosen,
            chains,
            digest,
            tally,
            _lock: lock,
        })
    }

    /// Says which op is the first that does something else than `expected`, and what that may come
    /// from; empty: none does.
    pub(super) fn first_other(&self, expected: &[Key]) -> String {
        let both = self.plan().ops.iter().zip(expected);
        let Some((op, _)) = both.into_iter().find(|(op, key)| op.identity != **key) else {
            return String::new();
        };
        let mut from = format!("`{}`", printable(&op.pool.component().source.to_string()));
        for path in &op.pool.grants().sources {
            from += &format!(", `{}`", printable(&path.display().to_string()));
        }
        format!(
            "; the first op that differs is {} `{}`, from {from}",
            op.index, op.name
        )
    }

    /// What a task works with.
    pub(super) fn context<'c>(&'c self, log: &'c EventLog, stop: &'c StopFlag) -> TaskContext<'c> {
        let mut context = Shared {
            prepared: &self.prepared,
            paths: &self.paths,
            log,
            stop,
            attempt: self.attempt,
            dataset: &self.dataset,
            partitions: &self.chosen.partitions,
            chains: &self.chains,
            tally: &self.tally,
        }
        .context();
        if let Some(worker) = self.worker {
            context.store = context.store.of_writer(self.attempt, worker);
        }
        context
    }

    /// The ops after which rows of a partition are stored, where nothing has been measured.
    pub(super) fn stored(&self, segment: &Segment, partition: &Partition) -> Vec<usize> {
        match self.prepared.resolved.config.strategy() {
            Strategy::Adaptive => {
                let bytes = partition.slices.iter().map(|s| s.end - s.start).sum();
                Placement::new(self.plan()).stored(self.plan(), segment, bytes)
            }
            _ => segment.stored.clone(),
        }
    }

    /// What is planned.
    pub(super) fn plan(&self) -> &Plan {
        &self.prepared.plan
    }
}
