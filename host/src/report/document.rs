//! What the page shows of one job, as data.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::analysis::{Analysis, analyse};
use super::examples::{self, Duplicates, Input, OpExamples, Reason};
use super::stats::{self, StatTable};
use crate::data::Dataset;
use crate::jobs::{
    Fate, Job, JobProgress, JobState, JobSummary, Ledger, RunPaths, Trace, TraceDocument,
};
use crate::rundir::events::now;
use crate::rundir::own_files::read_document;
use crate::rundir::summary::{Expected, Finding};

/// Partitions of the timeline. Of more, each line stands for several.
const PARTITIONS: usize = 300;
/// Checkpoints of the timeline.
const CHECKPOINTS: usize = 1000;
/// Bytes of the recipe.
const RECIPE: usize = 64 << 10;

/// One job.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Document {
    /// When this was computed, seconds since 1970.
    pub generated: f64,
    /// The version of djhost that did.
    pub djhost: String,
    /// Its id, state, times and rows.
    pub job: JobFacts,
    /// Ops in the order in which they ran.
    pub ops: Vec<OpFacts>,
    /// Where every input row went.
    pub ledger: Ledger,
    /// What the trace has: `off`, `dropped`, `all`, `stats`; empty without one.
    pub trace: String,
    /// What is not known, and why.
    pub notes: Vec<String>,
    /// The stats of filters.
    pub stats: Vec<StatTable>,
    /// Of which rows they are, if not of all.
    pub stats_note: Option<String>,
    /// Why rows are in quarantine.
    pub quarantine: Vec<Reason>,
    /// What deduplicators found.
    pub duplicates: Vec<Duplicates>,
    /// Examples of what ops did.
    pub examples: Vec<OpExamples>,
    /// When partitions were in work, with checkpoints.
    pub timeline: Timeline,
    /// The processes that worked on it.
    pub attempts: Vec<AttemptFacts>,
    /// The recipe with every default.
    pub recipe: String,
    /// Pairs of a component, version or file, and what identifies it.
    pub digests: Vec<(String, String)>,
    /// What an analysis finds across stats; None for a job that processes rows.
    pub analysis: Option<Analysis>,
    /// What deserves a look.
    pub findings: Vec<Finding>,
    /// What the recipe's `expect` demands.
    pub expected: Vec<Expected>,
    /// Values and types that the export could not keep.
    pub warnings: Vec<String>,
}

/// The job as a whole.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "as in JobProgress")]
pub struct JobFacts {
    pub job_id: String,
    pub status: JobState,
    pub is_running: bool,
    pub dataset_path: String,
    pub export_path: String,
    pub work_dir: String,
    pub start_time: Option<f64>,
    pub end_time: Option<f64>,
    pub duration: f64,
    pub fraction: f64,
    pub eta_seconds: Option<f64>,
    pub rows_per_second: f64,
    pub bytes_per_second: f64,
    pub rows_total: Option<u64>,
    pub rows_read: u64,
    pub rows_out: u64,
    pub quarantined: u64,
    pub input_bytes: u64,
    pub output_bytes: u64,
    pub cpu_seconds: f64,
    pub compile_seconds: f64,
    pub peak_memory: u64,
    pub partitions: BTreeMap<&'static str, usize>,
    pub checkpoints: usize,
    pub checkpoint_bytes: u64,
    pub resumed: usize,
    pub error_message: Option<String>,
    pub resumption_command: Option<String>,
}

/// An op.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "as in OpTotals and TracedOp")]
pub struct OpFacts {
    pub op: usize,
    pub name: String,
    pub kind: String,
    /// Its place in `process` as written.
    pub position: usize,
    pub params: Value,
    pub rows_in: u64,
    pub rows_out: u64,
    pub dropped: u64,
    pub merged: u64,
    pub quarantined: u64,
    pub created: u64,
    pub bytes_in: u64,
    pub cpu_seconds: f64,
    pub wall_seconds: f64,
    pub mb_per_cpu_second: f64,
    pub peak_memory: u64,
    pub traps: u64,
}

