//! Writes the state of a running job to the run directory: summary, dataset mapping, events.

mod done;
mod forget;
mod mapping_file;
mod mapping_watcher;
mod resumption;
mod taken_over;
mod usage;

pub use done::result_files;
pub(crate) use done::{complete, is_done};
pub(crate) use forget::forget;
pub(crate) use mapping_watcher::MappingWatcher;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Result;

use super::progress::Bar;
use super::{Prepared, RunOptions, expected, op_refs};
use crate::checkpoint::{Account, Artifact, Chains, Distribution, Manifest};
use crate::data::{Dataset, Exported, Partition};
use crate::exec::Index;
use crate::partition::table::request_key;
use crate::plan::Plan;
use crate::rundir::events::{Event, EventLog, OpDone, OpRef};
use crate::rundir::mirror::Mirror;
use crate::rundir::summary::{Component, OpTotals};
use crate::rundir::{DatasetMapping, JobSummary, Ledger, RunPaths, Status};
use crate::term::{count, say};
use done::{Done, DoneFile, read_done, result_key};
use mapping_file::MappingFile;
use resumption::resumption;
use taken_over::take_over;
pub(crate) use usage::usage;

/// The state of one attempt.
pub(crate) struct State {
    pub(crate) summary: JobSummary,
    paths: RunPaths,
    /// The stats of the result of which the recipe expects something.
    observed: BTreeMap<String, Distribution>,
    mapping: Option<DatasetMapping>,
    started: Instant,
    /// Whether it tells the user how the attempt ends.
    says: bool,
    /// If other processes have run tasks: the most memory that they had, in bytes.
    pub(crate) processes_memory: Option<u64>,
}

impl State {
    /// Writes the summary of a running job and emits its start. A retry takes the recipe from the
    /// run directory, so the job keeps its recipe and its command.
    pub(crate) fn start(
        prepared: &Prepared,
        options: &RunOptions,
        paths: &RunPaths,
        log: &EventLog,
        attempt: u32,
    ) -> Result<Self> {
        let (resolved, dirs) = (&prepared.resolved, &prepared.resolved.dirs);
        let is_resuming = paths.summary().exists();
        let earlier = if options.retry.is_some() {
            JobSummary::load_if_readable(paths)?
        } else {
            None
        };
        let mut summary = JobSummary::start(paths, &dirs.job_id, attempt, log.path())?;
        let absolute = |path: &Path| {
            std::path::absolute(path)
                .unwrap_or_else(|_| path.to_owned())
                .display()
                .to_string()
        };
        summary
            .project_name
            .clone_from(&resolved.config.project_name);
        summary.executor_type = resolved.config.executor_type.word().to_owned();
        summary.config_file = resolved.file.as_deref().map(absolute);
        summary.dataset_path = resolved.sources.join(" ");
        summary.export_path = match &prepared.target.remote {
            Some(address) => address.display().to_string(),
            None => absolute(&prepared.target.path),
        };
        summary.resumption_command = resumption(prepared);
        if let Some(earlier) = earlier {
            (summary.config_file, summary.resumption_command) =
                (earlier.config_file, earlier.resumption_command);
        }
        summary.versions.insert("wit".into(), "0.1.0".into());
        add_components(&mut summary, &prepared.plan);
        summary.totals.compile_seconds += crate::wasm::compiling().time.as_secs_f64();
        summary.save(paths)?;
        log.emit(Event::JobStarted {
            dataset_path: summary.dataset_path.clone(),
            export_path: summary.export_path.clone(),
            work_dir: summary.work_dir.clone(),
            config_file: summary.config_file.clone(),
            executor_type: summary.executor_type.clone(),
            operations: op_refs(&prepared.plan),
            is_resuming,
        });
        Ok(Self {
            summary,
            paths: paths.clone(),
            observed: BTreeMap::new(),
            mapping: None,
            started: Instant::now(),
            says: !options.embedded,
            processes_memory: None,
        })
    }

    /// Forgets the export of an earlier attempt, which is about to be replaced. Fails if the run
    /// directory cannot be kept any more.
    pub(crate) fn exporting(&self) -> Result<()> {
        if let Some(cause) = self.paths.mirror().and_then(Mirror::failure) {
            return Err(cause);
        }
        let result = self.paths.result();
        if !result.exists() {
            return Ok(());
        }
        self.paths.storage().remove(&result)?;
        self.paths.flush()
    }

