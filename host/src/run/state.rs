//! What the run directory says of the job while it runs: summary, dataset mapping, events of its
//! state.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};

use super::progress::Bar;
use super::{Prepared, op_refs};
use crate::checkpoint::{Account, Artifact, Chains, Manifest};
use crate::data::{Dataset, Exported, Partition};
use crate::exec::{Index, Watcher};
use crate::partition::table::request_key;
use crate::plan::Plan;
use crate::rundir::events::{CheckpointDone, Event, EventLog, OpRef, now};
use crate::rundir::summary::Component;
use crate::rundir::{DatasetMapping, JobSummary, Ledger, RunPaths, Status};
use crate::term::{count, say};

/// The state of one attempt.
pub(crate) struct State {
    pub(crate) summary: JobSummary,
    paths: RunPaths,
    mapping: Option<DatasetMapping>,
    started: std::time::Instant,
}

impl State {
    /// Writes the summary of a running job and says that it has started. A retry is started by what
    /// the run directory says; the job keeps the recipe and the command that it had.
    pub(crate) fn start(
        prepared: &Prepared,
        is_retry: bool,
        paths: &RunPaths,
        log: &EventLog,
        attempt: u32,
    ) -> Result<Self> {
        let (resolved, dirs) = (&prepared.resolved, &prepared.resolved.dirs);
        let is_resuming = paths.summary().exists();
        let earlier = if is_retry {
            JobSummary::load_if_readable(paths)?
        } else {
            None
        };
        let mut summary = JobSummary::start(paths, &dirs.job_id, attempt, log.path())?;
        let absolute = |path: &std::path::Path| {
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
        summary.export_path = absolute(&prepared.target.path);
        summary.resumption_command = resumption(prepared);
        if let Some(earlier) = earlier {
            (summary.config_file, summary.resumption_command) =
                (earlier.config_file, earlier.resumption_command);
        }
        summary.versions.insert("wit".into(), "0.1.0".into());
        for op in &prepared.plan.ops {
            for component in std::iter::once(&op.pool)
                .chain(&op.fallbacks)
                .map(|pool| pool.component())
            {
                let source = component.source.to_string();
                if summary
                    .plugins
                    .insert(source.clone(), component.digest.clone())
                    .is_none()
                {
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
            mapping: None,
            started: std::time::Instant::now(),
        })
    }

    /// Forgets the export of an earlier attempt: it is about to be replaced.
    pub(crate) fn exporting(&self) -> Result<()> {
        crate::rundir::Storage::new().remove(&done_path(&self.paths))
    }

    /// Ends an attempt that had nothing to do.
    pub(crate) fn completed_before(&mut self, log: &EventLog) -> Result<()> {
        let duration = self.started.elapsed().as_secs_f64();
        if let Some(earlier) = read_done(&self.paths)? {
            self.summary.ledger = earlier.ledger.clone();
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

    /// Notes the partitions, and what of them is done already.
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

    /// Who hears of partitions while they run.
    pub(crate) fn watcher<'a>(
        &'a mut self,
        log: &'a EventLog,
        bar: &'a Bar,
        paths: &'a RunPaths,
    ) -> Notes<'a> {
        let mapping = self
            .mapping
            .take()
            .unwrap_or_else(|| DatasetMapping::new("", std::iter::empty()));
        Notes {
            state: Mutex::new((mapping, BTreeMap::new())),
            log,
            bar,
            paths,
        }
    }

    /// Enters the accounts of all parts into ledger and table.
    pub(crate) fn account(&mut self, plan: &Plan, manifests: &[Manifest]) -> Ledger {
        self.summary.ledger = Ledger::default();
        self.summary.ops.clear();
        for op in &plan.ops {
            self.summary.add_op(&crate::rundir::events::OpDone {
                op: OpRef::new(op.index, &op.name),
                ..Default::default()
            });
        }
        for manifest in manifests {
            let Account { read, bad, ops, .. } = &manifest.account;
            self.summary.ledger.read += read;
            self.summary.ledger.quarantined += bad;
            self.summary.ledger.output += manifest.rows;
            ops.values().for_each(|done| self.summary.add_op(done));
        }
        self.summary.ledger.clone()
    }

    /// A sentence for each op that no row has passed.
    pub(crate) fn emptied(&self) -> Vec<String> {
        let emptied = self
            .summary
            .ops
            .iter()
            .filter(|op| op.rows_in > 0 && op.rows_out == 0 && op.quarantined < op.rows_in);
        let sentence = |op: &crate::rundir::summary::OpTotals| {
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
            format!(
                "op {} `{}` has removed {what}{bad}: are its parameters and the fields that it reads right?",
                op.index, op.name
            )
        };
        emptied.map(sentence).collect()
    }

    /// The job is done: checks the ledger, commits the summary.
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
        let files = exported
            .files
            .iter()
            .map(|f| DoneFile::of(f))
            .collect::<Result<_>>()?;
        let done = Done {
            key: result_key(prepared, chains),
            request: request_key(prepared),
            files,
            ledger: self.summary.ledger.clone(),
            ops: self.summary.ops.clone(),
            totals: self.summary.totals.clone(),
            warnings: self.summary.warnings.clone(),
        };
        crate::rundir::Storage::new().write_json(&done_path(&self.paths), &done)?;
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

    /// The job was stopped.
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
        // How to go on is to be said also where the disk is full.
        let noted = self.end(Status::Stopped, None);
        say(&format!(
            "job `{}` is stopped; continue with: {}\n",
            self.summary.job_id, self.summary.resumption_command
        ));
        noted
    }

    /// The job failed.
    pub(crate) fn failed(&mut self, log: &EventLog, error: &anyhow::Error) -> Result<()> {
        let message = format!("{error:#}");
        log.emit(Event::JobFailed {
            duration: self.started.elapsed().as_secs_f64(),
            error_message: message.clone(),
            error_type: error_type(error).to_owned(),
            resumption_command: self.summary.resumption_command.clone(),
        });
        self.usage();
        let noted = self.end(Status::Failed, Some(message));
        let (job, command) = (&self.summary.job_id, &self.summary.resumption_command);
        say(&format!(
            "job `{job}` failed; when the cause is mended, continue with: {command}\n"
        ));
        noted
    }

    fn end(&mut self, status: Status, error: Option<String>) -> Result<()> {
        self.summary.finish(status, error);
        self.summary.save(&self.paths)
    }

    fn usage(&mut self) {
        let (cpu, peak) = usage();
        self.summary.totals.cpu_seconds += cpu;
        self.summary.totals.peak_memory = self.summary.totals.peak_memory.max(peak);
    }
}

/// CPU seconds and peak resident bytes of this process, from `/proc/self`.
fn usage() -> (f64, u64) {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks; behind it, utime and stime are the 12th and 13th
    // field.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let time = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(0.0)
            / ticks
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .and_then(|v| v.split_whitespace().next()?.parse::<u64>().ok());
    (time(11) + time(12), peak.unwrap_or(0) * 1024)
}

/// Tells those who read only the newest event file what earlier attempts did to a partition.
fn take_over(partition_id: usize, plan: &Plan, index: &Index, paths: &RunPaths, log: &EventLog) {
    let part = index.get(Artifact::Part, 0, partition_id);
    let stored = |artifact| {
        plan.ops
            .iter()
            .rev()
            .find_map(move |op| index.get(artifact, op.index, partition_id))
    };
    let deepest = part
        .clone()
        .into_iter()
        .chain(stored(Artifact::Rows))
        .chain(stored(Artifact::Mask))
        .max_by_key(|m| m.account.ops.len());
    let Some(deepest) = deepest else { return };
    for done in deepest.account.ops.values() {
        log.emit(Event::OpCompleted(crate::rundir::events::OpDone {
            partition_id,
            taken_over: true,
            ..done.clone()
        }));
    }
    for manifest in plan
        .ops
        .iter()
        .filter_map(|op| index.get(Artifact::Rows, op.index, partition_id))
    {
        let op = manifest
            .op
            .map(|op| OpRef::new(op, &plan.ops[op].name))
            .unwrap_or_default();
        log.emit(Event::CheckpointSaved(CheckpointDone {
            partition_id,
            op,
            checkpoint_path: paths
                .checkpoints()
                .join(&manifest.data)
                .display()
                .to_string(),
            output_rows: manifest.rows,
            bytes: manifest.bytes,
            taken_over: true,
            ..CheckpointDone::default()
        }));
    }
    if let Some(part) = part {
        log.emit(Event::PartitionCompleted {
            partition_id,
            duration: part.account.ops.values().map(|done| done.duration).sum(),
            input_rows: part.account.read,
            output_rows: part.rows,
            output_bytes: part.bytes,
            output_path: part.data,
            taken_over: true,
        });
    }
}

/// Hears of partitions and writes it down.
pub(crate) struct Notes<'a> {
    state: Mutex<(DatasetMapping, BTreeMap<usize, std::time::Instant>)>,
    log: &'a EventLog,
    bar: &'a Bar,
    paths: &'a RunPaths,
}