/// When partitions were in work.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Timeline {
    /// Number of partitions, which may be more than there are lines.
    pub partitions: usize,
    /// A line for each partition, or for several that follow each other.
    pub lines: Vec<Line>,
    /// Time, number of the line, op, and bytes of each checkpoint.
    pub checkpoints: Vec<(f64, usize, usize, u64)>,
}

/// One or several partitions.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Line {
    pub first: usize,
    pub last: usize,
    pub start: Option<f64>,
    pub end: Option<f64>,
    pub state: String,
    pub rows_in: u64,
    pub rows_out: Option<u64>,
    pub retries: u32,
    pub error: Option<String>,
}

/// An attempt.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "as in Attempt")]
pub struct AttemptFacts {
    pub attempt: u32,
    pub start: f64,
    pub end: Option<f64>,
    pub status: String,
}

/// How much of a job is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Depth<'a> {
    /// Its progress only, which takes little time: for a view that is refreshed.
    Progress,
    /// Also what became of its rows.
    Rows {
        /// Analyses: the share of rows that suggested bounds keep.
        keep: f64,
        /// Analyses: a field of rows, or a stat that is a text, by which stats are grouped.
        by: Option<&'a str>,
    },
}

impl Depth<'_> {
    /// Everything, with what is usual for analyses.
    pub const ALL: Self = Self::Rows {
        keep: 0.95,
        by: None,
    };
}

impl Document {
    /// Describes a job. `dataset` has its rows, as far as they can still be read.
    ///
    /// Fails if the run directory cannot be read, and with a [`UserError`](crate::error::UserError) if
    /// no row has the field to group by.
    pub fn of_job(job: &Job, dataset: Option<&Dataset>, depth: Depth<'_>) -> Result<Self> {
        let progress = job.overall_progress()?;
        let summary = JobSummary::load_if_readable(job.paths())?;
        let traced = TraceDocument::load(job.paths())?;
        let mut document = Self {
            generated: now(),
            djhost: env!("CARGO_PKG_VERSION").to_owned(),
            job: facts(&progress, summary.as_ref()),
            ops: ops(&progress, summary.as_ref(), traced.as_ref()),
            ledger: summary
                .as_ref()
                .map(|s| s.ledger.clone())
                .unwrap_or_default(),
            timeline: timeline(&progress),
            quarantine: examples::reasons(&progress.quarantine),
            attempts: summary.as_ref().map(attempts).unwrap_or_default(),
            recipe: recipe(job.paths()),
            digests: summary.as_ref().map(digests).unwrap_or_default(),
            findings: summary
                .as_ref()
                .map(|s| s.findings.clone())
                .unwrap_or_default(),
            expected: summary
                .as_ref()
                .map(|s| s.expected.clone())
                .unwrap_or_default(),
            warnings: summary
                .as_ref()
                .map(|s| s.warnings.clone())
                .unwrap_or_default(),
            ..Self::default()
        };
        if document
            .attempts
            .last()
            .is_some_and(|last| last.end.is_none())
            && !progress.status.is_running()
            && let Some(last) = document.attempts.last_mut()
        {
            (last.end, last.status) = (progress.end_time, "died".to_owned());
        }
        if let Depth::Rows { keep, by } = depth {
            document.add_rows(job, dataset, traced.as_ref(), (keep, by))?;
        }
        Ok(document)
    }