    /// Ends an attempt that found nothing to do.
    pub(crate) fn completed_before(&mut self, prepared: &Prepared, log: &EventLog) -> Result<()> {
        let duration = self.started.elapsed().as_secs_f64();
        if let Some(earlier) = read_done(&self.paths)? {
            self.summary.expected = earlier.expected(prepared);
            self.summary.findings = earlier.findings;
            self.summary.ledger = earlier.ledger;
            self.summary.ops = earlier.ops;
            self.summary.totals = earlier.totals;
            self.summary.warnings = earlier.warnings;
        }
        let ledger = &self.summary.ledger;
        log.emit(Event::JobCompleted {
            duration,
            input_rows: ledger.read,
            output_rows: ledger.output,
            quarantined_rows: ledger.quarantined,
            output_path: self.summary.export_path.clone(),
        });
        self.end(Status::Completed, None)
    }

    /// Records the partitions and what earlier attempts did of them.
    pub(crate) fn partitions(
        &mut self,
        dataset: &Dataset,
        partitions: &[Partition],
        plan: &Plan,
        index: &Index,
        log: &EventLog,
    ) -> Result<()> {
        let sizes = partitions
            .iter()
            .map(|p| (p.slices.iter().map(|s| s.end - s.start).sum(), None));
        let mut mapping = DatasetMapping::new(self.summary.dataset_path.clone(), sizes);
        self.summary.totals.partitions = partitions.len();
        self.summary.totals.input_bytes = dataset.bytes();
        let earlier = DatasetMapping::load(&self.paths)?;
        for p in 0..partitions.len() {
            take_over(p, plan, index, &self.paths, log);
            if let Some(manifest) = index.get(Artifact::Part, 0, p) {
                mapping.taken_over(p, earlier.as_ref(), manifest.account.read, manifest.rows);
            }
        }
        mapping.save(&self.paths)?;
        self.mapping = Some(mapping);
        Ok(())
    }

