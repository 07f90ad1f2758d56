//! The work of one attempt: divide the dataset, run the tasks, check what became of the rows, export.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::context::Shared;
use super::findings::findings;
use super::report::Crew;
use super::reuse::Reuse;
use super::state::{self, State};
use super::unmet_fields;
use super::validate::validate;
use super::worker::PlanDigest;
use super::{
    Outcome, RunOptions, carried, clean_up, code, croissant, dataset_card, document, expected,
    progress, report, retention, say_complete, say_unmet, trace, uploads,
};
use crate::checkpoint::{Artifact, Chains, Manifest};
use crate::config::{Count, OnDifference, Place, Strategy};
use crate::data::input::unpack::materialise;
use crate::data::{Ahead, Card, Dataset, Exported, Partition, Published, assemble, publish, push};
use crate::error::{Stopped, Unexpected};
use crate::exec::workers::protocol::{Init, PROTOCOL};
use crate::exec::workers::{Cluster, Division, Hands, Launch, Pool, Settings, Tree};
use crate::exec::{
    Determinism, Executor, Index, Seen, Tally, TaskContext, Threads, Watcher, Workers, lines,
    reconcile, reconcile::Readers, scheduler,
};
use crate::partition::{Chosen, table};
use crate::plan::Prepared;
use crate::remote::address::{Address, Scheme};
use crate::rundir::events::{Event, EventLog};
use crate::rundir::storage::clean_temporary;
use crate::rundir::{RunPaths, StopFlag, Storage};
use crate::threads::{self, inherit};
use crate::wasm::{compiled_components, this_program};

/// How often it looks whether the job was asked to stop, to say so.
const LOOK: Duration = Duration::from_millis(200);

/// What an attempt at a job works with.
pub(super) struct Attempt<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) options: &'a RunOptions,
    pub(super) paths: &'a RunPaths,
    pub(super) log: &'a EventLog,
    pub(super) stop: &'a StopFlag,
    /// Number of the attempt, from 1.
    pub(super) number: u32,
}

