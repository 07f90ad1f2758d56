//! How many rows stay with other thresholds, counted row by row: exact for any values, and for
//! several filters together, where the curves of the page know the stops of one stat.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::stats::unbounded;
use crate::error::{UserError, did_you_mean};
use crate::jobs::{Bounds, Fate, Job, JobSummary, Trace, TracedOp};
use crate::rundir::trace::Run;
use crate::term::counted;

/// How to learn what is not known.
const AGAIN: &str = "run the recipe again with `trace: stats`, or analyze it";

/// What filters with other thresholds would keep.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct WhatIf {
    /// Rows of the dataset; of an analysis, those that it looked at.
    pub rows: u64,
    /// How many of them stay with the thresholds of the recipe.
    pub stay_now: u64,
    /// How many would stay.
    pub stay: u64,
    /// The filters with other thresholds, each for itself.
    pub ops: Vec<OpWhatIf>,
    /// Why `stay` is an estimate; empty: it is exact.
    pub estimate: Vec<String>,
}

/// One of the filters.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpWhatIf {
    /// Its number, in the order in which ops ran.
    pub op: usize,
    /// Its name.
    pub name: String,
    /// Rows that came to it.
    pub rows: u64,
    /// How many of them it keeps.
    pub stay_now: u64,
    /// How many it would keep.
    pub stay: u64,
}

/// A filter with its thresholds by the stat's key, as they are and as they would be.
struct Changed<'a> {
    op: &'a TracedOp,
    bounds: BTreeMap<&'a str, [Bounds; 2]>,
    counts: OpWhatIf,
    /// Rows that were not judged by the thresholds alone, and rows that come back.
    odd: u64,
    back: u64,
}

impl WhatIf {
    /// Counts what the filters of a job would keep with other parameters: pairs of `OP.PARAMETER`
    /// and its value, None for no bound. The trace must have their stats of all rows (`trace: stats`,
    /// an analysis, or filters that compute them anyway). Holds 16 bytes for each row that does not
    /// stay.
    ///
    /// Fails with a [`UserError`] if there is no such parameter, or no such trace.
    pub fn of_job(job: &Job, wanted: &[(String, Option<f64>)]) -> Result<Self> {
        let trace = Trace::open(job.paths())?;
        let document = trace.document();
        let is_analysis = document.analysis.is_some();
        let job_id = job.paths().job_id();
        if !document.has_kept() {
            let mode = &document.mode;
            let message = format!(
                "this job ran with `trace: {mode}`, which has no stats of rows that were kept"
            );
            return Err(UserError::new(job_id, message).hint(AGAIN).into());
        }
        let mut changed = changed(document.ops.as_slice(), wanted)?;
        for Changed { op, bounds, .. } in changed.values() {
            if let Some(key) = bounds.keys().find(|key| !document.knows_kept(op, key)) {
                let message = format!(
                    "op {} `{}` decided about rows that it kept without their `{key}`, so this job's trace does not have it",
                    op.op, op.name
                );
                return Err(UserError::new(job_id, message).hint(AGAIN).into());
            }
        }
        let (mut gone, mut gone_now) = (Vec::new(), Vec::new());
        let mut judged: BTreeMap<usize, u64> = BTreeMap::new();
        let mut several = false;
        let fates = [
            Fate::Kept,
            Fate::Dropped,
            Fate::Merged,
            Fate::Grouped,
            Fate::Quarantined,
            Fate::Made,
        ];
        trace.each_run(&fates, |run| {
            several |= run.fate == Fate::Made || run.has_pieces();
            if let (Some(op), Fate::Kept | Fate::Dropped) = (run.op, run.fate) {
                *judged.entry(op).or_default() += run.rows().len() as u64;
                if let Some(changed) = changed.get_mut(&op) {
                    changed.judge(run, &mut gone, &mut gone_now);
                    return Ok(());
                }
            }
            if !matches!(run.fate, Fate::Kept | Fate::Made) {
                gone.extend_from_slice(run.rows());
                gone_now.extend_from_slice(run.rows());
            }
            Ok(())
        })?;
        let read = || -> Result<u64> {
            let summary = JobSummary::load_if_readable(job.paths())?;
            Ok(summary.map_or(0, |summary| summary.ledger.read))
        };
        let rows = match is_analysis {
            true => judged.values().copied().max().unwrap_or(0),
            false => read()?,
        };
        let mut estimate = Vec::new();
        for one in changed.values() {
            one.doubts(&document.ops, is_analysis, &mut estimate);
        }
        if several {
            estimate.push(
                "a mapper makes several rows of one; rows of the dataset are counted".to_owned(),
            );
        }
        if !document.complete || !document.missing.is_empty() {
            estimate.push("the trace does not know what became of all rows".to_owned());
        }
        Ok(Self {
            rows,
            stay_now: rows.saturating_sub(different(gone_now)),
            stay: rows.saturating_sub(different(gone)),
            ops: changed.into_values().map(|one| one.counts).collect(),
            estimate,
        })
    }
}