impl Watcher for Notes<'_> {
    fn started(&self, partition: usize) {
        let mut state = self.state.lock().expect("no panic while held");
        state.1.insert(partition, std::time::Instant::now());
        state.0.started(partition, now());
        self.save(&state.0);
    }

    fn completed(&self, partition: usize, manifest: &Manifest) {
        let mut state = self.state.lock().expect("no panic while held");
        let duration = state
            .1
            .get(&partition)
            .map_or(0.0, |s| s.elapsed().as_secs_f64());
        self.log.emit(Event::PartitionCompleted {
            partition_id: partition,
            duration,
            input_rows: manifest.account.read,
            output_rows: manifest.rows,
            output_bytes: manifest.bytes,
            output_path: manifest.data.clone(),
            taken_over: false,
        });
        self.bar.done.fetch_add(1, Ordering::Relaxed);
        state
            .0
            .completed(partition, now(), manifest.account.read, manifest.rows);
        self.save(&state.0);
    }

    fn failed(&self, partition: usize, error: &anyhow::Error) {
        let mut state = self.state.lock().expect("no panic while held");
        state.0.failed(partition, now(), format!("{error:#}"));
        self.save(&state.0);
    }
}

impl Notes<'_> {
    fn save(&self, mapping: &DatasetMapping) {
        if let Err(error) = mapping.save(self.paths) {
            tracing::warn!("{error:#}");
        }
    }
}