impl Attempt<'_> {
    /// Does what is left of the job. The caller holds its lock and records how the attempt ends.
    pub(super) fn work(&self, state: &mut State) -> Result<Outcome> {
        let (prepared, paths, log) = (self.prepared, self.paths, self.log);
        if state::is_done(paths, prepared, None)? {
            return self.nothing_to_do(state);
        }
        let dataset = match prepared.dataset.is_splittable() {
            true => prepared.dataset.clone(),
            false => {
                let unpacked =
                    materialise(&prepared.dataset, &paths.partitions(), &paths.storage())?;
                validate(&prepared.resolved, &unpacked)?;
                unpacked
            }
        };
        self.check_stop()?;
        let chosen = table::load_or_choose(prepared, &dataset, paths)?;
        let chains = table::chains(prepared, &chosen);
        log.emit(Event::PartitionsPlanned {
            total_partitions: chosen.partitions.len(),
            input_bytes: dataset.bytes(),
            input_rows: None,
        });
        document::save(prepared, &chosen, paths, log)?;
        if state::is_done(paths, prepared, Some(&chains))? {
            return self.nothing_to_do(state);
        }
        let traced = trace::document(prepared, &dataset, self.options.retry.is_some(), paths)?;
        traced.save(paths, &paths.storage())?;
        let mut unmet = Vec::new();
        if !self.options.scratch || self.options.embedded {
            unmet = unmet_fields(&prepared.resolved, &prepared.plan, &dataset);
            unmet
                .iter()
                .for_each(|sentence| tracing::warn!("{sentence}"));
        }
        let config = &prepared.resolved.config;
        let tally = Arc::new(Tally::new(Determinism::new(
            config.determinism.check_ratio,
            config.determinism.on_difference == OnDifference::Fail,
        )));
        let context = self.context(&dataset, &chosen.partitions, &chains, &tally);
        let (manifests, ahead) = self.run_tasks(&context, &chosen, &tally, state)?;
        lines::complete(&context, &manifests)?;
        self.check_rows(&context, &manifests, &unmet, state)?;
        self.check_expected(state)?;
        self.check_stop()?;
        reconcile::forget_rows(&context, manifests.iter())?;
        let mut exported = self.export(&manifests, ahead, &self.export_storage(), state)?;
        exported.notes.extend(dataset.losses.notes());
        exported.notes.iter().for_each(|n| tracing::warn!("{n}"));
        retention::spare_uploads(config, paths);
        trace::complete(traced, &manifests, paths)?;
        if config.croissant.enabled {
            croissant::write(prepared, &state.summary, &exported, paths)?;
        }
        state.completed(prepared, &chains, &exported, log)?;
        if prepared.target.remote.is_some() {
            let staged = exported.files.iter();
            staged.for_each(|file| drop(paths.storage().remove_unsynced(file)));
            if prepared.target.split.is_some() {
                drop(paths.storage().remove_tree(&prepared.target.path));
            }
        }
        clean_up(config, paths);
        if !self.options.scratch && !self.options.embedded && prepared.plan.analysis.is_none() {
            let quiet = self.options.quiet;
            report::print(&state.summary, &prepared.plan, &exported, quiet);
        }
        let summary = &state.summary;
        if !self.options.embedded {
            say_unmet(&summary.expected);
        }
        Ok(Outcome {
            code: code(self.options, &summary.ledger, &summary.expected),
        })
    }

    /// Fails if the result is not as expected, and must not be exported then.
    fn check_expected(&self, state: &State) -> Result<()> {
        let unmet = expected::unmet(&state.summary.expected);
        if unmet.is_empty() || !self.prepared.plan.expect.block_export {
            return Ok(());
        }
        let message = format!(
            "nothing is exported, as `expect.block_export` demands: {}",
            unmet.join("; ")
        );
        Err(Unexpected(message).into())
    }

    fn check_stop(&self) -> Result<()> {
        match self.stop.requested() {
            true => Err(Stopped.into()),
            false => Ok(()),
        }
    }

    /// Does `work`. As soon as the job is asked to stop, its events say so: tasks may take a while to
    /// end.
    fn saying_if_asked_to_stop<T>(&self, work: impl FnOnce() -> T) -> T {
        let (end, ended) = mpsc::channel::<()>();
        let (stop, log) = (self.stop, self.log);
        let look = inherit(move || {
            loop {
                let is_over = ended.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout);
                if let Some(reason) = stop.reason() {
                    log.emit(Event::StopRequested { reason });
                    return;
                }
                if is_over {
                    return;
                }
            }
        });
        std::thread::scope(|scope| {
            scope.spawn(look);
            let done = work();
            drop(end);
            done
        })
    }

    /// Ends an attempt at a job that turned out to be complete.
    fn nothing_to_do(&self, state: &mut State) -> Result<Outcome> {
        state.completed_before(self.prepared, self.log)?;
        let summary = &state.summary;
        let export = &self.prepared.target;
        if !self.options.embedded {
            say_complete(&summary.job_id, &summary.ledger, export);
            say_unmet(&summary.expected);
        }
        clean_up(&self.prepared.resolved.config, self.paths);
        Ok(Outcome {
            code: code(self.options, &summary.ledger, &summary.expected),
        })
    }

    /// Returns what all tasks share.
    fn context<'c>(
        &'c self,
        dataset: &'c Dataset,
        partitions: &'c [Partition],
        chains: &'c Chains,
        tally: &'c Tally,
    ) -> TaskContext<'c> {
        Shared {
            prepared: self.prepared,
            paths: self.paths,
            log: self.log,
            stop: self.stop,
            attempt: self.number,
            dataset,
            partitions,
            chains,
            tally,
        }
        .context()
    }

    /// Runs all tasks that earlier attempts left and returns the manifests of all parts, and the
    /// export as far as it was made beside them.
    fn run_tasks(
        &self,
        context: &TaskContext<'_>,
        chosen: &Chosen,
        tally: &Arc<Tally>,
        state: &mut State,
    ) -> Result<(Vec<Manifest>, Option<Ahead>)> {
        let (plan, log) = (&self.prepared.plan, self.log);
        let quiet = self.options.quiet || self.options.embedded;
        let config = &self.prepared.resolved.config;
        let readers = match (
            &self.options.list_tasks,
            &self.prepared.resolved.place.place,
        ) {
            (Some(_), _) => Readers::Later,
            (None, Place::Cluster(_)) => Readers::Elsewhere,
            (None, _) => Readers::Here,
        };
        let index = reconcile::reconcile(context, chosen.partitions.len(), readers)?;
        state.partitions(context.dataset, &chosen.partitions, plan, &index, log)?;
        let reuse = Reuse::of(plan, chosen.partitions.len(), |artifact, op, p| {
            index.has(artifact, op, p)
        });
        let launch = match self.options.list_tasks {
            Some(_) => None,
            None => self.launch(context)?,
        };
        if !quiet {
            let crew = match launch.as_ref().map(|launch| &launch.hands) {
                None => Crew::Threads(config.workers()),
                Some(Hands::Processes(division)) => {
                    Crew::Processes(division.threads.max(division.processes), division.processes)
                }
                Some(Hands::Cluster(cluster)) => Crew::Cluster(cluster.room),
            };
            let reused = reuse.text(plan);
            report::start(&state.summary, plan, crew, reused.as_deref());
        }
        take_over(tally, &index);
        let workers = Workers {
            threads: config.workers(),
            retries: config.task_retries as u32,
            resolver_memory: (config.resolver_memory_mb as usize) << 20,
            adaptive: config.strategy() == Strategy::Adaptive,
        };
        let storage = self.export_storage();
        let ahead = Ahead::start(&self.prepared.target, chosen.partitions.len(), &storage)?;
        let manifests = {
            let work = progress::Work {
                bytes: bytes_left(context.dataset, chosen, &reuse),
                partitions: chosen.partitions.len(),
                ops: plan.ops.iter().map(|op| op.name.clone()).collect(),
                goes_on: plan.segments.len() > 1,
            };
            let done = index.count(Artifact::Part);
            let bar = progress::Bar::start(tally, work, done, quiet, &self.options.live);
            let watcher = Announcing {
                watcher: state.watcher(log, &bar, self.paths),
                ahead: ahead.as_ref(),
                paths: self.paths,
            };
            let run = |executor: &dyn Executor| {
                let how = (executor, workers);
                scheduler::run(context, &chosen.partitions, &index, how, &watcher)
            };
            match (&launch, &self.options.list_tasks) {
                (_, Some(list)) => run(list),
                (None, None) => self.saying_if_asked_to_stop(|| run(&Threads(workers.threads))),
                (Some(launch), None) => {
                    self.saying_if_asked_to_stop(|| Pool::with(launch, context, run))
                }
            }
        };
        state.processes_memory = launch
            .as_ref()
            .map(|_| tally.processes_memory.load(Ordering::Relaxed));
        // Keep what the check found even if it ended the job.
        state.summary.determinism = tally.determinism.found();
        for (operator, checked) in &state.summary.determinism {
            log.emit(Event::DeterminismChecked {
                operation_name: operator.clone(),
                batches: checked.batches,
                different: checked.different,
                reason: checked.how.clone(),
            });
        }
        let manifests = manifests?;
        if launch.is_some() {
            // What processes have left that were lost.
            clean_temporary(self.paths, &self.paths.storage())?;
        }
        Ok((manifests, ahead))
    }

    /// How other processes run the tasks; None: they are run here.
    fn launch(&self, context: &TaskContext<'_>) -> Result<Option<Launch>> {
        let resolved = &self.prepared.resolved;
        let config = &resolved.config;
        let program = crate::wasm::program();
        let mut carried = Vec::new();
        let hands = match &resolved.place.place {
            Place::Cluster(address) => {
                // Workers plan the job by what is there.
                self.paths.flush()?;
                let trees = carried::trees(self.prepared)?;
                carried = trees
                    .iter()
                    .map(|tree| (tree.dir.clone(), tree.place()))
                    .collect();
                Hands::Cluster(self.join(address, trees)?)
            }
            _ if config.worker_processes == 0 => return Ok(None),
            _ => Hands::Processes(Division {
                program: program
                    .context("internal error: no program runs tasks")?
                    .to_vec(),
                processes: config.worker_processes as usize,
                threads: config.workers(),
            }),
        };
        let own = this_program().context("the program cannot be found")?;
        let program = match &hands {
            Hands::Cluster(_) => config.ray.binary.as_ref().map_or(own, PathBuf::from),
            Hands::Processes(_) => own,
        };
        let init = Init {
            protocol: PROTOCOL,
            directory: std::env::current_dir().context("there is no working directory")?,
            run: std::path::absolute(self.paths.root())?,
            address: self.paths.address().map(ToString::to_string),
            temporary: self.paths.is_temporary(),
            attempt: self.number,
            plan: Some(PlanDigest::of(self.paths, context.chains, &program)?.to_string()),
            ops: self
                .prepared
                .plan
                .ops
                .iter()
                .map(|op| op.identity.clone())
                .collect(),
            threads: 1,
            worker: None,
            carried,
        };
        Ok(Some(Launch { init, hands }))
    }

    /// Joins the Ray cluster at `address`.
    fn join(&self, address: &str, trees: Vec<Tree>) -> Result<Cluster> {
        let resolved = &self.prepared.resolved;
        let ray = &resolved.config.ray;
        let exactly = |count: Count| match count {
            Count::Auto => None,
            Count::Exactly(n) => Some(n),
        };
        // Its link in `/proc` would lead another process to itself.
        let own = || PathBuf::from(format!("/proc/{}/exe", std::process::id()));
        let settings = Settings {
            address,
            place: resolved.place("ray_address"),
            python: &ray.python,
            python_place: resolved.place("ray.python"),
            workers: exactly(ray.workers).map(|n| n as usize),
            cpus: exactly(ray.cpus_per_worker).map(|n| n as usize),
            memory: exactly(ray.memory_per_worker_mb).map(|mb| mb << 20),
            silence: Duration::from_secs(ray.silence_seconds),
            program: ray.binary.as_ref().map_or_else(own, PathBuf::from),
            components: compiled_components(),
            trees,
        };
        Cluster::join(&settings, self.stop)
    }

    /// Computes the ledger. Fails if too many rows could not be read or processed.
    fn check_rows(
        &self,
        context: &TaskContext<'_>,
        manifests: &[Manifest],
        unmet: &[String],
        state: &mut State,
    ) -> Result<()> {
        let totals = state.account(&self.prepared.plan, manifests);
        let unreadable = manifests.iter().map(|m| m.account.bad).sum();
        let seen = Seen {
            rows: totals.read,
            unreadable,
            failed: totals.quarantined - unreadable,
        };
        let quarantine: Vec<PathBuf> = manifests
            .iter()
            .flat_map(|m| &m.account.quarantine)
            .map(|file| self.paths.quarantine().join(&file.name))
            .collect();
        // Those of earlier attempts may be in a bucket alone. Whoever reads one says why it cannot.
        let bring = |path: &&PathBuf| drop(self.paths.bring(path));
        let plan = &self.prepared.plan;
        if plan.analysis.is_some() {
            // It drops nothing, and that its result is empty is as it must be.
            return context.tally.check(
                seen,
                context.ratios,
                context.dataset,
                quarantine.iter().inspect(bring).map(PathBuf::as_path),
            );
        }
        let emptied = state.emptied();
        emptied
            .iter()
            .for_each(|(_, sentence)| tracing::warn!("{sentence}"));
        state.summary.findings = findings(&state.summary, plan, &emptied, unmet);
        context.tally.check(
            seen,
            context.ratios,
            context.dataset,
            quarantine.iter().inspect(bring).map(PathBuf::as_path),
        )
    }

    /// Puts the files of the export to their address, if they have one.
    fn publish(&self, files: &[PathBuf], card: &Card) -> Result<Vec<Published>> {
        let target = &self.prepared.target;
        let Some(address) = &target.remote else {
            return Ok(Vec::new());
        };
        uploads::abort_unfinished(self.paths)?;
        let to = Address::parse_target(&address.to_string_lossy())?;
        if to.scheme == Scheme::Hub {
            let settings = &self.prepared.resolved.config.push_to_hub;
            return push(files, target, &to, card, settings);
        }
        publish(files, target, &to, |left| uploads::record(self.paths, left))
    }

    /// How the export is written: it survives a power cut unless it is in a temporary run directory.
    fn export_storage(&self) -> Storage {
        match self.prepared.target.path.starts_with(self.paths.root()) {
            true => self.paths.storage(),
            false => Storage::new(),
        }
    }

    /// Puts the parts together and replaces the export.
    fn export(
        &self,
        manifests: &[Manifest],
        ahead: Option<Ahead>,
        storage: &Storage,
        state: &State,
    ) -> Result<Exported> {
        let (target, log) = (&self.prepared.target, self.log);
        let parts: Vec<_> = manifests
            .iter()
            .map(|m| {
                let path = self.paths.parts().join(&m.data);
                self.paths.bring(&path)?;
                Ok((path, m.part.clone().context("a part without its facts")?))
            })
            .collect::<Result<_>>()?;
        state.exporting()?;
        log.emit(Event::ExportStarted {
            output_path: target.shown().to_string(),
            parts: parts.len(),
        });
        let started = Instant::now();
        if let Some(dir) = target.path.parent().filter(|d| !d.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir)
                .with_context(|| format!("cannot create `{}`", dir.display()))?;
        }
        let workers = self.prepared.resolved.config.workers();
        let pool = threads::pool(workers, "djhost-export")?;
        let copied = ahead.map(Ahead::finish).transpose()?.flatten();
        let card = dataset_card::card(self.prepared, &state.summary);
        let mut exported = pool.install(|| assemble(&parts, target, storage, copied, &card))?;
        exported.published = self.publish(&exported.files, &card)?;
        log.emit(Event::ExportCompleted {
            output_path: target.shown().to_string(),
            duration: started.elapsed().as_secs_f64(),
            output_rows: exported.rows,
            output_bytes: exported.bytes,
        });
        Ok(exported)
    }
}

