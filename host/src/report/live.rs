//! Stats of a job that runs, from the tasks that have ended.
//!
//! A file of the trace is read once: its values go into sums, and into a sample of rows that a hash
//! chooses, from which the histogram is drawn. What other thresholds would keep is counted when the
//! job has ended.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::curve::{Curve, Histogram, Rows, Sums};
use super::document::Document;
use super::stats::{CurveData, StatTable, kept_note, shares};
use crate::jobs::{Fate, Job, TraceDocument, TracedOp};
use crate::rundir::trace::{each_run, rank};
use crate::term::counted;

/// Rows in the sample of a stat.
const SAMPLE: usize = 4096;
/// Bins of a histogram.
const BINS: usize = 60;
/// How often new files are looked for, and how long they are read at a time.
const PAUSE: Duration = Duration::from_secs(3);
const AT_ONCE: Duration = Duration::from_millis(400);

/// The stats so far. Holds some 100 kB for each stat.
#[derive(Default)]
pub struct LiveStats {
    read: BTreeSet<PathBuf>,
    stats: BTreeMap<(usize, String), LiveStat>,
    looked: Option<Instant>,
    /// Whether files were left for the next time.
    behind: bool,
}

#[derive(Default)]
struct LiveStat {
    sums: Sums,
    /// The rows that come first by rank: rank, bits of the value, whether the op kept it.
    sample: BinaryHeap<(u64, u64, bool)>,
}

impl LiveStats {
    /// Adds the stats of the job to its description. Reads what is new, at most every few seconds and
    /// for less than one.
    ///
    /// Fails if the run directory cannot be read; files that come and go are passed over.
    pub fn add_to(&mut self, document: &mut Document, job: &Job) -> Result<()> {
        let Some(traced) = TraceDocument::load(job.paths())? else {
            return Ok(());
        };
        document.trace.clone_from(&traced.mode);
        if self.looked.is_none_or(|when| when.elapsed() >= PAUSE) {
            self.look(job, &traced)?;
            self.looked = Some(Instant::now());
        }
        if self.stats.is_empty() {
            return Ok(());
        }
        let behind = if self.behind {
            ", more are being read"
        } else {
            ""
        };
        document.stats_note = Some(format!(
            "So far, from {} of work{behind}. Thresholds can be moved when the job has ended.",
            counted(self.read.len() as u64, "finished piece"),
        ));
        for op in &traced.ops {
            let rows_out = document.ops.iter().find(|known| known.op == op.op);
            let rows_out = rows_out.map_or(0, |op| op.rows_out);
            for key in &op.stats {
                if let Some(stat) = self.stats.get(&(op.op, key.clone())) {
                    document.stats.push(stat.table(op, key, &traced, rows_out));
                }
            }
        }
        Ok(())
    }

    fn look(&mut self, job: &Job, traced: &TraceDocument) -> Result<()> {
        let files: BTreeSet<PathBuf> = job.paths().trace_files()?.into_iter().collect();
        if !self.read.is_subset(&files) {
            // A new attempt has removed what does not count.
            (self.read, self.stats) = Default::default();
        }
        let start = Instant::now();
        self.behind = false;
        for file in files {
            if self.read.contains(&file) {
                continue;
            }
            if start.elapsed() > AT_ONCE {
                self.behind = true;
                break;
            }
            let mut here = BTreeMap::new();
            match read(&file, traced, &mut here) {
                Ok(()) => {
                    for (stat, more) in here {
                        self.stats.entry(stat).or_default().merge(more);
                    }
                    self.read.insert(file);
                }
                Err(error) => tracing::debug!("no stats of a file: {error:#}"),
            }
        }
        Ok(())
    }
}

/// Adds the values of a file.
fn read(
    file: &std::path::Path,
    traced: &TraceDocument,
    stats: &mut BTreeMap<(usize, String), LiveStat>,
) -> Result<()> {
    each_run(file, &[Fate::Kept, Fate::Dropped], |run| {
        let Some(op) = run.op.and_then(|at| traced.ops.get(at)) else {
            return Ok(());
        };
        let is_kept = run.fate == Fate::Kept;
        for (key, values) in run.stats() {
            if !op.stats.iter().any(|own| own == key) {
                continue;
            }
            let finite = values
                .zip(run.rows())
                .filter(|(value, _)| value.is_finite());
            let mut finite = finite.peekable();
            if finite.peek().is_none() {
                continue;
            }
            let stat = stats.entry((op.op, key.to_owned())).or_default();
            for (value, row) in finite {
                stat.add(value, rank(op.op, *row, 0), is_kept);
            }
        }
        Ok(())
    })
}

impl LiveStat {
    fn add(&mut self, value: f64, rank: u64, is_kept: bool) {
        self.sums.add(value, rows(is_kept, 1));
        self.sampled((rank, (value + 0.0).to_bits(), is_kept));
    }

    fn sampled(&mut self, row: (u64, u64, bool)) {
        if self.sample.len() < SAMPLE {
            self.sample.push(row);
        } else if self.sample.peek().is_some_and(|last| row < *last) {
            self.sample.pop();
            self.sample.push(row);
        }
    }

    fn merge(&mut self, more: Self) {
        self.sums.merge(more.sums);
        more.sample.into_iter().for_each(|row| self.sampled(row));
    }

    fn table(&self, op: &TracedOp, key: &str, traced: &TraceDocument, rows_out: u64) -> StatTable {
        let mut at: BTreeMap<u64, Rows> = BTreeMap::new();
        for (_, bits, is_kept) in &self.sample {
            // The order of the bits is not that of negative numbers: sorted below.
            at.entry(*bits).or_default().add(rows(*is_kept, 1));
        }
        let mut at: Vec<(f64, Rows)> = at
            .into_iter()
            .map(|(bits, rows)| (f64::from_bits(bits), rows))
            .collect();
        at.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (stops, at) = at.into_iter().unzip();
        let curve = Curve {
            stops,
            at,
            between: Vec::new(),
        };
        let bounds = op.bounds.get(key).copied();
        let all = self.sums.rows;
        let mut histogram = curve.histogram(BINS, bounds.as_ref());
        scale(&mut histogram, all.all() as f64 / self.sample.len() as f64);
        StatTable {
            op: op.op,
            name: op.name.clone(),
            key: key.to_owned(),
            count: all.all(),
            kept: all.kept,
            mean: self.sums.mean(),
            deviation: self.sums.deviation(),
            min: self.sums.min,
            max: self.sums.max,
            percentiles: shares(|share| curve.percentile(share)),
            bounds,
            params: Default::default(),
            curve: CurveData::default(),
            histogram,
            knows_kept: traced.knows_kept(op, key),
            kept_note: kept_note(traced, op, key),
            rows_out,
            inexact: None,
            result_note: None,
            estimate: None,
        }
    }
}

fn rows(is_kept: bool, n: u64) -> Rows {
    match is_kept {
        true => Rows {
            kept: n,
            ..Rows::default()
        },
        false => Rows {
            dropped: n,
            ..Rows::default()
        },
    }
}

fn scale(histogram: &mut Histogram, factor: f64) {
    for n in histogram.kept.iter_mut().chain(&mut histogram.dropped) {
        *n = (*n as f64 * factor).round() as u64;
    }
}