/// Number of different ids.
fn different(mut ids: Vec<u64>) -> u64 {
    ids.sort_unstable();
    ids.dedup();
    ids.len() as u64
}

/// Finds the filters and their thresholds.
fn changed<'a>(
    ops: &'a [TracedOp],
    wanted: &[(String, Option<f64>)],
) -> Result<BTreeMap<usize, Changed<'a>>> {
    let mut found: BTreeMap<usize, Changed<'a>> = BTreeMap::new();
    for (key, value) in wanted {
        let (name, param) = key.rsplit_once('.').unwrap_or((key, ""));
        let is_it = |op: &&TracedOp| op.name == name || name.parse() == Ok(op.op);
        let place = ops
            .iter()
            .filter(is_it)
            .find_map(|op| Some((op, place(op, param)?)));
        let Some((op, (stat, side))) = place else {
            return Err(unknown(ops, key).into());
        };
        let one = found.entry(op.op).or_insert_with(|| Changed::new(op));
        let bounds = one.bounds.entry(stat).or_insert([unbounded(op); 2]);
        *(if side == 0 {
            &mut bounds[1].min
        } else {
            &mut bounds[1].max
        }) = *value;
    }
    Ok(found)
}

/// The stat that a parameter bounds, and whether below (0) or above (1).
fn place<'a>(op: &'a TracedOp, param: &str) -> Option<(&'a str, usize)> {
    op.bound_params.iter().find_map(|(stat, params)| {
        let side = params
            .iter()
            .position(|own| own.as_deref() == Some(param))?;
        Some((stat.as_str(), side))
    })
}

fn unknown(ops: &[TracedOp], key: &str) -> UserError {
    let valid: Vec<String> = ops
        .iter()
        .flat_map(|op| {
            let params = op.bound_params.values().flatten().flatten();
            params.map(|param| format!("{}.{param}", op.name))
        })
        .collect();
    let near = did_you_mean(key, valid.iter().map(String::as_str));
    let near = near
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    let message = format!("`{key}` is no threshold of a filter of this job");
    UserError::new("what_if", message).hint(match valid.is_empty() {
        true => "no filter of it judges a stat by a range".to_owned(),
        false => format!("{near}its thresholds: {}", valid.join(", ")),
    })
}

impl<'a> Changed<'a> {
    fn new(op: &'a TracedOp) -> Self {
        let bounds = op.bounds.iter();
        Self {
            op,
            bounds: bounds.map(|(key, b)| (key.as_str(), [*b; 2])).collect(),
            counts: OpWhatIf {
                op: op.op,
                name: op.name.clone(),
                ..OpWhatIf::default()
            },
            odd: 0,
            back: 0,
        }
    }

    fn judge(&mut self, run: &Run<'_>, gone: &mut Vec<u64>, gone_now: &mut Vec<u64>) {
        let stats: Vec<([Bounds; 2], Vec<f64>)> = run
            .stats()
            .filter_map(|(key, values)| Some((*self.bounds.get(key)?, values.collect())))
            .collect();
        for (at, row) in run.rows().iter().enumerate() {
            let within = |which: usize| {
                stats
                    .iter()
                    .all(|(bounds, values)| bounds[which].keeps(values[at]))
            };
            let stays_now = run.fate == Fate::Kept;
            // Of a row that the thresholds do not explain, they cannot say what others would do.
            let is_odd = within(0) != stays_now;
            let stays = if is_odd { stays_now } else { within(1) };
            self.odd += u64::from(is_odd);
            self.back += u64::from(stays && !stays_now);
            self.counts.rows += 1;
            self.counts.stay_now += u64::from(stays_now);
            self.counts.stay += u64::from(stays);
            if !stays {
                gone.push(*row);
            }
            if !stays_now {
                gone_now.push(*row);
            }
        }
    }

    /// Why the answer may be another one.
    fn doubts(&self, ops: &[TracedOp], is_analysis: bool, doubts: &mut Vec<String>) {
        let (op, name) = (self.op.op, &self.op.name);
        if self.odd > 0 {
            doubts.push(format!(
                "op {op} `{name}` judged {} by something else than its range",
                counted(self.odd, "row")
            ));
        }
        let mut later = ops.iter().filter(|later| later.op > op);
        if is_analysis {
            return;
        }
        if let Some(global) = later
            .clone()
            .find(|op| ["deduplicator", "selector", "grouper"].contains(&op.kind.as_str()))
        {
            doubts.push(format!(
                "op {} `{}`, a {}, compares rows with each other: with other rows there, it keeps others",
                global.op, global.name, global.kind
            ));
        } else if self.back > 0 && later.any(|later| later.kind == "filter") {
            doubts.push(format!(
                "no later op has seen the {} that op {op} `{name}` would let through; it may drop some",
                counted(self.back, "row")
            ));
        }
    }
}