/// Also tells the export of each part.
struct Announcing<'a, W> {
    watcher: W,
    ahead: Option<&'a Ahead>,
    paths: &'a RunPaths,
}

impl<W: Watcher> Watcher for Announcing<'_, W> {
    fn started(&self, partition: usize) {
        self.watcher.started(partition);
    }

    fn completed(&self, partition: usize, manifest: &Manifest) {
        self.watcher.completed(partition, manifest);
        self.announce(manifest);
    }

    fn kept(&self, manifest: &Manifest) {
        self.watcher.kept(manifest);
        self.announce(manifest);
    }

    fn lost(&self, partition: usize) {
        self.watcher.lost(partition);
    }

    fn failed(&self, partition: usize, error: &anyhow::Error) {
        self.watcher.failed(partition, error);
    }
}

impl<W> Announcing<'_, W> {
    fn announce(&self, manifest: &Manifest) {
        if let (Some(ahead), Some(info)) = (self.ahead, &manifest.part) {
            let path = self.paths.parts().join(&manifest.data);
            // One that cannot be fetched now is copied at the end, or the error is told then.
            if self.paths.bring(&path).is_ok() {
                ahead.part(manifest.partition, path, info);
            }
        }
    }
}

/// Adds what earlier attempts did to the tally: for each partition, the account of its manifest
/// that covers the most ops.
fn take_over(tally: &Tally, index: &Index) {
    let mut deepest: BTreeMap<usize, Arc<Manifest>> = BTreeMap::new();
    for manifest in index.manifests() {
        match deepest.get(&manifest.partition) {
            Some(other) if other.account.ops.len() >= manifest.account.ops.len() => {}
            _ => drop(deepest.insert(manifest.partition, manifest)),
        }
    }
    tally.take_over(
        deepest
            .values()
            .flat_map(|manifest| manifest.account.ops.values()),
    );
}

/// Returns the bytes of the input that the partitions without earlier work have.
fn bytes_left(dataset: &Dataset, chosen: &Chosen, reuse: &Reuse) -> u64 {
    let size = |p: &usize| {
        chosen.partitions[*p]
            .slices
            .iter()
            .map(|s| s.end - s.start)
            .sum::<u64>()
    };
    let all: u64 = (0..chosen.partitions.len()).map(|p| size(&p)).sum();
    let left = reuse.from_input.iter().map(size).sum::<u64>();
    // Slices of columnar files count rows, not bytes.
    (dataset.bytes() as f64 * left as f64 / all.max(1) as f64) as u64
}
