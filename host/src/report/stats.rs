//! The stats of a job's rows, from its trace.
//!
//! Two passes over the files, by columns. The first collects values; where these are too many for a
//! stat, the second counts rows at stops. Memory is bounded by the number of stats, and 8 bytes for
//! each row that is not in the result, up to [`ENDED`] rows.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::curve::{Curve, Histogram, Rows, Sums, Values};
use crate::jobs::{Bounds, Fate, Trace, TraceDocument, TracedOp};
use crate::rundir::trace::{Run, rank};

/// Different values of one stat, and of all stats together, that the page has.
const DISTINCT: usize = 1500;
const DISTINCT_IN_ALL: usize = 24_000;
/// Bins of a histogram.
const BINS: usize = 60;
/// Rows out of the result of which the ids are held.
const ENDED: usize = 25_000_000;
/// The shares of rows of which the value is given.
const SHARES: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/// A stat that an op computed.
#[derive(Debug, Clone, Serialize)]
pub struct StatTable {
    /// The op, in the order in which ops ran.
    pub op: usize,
    /// The op's name.
    pub name: String,
    /// The stat's key.
    pub key: String,
    /// Rows with this stat.
    pub count: u64,
    /// Rows with this stat that the op kept.
    pub kept: u64,
    /// Of all rows with the stat.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// Pairs of a share and the value up to which it is.
    pub percentiles: Vec<(f64, f64)>,
    /// What the recipe demanded; None if it is not known to be a range.
    pub bounds: Option<Bounds>,
    /// The parameters that are the bounds.
    pub params: [Option<String>; 2],
    /// What other bounds keep.
    pub curve: CurveData,
    /// Rows by value.
    pub histogram: Histogram,
    /// Whether the rows that the op kept are known, too.
    pub knows_kept: bool,
    /// Why they are not.
    pub kept_note: Option<String>,
    /// Rows that left the op: what stays beside the known ones if only dropped rows are known.
    pub rows_out: u64,
    /// Why what other bounds keep at this op is an estimate.
    pub inexact: Option<String>,
    /// Why the result that other bounds lead to is not known exactly.
    pub result_note: Option<String>,
    /// Why what would become of rows later is an estimate, if it is.
    pub estimate: Option<String>,
}

/// The step function, for the page: lists of the same length.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CurveData {
    /// Values, ascending.
    pub stops: Vec<f64>,
    /// Rows with just this value: kept.
    pub kept: Vec<u64>,
    /// Dropped because of this stat.
    pub dropped: Vec<u64>,
    /// Kept, and in the result; empty if that is not known.
    pub result: Vec<u64>,
    /// The same for rows between the stop before and this one, and behind the last; empty if the
    /// stops are all values there are.
    pub between: Option<Between>,
}

impl Curve {
    /// The curve that a page has.
    pub(super) fn of(data: &CurveData) -> Self {
        let rows = |kept: &[u64], dropped: &[u64]| {
            let each = kept.iter().zip(dropped);
            each.map(|(kept, dropped)| Rows {
                kept: *kept,
                dropped: *dropped,
                ..Rows::default()
            })
            .collect()
        };
        Self {
            stops: data.stops.clone(),
            at: rows(&data.kept, &data.dropped),
            between: (data.between.as_ref()).map_or_else(Vec::new, |b| rows(&b.kept, &b.dropped)),
        }
    }
}

/// Rows between stops.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Between {
    /// Kept.
    pub kept: Vec<u64>,
    /// Dropped because of this stat.
    pub dropped: Vec<u64>,
    /// Kept, and in the result.
    pub result: Vec<u64>,
}

/// A stat while it is collected.
struct Open<'a> {
    op: &'a TracedOp,
    key: &'a str,
    bounds: Option<Bounds>,
    values: Option<Values>,
    curve: Curve,
    sums: Sums,
    /// Rows dropped although this stat is in the bounds, and rows kept although it is not.
    other_reasons: u64,
    contradictions: u64,
}