    fn add_rows(
        &mut self,
        job: &Job,
        dataset: Option<&Dataset>,
        traced: Option<&TraceDocument>,
        wanted: (f64, Option<&str>),
    ) -> Result<()> {
        self.quarantine = examples::quarantine(job.paths())?;
        if dataset.is_none() {
            self.notes.push(
                "the dataset cannot be read as it was, so rows are named and not shown".to_owned(),
            );
        }
        let has_trace = job.paths().trace().is_dir();
        let Some(traced) = traced.filter(|traced| traced.mode != "off" && has_trace) else {
            self.notes.push(
                "the job has no trace, so it is not known which rows were dropped, and what other thresholds would keep; `trace: stats` records it"
                    .to_owned(),
            );
            return Ok(());
        };
        self.trace.clone_from(&traced.mode);
        if !traced.complete {
            self.notes.push(
                "the job is not complete: what is said of rows is of those that were processed so far".to_owned(),
            );
        }
        for missing in &traced.missing {
            self.notes.push(format!(
                "the trace does not know of {} at op {} `{}`, which an attempt with less trace had done",
                crate::term::counted(missing.partitions as u64, "partition"),
                missing.op,
                traced.ops.get(missing.op).map_or("", |op| op.name.as_str())
            ));
        }
        let trace = Trace::open(job.paths())?;
        if traced.analysis.is_some() {
            self.count_judgements(&trace)?;
        }
        let rows_out = self.ops.iter().map(|op| (op.op, op.rows_out)).collect();
        self.stats = stats::stats(&trace, &rows_out)?;
        let input = Input {
            dataset,
            trace: &trace,
        };
        self.examples = examples::of_ops(&input)?;
        let merged = self.ops.iter().filter(|op| op.merged > 0);
        let merged = merged.map(|op| (op.op, op.merged)).collect();
        self.duplicates = examples::duplicates(&input, &merged)?;
        if traced.analysis.is_some() {
            let analysis = analyse(&trace, &self.stats, wanted, dataset)?;
            self.job.rows_out = analysis.kept_by_all;
            self.analysis = Some(analysis);
        }
        Ok(())
    }

    /// The rows that filters of an analysis would drop, in place of those that it dropped: none.
    fn count_judgements(&mut self, trace: &Trace) -> Result<()> {
        let mut dropped: BTreeMap<usize, u64> = BTreeMap::new();
        let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
        trace.each_run(&[Fate::Kept, Fate::Dropped], |run| {
            let (op, n) = (run.op.unwrap_or_default(), run.rows().len() as u64);
            *rows.entry(op).or_default() += n;
            if run.fate == Fate::Dropped {
                *dropped.entry(op).or_default() += n;
            }
            Ok(())
        })?;
        for op in &mut self.ops {
            // A mapper that comes last, and the sample before the first, left out rows.
            let judged = rows.get(&op.op).copied();
            op.rows_in = judged.unwrap_or(op.rows_in);
            op.dropped = dropped.get(&op.op).copied().unwrap_or(0);
            op.rows_out = (op.rows_in + op.created).saturating_sub(op.dropped + op.quarantined);
        }
        Ok(())
    }
}

fn facts(p: &JobProgress, summary: Option<&JobSummary>) -> JobFacts {
    let totals = summary.map(|s| s.totals.clone()).unwrap_or_default();
    let read: u64 = p
        .partition
        .iter()
        .map(|partition| partition.input_bytes)
        .sum();
    JobFacts {
        job_id: p.job_id.clone(),
        status: p.status,
        is_running: p.status.is_running(),
        dataset_path: p.dataset_path.clone(),
        export_path: p.export_path.clone(),
        work_dir: p.work_dir.clone(),
        start_time: p.start_time,
        end_time: p.end_time,
        duration: p.duration,
        fraction: p.fraction,
        eta_seconds: p.eta_seconds,
        rows_per_second: p.rates.rows_per_second,
        bytes_per_second: p.rates.bytes_per_second,
        rows_total: p.rows.total,
        rows_read: p.rows.read,
        rows_out: p.rows.output,
        quarantined: p.rows.quarantined,
        input_bytes: totals.input_bytes.max(read),
        output_bytes: totals.output_bytes,
        cpu_seconds: totals.cpu_seconds,
        compile_seconds: totals.compile_seconds,
        peak_memory: totals.peak_memory,
        partitions: BTreeMap::from([
            ("total", p.partitions.total),
            ("done", p.partitions.done),
            ("running", p.partitions.running),
            ("failed", p.partitions.failed),
            ("waiting", p.partitions.waiting),
        ]),
        checkpoints: p.checkpoints.saved,
        checkpoint_bytes: p.checkpoints.bytes,
        resumed: p.checkpoints.resumed,
        error_message: p.error_message.clone(),
        resumption_command: p.resumption_command.clone(),
    }
}