    /// Returns the watcher that is told about partitions while they run.
    pub(crate) fn watcher<'a>(
        &'a mut self,
        log: &'a EventLog,
        bar: &'a Bar,
        paths: &RunPaths,
    ) -> MappingWatcher<'a> {
        let mapping = self
            .mapping
            .take()
            .unwrap_or_else(|| DatasetMapping::new("", std::iter::empty()));
        MappingWatcher {
            file: MappingFile::new(mapping, paths),
            began: Mutex::default(),
            log,
            bar,
        }
    }

    /// Computes ledger and table of ops from the accounts of all parts.
    pub(crate) fn account(&mut self, plan: &Plan, manifests: &[Manifest]) -> Ledger {
        self.summary.ledger = Ledger::default();
        self.summary.ops.clear();
        for op in &plan.ops {
            self.summary.add_op(&OpDone {
                op: OpRef::new(op.index, &op.name),
                ..Default::default()
            });
        }
        for manifest in manifests {
            let Account {
                read,
                bad,
                passed_over,
                ops,
                ..
            } = &manifest.account;
            self.summary.ledger.read += read;
            self.summary.ledger.quarantined += bad;
            self.summary.ledger.output += manifest.rows;
            for (kind, n) in passed_over {
                *self
                    .summary
                    .ledger
                    .passed_over
                    .entry(kind.clone())
                    .or_default() += n;
            }
            ops.values().for_each(|done| self.summary.add_op(done));
            for (key, values) in &manifest.account.observed {
                self.observed.entry(key.clone()).or_default().merge(values);
            }
        }
        let (expect, summary) = (&plan.expect, &mut self.summary);
        summary.expected = expected::check(expect, &summary.ledger, &summary.ops, &self.observed);
        self.summary.ledger.clone()
    }

    /// Returns a sentence for each op that removed every row, with its number.
    pub(crate) fn emptied(&self) -> Vec<(usize, String)> {
        let emptied = self
            .summary
            .ops
            .iter()
            .filter(|op| op.rows_in > 0 && op.rows_out == 0 && op.quarantined < op.rows_in);
        let sentence = |op: &OpTotals| {
            let bad = if op.quarantined > 0 {
                format!(", {} of them into quarantine", count(op.quarantined))
            } else {
                String::new()
            };
            let what = if op.rows_in == 1 {
                "the only row that came to it".to_owned()
            } else {
                format!("all {} rows that came to it", count(op.rows_in))
            };
            let sentence = format!(
                "op {} `{}` has removed {what}{bad}: are its parameters and the fields that it reads right?",
                op.index, op.name
            );
            (op.index, sentence)
        };
        emptied.map(sentence).collect()
    }

    /// Ends a complete job: checks the ledger and commits the summary.
    pub(crate) fn completed(
        &mut self,
        prepared: &Prepared,
        chains: &Chains,
        exported: &Exported,
        log: &EventLog,
    ) -> Result<()> {
        self.summary.ledger.check_balance()?;
        anyhow::ensure!(
            exported.rows == self.summary.ledger.output,
            "internal error: {} rows were exported of {} that came out of the ops",
            exported.rows,
            self.summary.ledger.output
        );
        self.summary.totals.output_bytes = exported.bytes;
        self.summary.warnings.clone_from(&exported.notes);
        self.usage();
        let files = match &prepared.target.remote {
            None => exported
                .files
                .iter()
                .map(|f| DoneFile::of(f))
                .collect::<Result<_>>()?,
            Some(_) => exported.published.iter().map(DoneFile::published).collect(),
        };
        let done = Done {
            key: result_key(prepared, chains),
            request: request_key(prepared),
            files,
            ledger: self.summary.ledger.clone(),
            ops: self.summary.ops.clone(),
            totals: self.summary.totals.clone(),
            warnings: self.summary.warnings.clone(),
            findings: self.summary.findings.clone(),
            observed: self.observed.clone(),
        };
        self.paths.flush()?;
        self.paths
            .storage()
            .write_json(&self.paths.result(), &done)?;
        let ledger = &self.summary.ledger;
        log.emit(Event::JobCompleted {
            duration: self.started.elapsed().as_secs_f64(),
            input_rows: ledger.read,
            output_rows: ledger.output,
            quarantined_rows: ledger.quarantined,
            output_path: self.summary.export_path.clone(),
        });
        self.end(Status::Completed, None)
    }

    /// Ends the attempt after a stop.
    pub(crate) fn stopped(&mut self, log: &EventLog, reason: &str) -> Result<()> {
        let duration = self.started.elapsed().as_secs_f64();
        let resumption_command = self.summary.resumption_command.clone();
        log.emit(Event::JobStopped {
            duration,
            reason: reason.to_owned(),
            resumption_command,
        });
        self.summary.stop_reason = Some(reason.to_owned());
        self.usage();
        // The command that continues the job is printed on a full disk, too.
        let recorded = self.end(Status::Stopped, None);
        let (job, command) = (&self.summary.job_id, &self.summary.resumption_command);
        self.say(&format!(
            "job `{job}` is stopped; continue with: {command}\n"
        ));
        recorded
    }

    /// Ends the attempt after an error.
    pub(crate) fn failed(&mut self, log: &EventLog, error: &anyhow::Error) -> Result<()> {
        let message = format!("{error:#}");
        log.emit(Event::JobFailed {
            duration: self.started.elapsed().as_secs_f64(),
            error_message: message.clone(),
            error_type: error_type(error).to_owned(),
            resumption_command: self.summary.resumption_command.clone(),
        });
        self.usage();
        let recorded = self.end(Status::Failed, Some(message));
        let (job, command) = (&self.summary.job_id, &self.summary.resumption_command);
        self.say(&format!(
            "job `{job}` failed; once the cause is fixed, continue with: {command}\n"
        ));
        recorded
    }

    fn say(&self, text: &str) {
        if self.says {
            say(text);
        }
    }

    fn end(&mut self, status: Status, error: Option<String>) -> Result<()> {
        self.summary.finish(status, error);
        self.summary.save(&self.paths)
    }

    fn usage(&mut self) {
        let used = usage();
        let (mut cpu, mut peak) = (used.cpu_seconds, used.peak_memory);
        if let Some(memory) = self.processes_memory {
            cpu += used.cpu_seconds_of_others;
            peak += memory;
        }
        let totals = &mut self.summary.totals;
        totals.cpu_seconds += cpu;
        totals.peak_memory = totals.peak_memory.max(peak);
    }
}

/// Adds the components of all ops, each once.
fn add_components(summary: &mut JobSummary, plan: &Plan) {
    let pools = plan
        .ops
        .iter()
        .flat_map(|op| std::iter::once(&op.pool).chain(&op.fallbacks));
    for component in pools.map(|pool| pool.component()) {
        let source = component.source.to_string();
        let known = summary
            .plugins
            .insert(source.clone(), component.digest.clone());
        if known.is_none() {
            summary.components.push(Component {
                source,
                digest: component.digest.clone(),
                bytes: component.bytes,
                wit_version: component.wit_version.clone(),
                interruptible: component.is_interruptible(),
            });
        }
    }
}

/// Returns the word for the kind of an error in `job_failed`.
fn error_type(error: &anyhow::Error) -> &'static str {
    if error.chain().any(|e| e.is::<std::io::Error>()) {
        "io"
    } else {
        "job"
    }
}