/// The command that resumes the job, for a shell: what holds a space, a quote or nothing at all is
/// quoted.
fn resumption(prepared: &Prepared) -> String {
    let resolved = &prepared.resolved;
    let mut words = vec!["djhost".to_owned(), "run".to_owned()];
    words.extend(
        resolved
            .file
            .as_ref()
            .map(|file| file.display().to_string()),
    );
    words.extend(
        resolved
            .config
            .plugins
            .0
            .iter()
            .flat_map(|plugin| ["--plugins".to_owned(), plugin.clone()]),
    );
    for (key, origin) in &resolved.origins {
        if !matches!(origin, crate::config::Origin::CommandLine(_))
            || matches!(key.as_str(), "job_id" | "resume" | "plugins")
        {
            continue;
        }
        if let Some(entry) = resolved
            .config
            .entries()
            .into_iter()
            .find(|entry| entry.key == *key)
        {
            words.push(format!("--{key}"));
            words.push(
                entry
                    .value
                    .as_str()
                    .map_or_else(|| entry.value.to_string(), str::to_owned),
            );
        }
    }
    words.extend(["--job_id".to_owned(), resolved.dirs.job_id.clone()]);
    // No argument of a command has a NUL byte, the one thing that no quotes can hold.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

fn error_type(error: &anyhow::Error) -> &'static str {
    if error.chain().any(|e| e.is::<std::io::Error>()) {
        "io"
    } else {
        "job"
    }
}