/// The stats of all filters. `rows_out`: the number of rows that left each op.
pub(super) fn stats(trace: &Trace, rows_out: &BTreeMap<usize, u64>) -> Result<Vec<StatTable>> {
    let document = trace.document();
    let keys: usize = document.ops.iter().map(|op| op.stats.len()).sum();
    let most = DISTINCT.min(DISTINCT_IN_ALL / keys.max(1)).max(64);
    let mut open: Vec<Open<'_>> = Vec::new();
    for op in &document.ops {
        for key in &op.stats {
            let bounds = op.bounds.get(key).copied();
            let has_params = op
                .bound_params
                .get(key)
                .is_some_and(|p| p.iter().any(Option::is_some));
            open.push(Open {
                op,
                key,
                bounds: bounds.or(has_params.then(|| unbounded(op))),
                values: Some(Values::new(most)),
                curve: Curve::default(),
                sums: Sums::default(),
                other_reasons: 0,
                contradictions: 0,
            });
        }
    }
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let ended = match document.has_kept() {
        true => ended(trace)?,
        false => Ended::Unknown(
            "only dropped rows are recorded: `trace: stats` keeps the stats of all rows",
        ),
    };
    let slots: BTreeMap<(usize, &str), usize> = open
        .iter()
        .enumerate()
        .map(|(slot, stat)| ((stat.op.op, stat.key), slot))
        .collect();
    each_value(trace, &ended, &slots, |slot, value, row, rows, judged| {
        let stat = &mut open[slot];
        stat.other_reasons += u64::from(judged == Judged::ForAnother);
        stat.contradictions += u64::from(judged == Judged::Contradiction);
        if let Some(values) = &mut stat.values {
            values.add(value, rank(stat.op.op, row, 0), rows);
        }
    })?;
    let mut is_open = false;
    for stat in &mut open {
        let Some(values) = stat.values.take() else {
            continue;
        };
        stat.sums = values.sums;
        stat.curve = values.curve(stat.bounds.as_ref());
        is_open |= stat.curve.is_open();
    }
    if is_open {
        each_value(trace, &ended, &slots, |slot, value, _, rows, _| {
            if open[slot].curve.is_open() {
                open[slot].curve.count(value, rows);
            }
        })?;
    }
    let tables = open.into_iter().filter(|stat| stat.sums.rows.all() > 0);
    Ok(tables
        .map(|stat| {
            let rows_out = rows_out.get(&stat.op.op).copied().unwrap_or(0);
            stat.table(&ended, document, rows_out)
        })
        .collect())
}

/// Bounds that demand nothing, with the flags of the op.
pub(super) fn unbounded(op: &TracedOp) -> Bounds {
    let flag = |name: &str, default| op.params[name].as_bool().unwrap_or(default);
    Bounds {
        min_closed: flag("min_closed_interval", true),
        max_closed: flag("max_closed_interval", true),
        reversed: flag("reversed_range", false),
        ..Bounds::default()
    }
}

/// The rows that are not in the result.
enum Ended {
    /// Their ids, ascending.
    Known(Vec<u64>),
    /// Why they are not known.
    Unknown(&'static str),
}

/// Rows that are not in the result, as far as one row of the input is one row everywhere.
fn ended(trace: &Trace) -> Result<Ended> {
    let mut ids: Vec<u64> = Vec::new();
    let mut several = false;
    let fates = [
        Fate::Dropped,
        Fate::Merged,
        Fate::Grouped,
        Fate::Quarantined,
        Fate::Made,
    ];
    trace.each_run(&fates, |run| {
        several |= run.fate == Fate::Made || run.has_pieces();
        if !several && ids.len() <= ENDED {
            ids.extend_from_slice(run.rows());
        }
        Ok(())
    })?;
    if several {
        return Ok(Ended::Unknown(
            "a mapper makes several rows of one, so the rows of the result are not those that came to this op",
        ));
    }
    if ids.len() > ENDED {
        return Ok(Ended::Unknown(
            "too many rows are not in the result to follow each",
        ));
    }
    ids.sort_unstable();
    Ok(Ended::Known(ids))
}

/// How the op's decision and a stat fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// As the bounds demand.
    ByStat,
    /// It was dropped, and the stat is within the bounds.
    ForAnother,
    /// It was kept, and the stat is not.
    Contradiction,
}

/// Calls `each` for every row and stat of filters: the number in `slots`, value, row, how to count
/// it.
fn each_value(
    trace: &Trace,
    ended: &Ended,
    slots: &BTreeMap<(usize, &str), usize>,
    mut each: impl FnMut(usize, f64, u64, Rows, Judged),
) -> Result<()> {
    let ops = &trace.document().ops;
    trace.each_run(&[Fate::Kept, Fate::Dropped], |run| {
        let Some(op) = run.op.and_then(|at| ops.get(at)) else {
            return Ok(());
        };
        let out = in_result(run, ended);
        let stats: Vec<(&str, Vec<f64>)> = run
            .stats()
            .filter(|(key, _)| op.stats.iter().any(|own| own == key))
            .map(|(key, values)| (key, values.collect()))
            .collect();
        for (key, values) in &stats {
            let Some(slot) = slots.get(&(op.op, *key)) else {
                continue;
            };
            let bounds = op.bounds.get(*key);
            let others: Vec<(&Bounds, &Vec<f64>)> = stats
                .iter()
                .filter(|(other, _)| other != key)
                .filter_map(|(other, values)| Some((op.bounds.get(*other)?, values)))
                .collect();
            for (at, (value, row)) in values.iter().zip(run.rows()).enumerate() {
                if !value.is_finite() {
                    continue;
                }
                let inside = bounds.is_none_or(|bounds| bounds.keeps(*value));
                let others_keep = others.iter().all(|(b, values)| b.keeps(values[at]));
                let mut rows = Rows::default();
                let judged = match (run.fate, inside) {
                    (Fate::Kept, _) => {
                        rows.kept = 1;
                        rows.result = u64::from(out.as_ref().is_some_and(|out| out[at]));
                        if inside {
                            Judged::ByStat
                        } else {
                            Judged::Contradiction
                        }
                    }
                    (_, false) if others_keep => {
                        rows.dropped = 1;
                        Judged::ByStat
                    }
                    (_, false) => {
                        rows.other = 1;
                        Judged::ByStat
                    }
                    (_, true) => {
                        rows.other = 1;
                        // Another stat of the op explains it.
                        if others_keep {
                            Judged::ForAnother
                        } else {
                            Judged::ByStat
                        }
                    }
                };
                each(*slot, *value, *row, rows, judged);
            }
        }
        Ok(())
    })
}