fn ops(
    progress: &JobProgress,
    summary: Option<&JobSummary>,
    traced: Option<&TraceDocument>,
) -> Vec<OpFacts> {
    let ledger = summary.map(|s| s.ledger.clone()).unwrap_or_default();
    let op = |totals: &crate::rundir::summary::OpTotals| {
        let known = traced.and_then(|t| t.ops.iter().find(|op| op.op == totals.index));
        let suffix = totals.name.rsplit('_').next().unwrap_or_default();
        let gone = totals.merged + totals.quarantined + totals.rows_out;
        OpFacts {
            op: totals.index,
            name: totals.name.clone(),
            kind: known.map_or_else(|| suffix.to_owned(), |op| op.kind.clone()),
            position: known.map_or(totals.index, |op| op.position),
            params: known.map(|op| op.params.clone()).unwrap_or_default(),
            rows_in: totals.rows_in,
            rows_out: totals.rows_out,
            dropped: (ledger.dropped.get(&totals.index).copied())
                .unwrap_or_else(|| (totals.rows_in + totals.created).saturating_sub(gone)),
            merged: totals.merged,
            quarantined: totals.quarantined,
            created: totals.created,
            bytes_in: totals.bytes_in,
            cpu_seconds: totals.cpu_seconds,
            wall_seconds: totals.wall_seconds,
            mb_per_cpu_second: totals.mb_per_cpu_second,
            peak_memory: totals.peak_memory,
            traps: totals.traps,
        }
    };
    progress.ops.iter().map(|o| op(&o.totals)).collect()
}

fn timeline(progress: &JobProgress) -> Timeline {
    let partitions = progress.partition.len();
    let each = partitions.div_ceil(PARTITIONS).max(1);
    let least = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let lines = progress.partition.chunks(each).map(|some| {
        let states: Vec<String> = some.iter().map(|p| p.state.to_string()).collect();
        let state = match states.iter().all(|state| *state == states[0]) {
            true => states[0].clone(),
            false => ["failed", "running", "waiting"]
                .into_iter()
                .find(|state| states.iter().any(|known| known == state))
                .unwrap_or("done")
                .to_owned(),
        };
        let is_over = some.iter().all(|p| p.end_time.is_some());
        let ends = some.iter().filter_map(|p| p.end_time).reduce(f64::max);
        Line {
            first: some[0].partition_id,
            last: some[some.len() - 1].partition_id,
            start: some
                .iter()
                .fold(None, |first, p| least(first, p.start_time)),
            end: ends.filter(|_| is_over),
            state,
            rows_in: some.iter().map(|p| p.rows_in).sum(),
            rows_out: some.iter().map(|p| p.rows_out).sum(),
            retries: some.iter().map(|p| p.retries).sum(),
            error: some.iter().find_map(|p| p.error_message.clone()),
        }
    });
    let mut checkpoints = Vec::new();
    for (at, partition) in progress.partition.iter().enumerate() {
        for saved in &partition.checkpoints {
            checkpoints.push((saved.time, at / each, saved.op.index, saved.bytes));
        }
    }
    checkpoints.truncate(CHECKPOINTS);
    Timeline {
        partitions,
        lines: lines.collect(),
        checkpoints,
    }
}

fn attempts(summary: &JobSummary) -> Vec<AttemptFacts> {
    let each = summary.attempts.iter().map(|attempt| AttemptFacts {
        attempt: attempt.attempt,
        start: attempt.start_time,
        end: attempt.end_time.or(attempt.last_seen),
        status: match attempt.end_time.is_none() && attempt.last_seen.is_some() {
            true => "died".to_owned(),
            false => attempt.status.to_string(),
        },
    });
    each.collect()
}

/// The recipe as it ran; a note in its place if it cannot be read.
fn recipe(paths: &RunPaths) -> String {
    match read_document(&paths.resolved_config()) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            match text.char_indices().find(|(at, _)| *at >= RECIPE) {
                Some((at, _)) => format!("{}\n…", &text[..at]),
                None => text.into_owned(),
            }
        }
        Err(_) => String::new(),
    }
}

fn digests(summary: &JobSummary) -> Vec<(String, String)> {
    let versions = summary
        .versions
        .iter()
        .map(|(name, version)| (name.clone(), version.clone()));
    let components = summary.components.iter().map(|component| {
        (
            component.source.clone(),
            format!("sha256 {}", component.digest),
        )
    });
    versions.chain(components).collect()
}