/// `metadata/result.json`: what a complete job made, to tell whether there is anything left to do.
#[derive(serde::Serialize, serde::Deserialize)]
struct Done {
    key: crate::plan::lineage_key::Key,
    request: crate::plan::lineage_key::Key,
    files: Vec<DoneFile>,
    ledger: Ledger,
    ops: Vec<crate::rundir::summary::OpTotals>,
    totals: crate::rundir::summary::Totals,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct DoneFile {
    path: PathBuf,
    bytes: u64,
}

impl DoneFile {
    fn of(path: &std::path::Path) -> Result<Self> {
        let bytes = std::fs::metadata(path)
            .with_context(|| format!("cannot read `{}`", path.display()))?
            .len();
        Ok(Self {
            path: std::path::absolute(path)?,
            bytes,
        })
    }

    fn is_unchanged(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|m| m.len() == self.bytes)
    }
}

/// Whether an earlier attempt has made just this export and it is still there. `chains` finds it
/// also where files of the dataset were touched only; without them less has to be known.
pub(crate) fn is_done(
    paths: &RunPaths,
    prepared: &Prepared,
    chains: Option<&Chains>,
) -> Result<bool> {
    let Some(done) = read_done(paths)? else {
        return Ok(false);
    };
    let same = match chains {
        Some(chains) => done.key == result_key(prepared, chains),
        None => done.request == request_key(prepared),
    };
    Ok(same && done.files.iter().all(|f| f.is_unchanged()))
}

/// The ledger of a job that is complete and says so: an attempt would have nothing to do and
/// nothing to say.
pub(crate) fn complete(paths: &RunPaths, prepared: &Prepared) -> Result<Option<Ledger>> {
    let says_so = JobSummary::load_if_readable(paths)?
        .is_some_and(|summary| summary.status == Status::Completed);
    if !says_so || !is_done(paths, prepared, None)? {
        return Ok(None);
    }
    Ok(read_done(paths)?.map(|done| done.ledger))
}

fn done_path(paths: &RunPaths) -> PathBuf {
    paths.metadata().join("result.json")
}

fn read_done(paths: &RunPaths) -> Result<Option<Done>> {
    match std::fs::read(done_path(paths)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read `{}`", done_path(paths).display())),
    }
}

/// What the export is made of and how.
fn result_key(prepared: &Prepared, chains: &Chains) -> crate::plan::lineage_key::Key {
    let target = &prepared.target;
    let key = crate::plan::lineage_key::KeyBuilder::new("result")
        .with(target.path.as_os_str().as_encoded_bytes())
        .with(format!(
            "{:?} {:?} {:?}",
            target.format, target.compression, target.shard_size
        ));
    chains
        .parts()
        .fold(key, |k, part| k.with(part.as_str()))
        .key()
}

/// Removes everything that earlier attempts left, but for the lock.
pub(crate) fn forget(paths: &RunPaths) -> Result<()> {
    let entries = std::fs::read_dir(paths.root())
        .with_context(|| format!("cannot list `{}`", paths.root().display()))?;
    // The summary goes first: without it there is no job to continue.
    crate::rundir::Storage::new().remove(&paths.summary())?;
    for entry in entries {
        let path = entry?.path();
        if path == paths.lock() {
            continue;
        }
        let known = paths.directories();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let removed = if known.contains(&path) && path.is_symlink() {
            // Where the recipe wanted it.
            let there = std::fs::canonicalize(&path).and_then(std::fs::remove_dir_all);
            there
                .and_then(|()| std::fs::remove_file(&path))
                .or_else(|_| std::fs::remove_file(&path))
        } else if known.contains(&path) {
            std::fs::remove_dir_all(&path)
        } else if RunPaths::is_event_file(&name)
            || path == paths.plan()
            || path == paths.stop_request()
        {
            std::fs::remove_file(&path)
        } else {
            // Somebody else's file: it stays.
            Ok(())
        };
        match removed {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("cannot remove `{}`", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