/// Whether each row is in the result; None if that is not known.
fn in_result(run: &Run<'_>, ended: &Ended) -> Option<Vec<bool>> {
    let Ended::Known(ended) = ended else {
        return None;
    };
    // Rows ascend mostly: the search goes on where it was.
    let (mut at, mut last) = (0, u64::MAX);
    let is_in = |row: &u64| {
        if *row < last {
            at = ended.partition_point(|id| id < row);
        }
        while ended.get(at).is_some_and(|id| id < row) {
            at += 1;
        }
        last = *row;
        ended.get(at) != Some(row)
    };
    Some(run.rows().iter().map(is_in).collect())
}

/// The values up to which some shares of the rows are.
pub(super) fn shares(percentile: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    SHARES.map(|share| (share, percentile(share))).to_vec()
}

/// Why a stat is not known of rows that the op kept; None: it is.
pub(super) fn kept_note(document: &TraceDocument, op: &TracedOp, key: &str) -> Option<String> {
    let note = match (document.knows_kept(op, key), document.has_kept()) {
        (true, _) => return None,
        (false, true) => {
            "Of the rows that stayed, the op decided without this value; trace: stats records it."
        }
        (false, false) => {
            "Only the rows that were dropped are recorded; trace: stats records all values."
        }
    };
    Some(note.to_owned())
}

impl Open<'_> {
    fn table(self, ended: &Ended, document: &TraceDocument, rows_out: u64) -> StatTable {
        let (curve, sums, ops) = (&self.curve, self.sums, &document.ops);
        let knows_kept = document.knows_kept(self.op, self.key);
        let left_out = Ended::Unknown("the op decided about rows that stayed without this value");
        let ended = match document.has_kept() && !knows_kept {
            true => &left_out,
            false => ended,
        };
        let follows = matches!(ended, Ended::Known(_));
        let each = |rows: &[Rows], of: fn(&Rows) -> u64| rows.iter().map(of).collect::<Vec<u64>>();
        let result = |rows: &[Rows]| match follows {
            true => each(rows, |rows| rows.result),
            false => Vec::new(),
        };
        let later: Vec<&TracedOp> = ops.iter().filter(|op| op.op > self.op.op).collect();
        let depends = later
            .iter()
            .find(|op| ["deduplicator", "selector", "grouper"].contains(&op.kind.as_str()));
        let bounds = self.bounds;
        let histogram = curve.histogram(BINS, self.op.bounds.get(self.key));
        let data = CurveData {
            stops: curve.stops.clone(),
            kept: each(&curve.at, |rows| rows.kept),
            dropped: each(&curve.at, |rows| rows.dropped),
            result: result(&curve.at),
            between: curve.is_open().then(|| Between {
                kept: each(&curve.between, |rows| rows.kept),
                dropped: each(&curve.between, |rows| rows.dropped),
                result: result(&curve.between),
            }),
        };
        let params = self
            .op
            .bound_params
            .get(self.key)
            .cloned()
            .unwrap_or_default();
        StatTable {
            op: self.op.op,
            name: self.op.name.clone(),
            key: self.key.to_owned(),
            count: sums.rows.all(),
            kept: sums.rows.kept,
            mean: sums.mean(),
            deviation: sums.deviation(),
            min: sums.min,
            max: sums.max,
            percentiles: shares(|share| curve.percentile(share)),
            bounds,
            params,
            curve: data,
            histogram,
            knows_kept,
            kept_note: kept_note(document, self.op, self.key),
            rows_out,
            inexact: match (self.contradictions, self.other_reasons) {
                (0, 0) => None,
                (0, n) => Some(format!(
                    "the op dropped {} for something else than this range, and may do so with more of them",
                    crate::term::counted(n, "row")
                )),
                (n, _) => Some(format!(
                    "the op kept {} outside of this range: it does not decide by the range alone",
                    crate::term::counted(n, "row")
                )),
            },
            result_note: match ended {
                Ended::Known(_) => None,
                Ended::Unknown(why) => Some((*why).to_owned()),
            },
            estimate: depends.map(|op| {
                format!(
                    "op {} `{}`, a {}, compares rows with each other: with other rows there, it keeps others",
                    op.op, op.name, op.kind
                )
            }),
        }
    }
}
