//! What an analysis finds across the stats of a dataset: correlation, what filters would drop
//! together, stats by group, and bounds that keep a share of the rows.
//!
//! An analysis is a job whose filters judge every row and drop none ([`Plan::analysis`]), so its
//! trace has the stat and the verdict of each filter for each row.
//!
//! [`Plan::analysis`]: crate::plan::Plan::analysis

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, bail};
use arrow::array::{Array, AsArray};
use serde::Serialize;

use super::curve::{Curve, Rows, Values};
use super::stats::StatTable;
use crate::data::{Dataset, FieldType, ReadField, ReadOptions, read};
use crate::error::UserError;
use crate::jobs::{Bounds, Fate, Trace};
use crate::partition::{SplitBy, split};
use crate::rundir::trace::rank;

/// Rows of which the stats are correlated.
const CORRELATED: usize = 50_000;
/// Rows of which it is held what filters would drop them, some 40 bytes each; and filters.
const HELD: usize = 3_000_000;
const FILTERS: usize = 128;
/// Rows of which the group is held: 16 bytes each.
const GROUPED: usize = 10_000_000;
/// Groups with numbers of their own; the others are one.
const GROUPS: usize = 40;
/// Different values of a stat in one group.
const IN_GROUP: usize = 200;

/// What is known across stats.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Analysis {
    /// The share of rows that was looked at.
    pub ratio: f64,
    /// Rows that all filters would keep.
    pub kept_by_all: u64,
    /// Stats that go together.
    pub correlation: Correlation,
    /// What filters would drop.
    pub overlap: Overlap,
    /// Stats by a field.
    pub groups: Option<Groups>,
    /// The share of rows that `suggestions` keep, each alone.
    pub keep: f64,
    /// Bounds that keep it.
    pub suggestions: Vec<Suggestion>,
}

/// Pearson's coefficients.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Correlation {
    /// Op and key of each stat.
    pub stats: Vec<(usize, String)>,
    /// Rows that were compared, chosen by a hash.
    pub rows: usize,
    /// By stat and stat; None where one is constant.
    pub coefficients: Vec<Vec<Option<f64>>>,
}

/// Rows that two filters would drop both.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Overlap {
    /// Number and name of each filter.
    pub ops: Vec<(usize, String)>,
    /// By filter and filter; on the diagonal: rows that it would drop.
    pub both: Vec<Vec<u64>>,
    /// Rows that only this filter would drop.
    pub alone: Vec<u64>,
    /// Why the numbers are an estimate, if they are.
    pub estimate: Option<String>,
}

/// Stats by the value of a field.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Groups {
    /// The field, or the stat.
    pub field: String,
    /// The stats, as op and key.
    pub stats: Vec<(usize, String)>,
    /// Most rows first.
    pub groups: Vec<Group>,
}

/// Rows, rows that the stat's filter would keep, mean, and the values at 5, 50 and 95 %.
pub type GroupNumbers = (u64, u64, f64, [f64; 3]);

/// Rows with one value.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Group {
    /// The value.
    pub value: String,
    /// Number of rows.
    pub rows: u64,
    /// For each stat.
    pub stats: Vec<Option<GroupNumbers>>,
}

/// Bounds for a stat.
#[derive(Debug, Clone, Serialize)]
pub struct Suggestion {
    /// The op.
    pub op: usize,
    /// Its name.
    pub name: String,
    /// The stat.
    pub key: String,
    /// The parameters to set.
    pub params: BTreeMap<String, f64>,
    /// Rows that they keep.
    pub rows: u64,
    /// The same as a share.
    pub share: f64,
}

/// Finds all of it. `keep`: the share of rows that suggested bounds keep. `by`: a stat that is a
/// text, or a field.
pub(super) fn analyse(
    trace: &Trace,
    tables: &[StatTable],
    (keep, by): (f64, Option<&str>),
    dataset: Option<&Dataset>,
) -> Result<Analysis> {
    let (overlap, dropped) = overlap(trace)?;
    let rows = tables.iter().map(|stat| stat.count).max().unwrap_or(0);
    Ok(Analysis {
        ratio: trace.document().analysis.unwrap_or(1.0),
        kept_by_all: rows.saturating_sub(dropped),
        correlation: correlation(trace, tables)?,
        overlap,
        groups: match by {
            Some(by) => Some(groups(trace, tables, by, dataset)?),
            None => None,
        },
        keep,
        suggestions: tables
            .iter()
            .filter_map(|stat| suggestion(stat, keep))
            .collect(),
    })
}

/// Rows with a low hash, fewer whenever there are too many.
struct Sample<T> {
    most: usize,
    below: u64,
    rows: HashMap<u64, T>,
}

impl<T: Default> Sample<T> {
    fn new(most: usize) -> Self {
        let (below, rows) = (u64::MAX, HashMap::new());
        Self { most, below, rows }
    }

    /// What is held of a row; None if it is not in the sample.
    fn of(&mut self, row: u64) -> Option<&mut T> {
        if rank(0, row, 0) > self.below {
            return None;
        }
        if self.rows.len() >= self.most && !self.rows.contains_key(&row) {
            self.below /= 2;
            let below = self.below;
            self.rows.retain(|row, _| rank(0, *row, 0) <= below);
            if rank(0, row, 0) > below {
                return None;
            }
        }
        Some(self.rows.entry(row).or_default())
    }

    /// How many rows each of the sample stands for.
    fn factor(&self) -> f64 {
        u64::MAX as f64 / self.below as f64
    }
}

fn overlap(trace: &Trace) -> Result<(Overlap, u64)> {
    let filters = trace.document().ops.iter().filter(|op| op.kind == "filter");
    let names = filters.map(|op| (op.op, op.name.clone()));
    let ops: Vec<(usize, String)> = names.take(FILTERS).collect();
    // A bit for each filter.
    let mut sample: Sample<u128> = Sample::new(HELD);
    trace.each_run(&[Fate::Dropped], |run| {
        let Some(at) = ops.iter().position(|(op, _)| Some(*op) == run.op) else {
            return Ok(());
        };
        for row in run.rows() {
            if let Some(by) = sample.of(*row) {
                *by |= 1 << at;
            }
        }
        Ok(())
    })?;
    let (mut both, mut alone) = (
        vec![vec![0u64; ops.len()]; ops.len()],
        vec![0u64; ops.len()],
    );
    for by in sample.rows.values() {
        let dropping: Vec<usize> = (0..ops.len()).filter(|at| (by >> at) & 1 == 1).collect();
        for a in &dropping {
            dropping.iter().for_each(|b| both[*a][*b] += 1);
        }
        if let [only] = dropping[..] {
            alone[only] += 1;
        }
    }
    let factor = sample.factor();
    let is_exact = sample.below == u64::MAX;
    let scaled = |n: &u64| (*n as f64 * factor).round() as u64;
    let dropped = scaled(&(sample.rows.len() as u64));
    let overlap = Overlap {
        both: both
            .iter()
            .map(|row| row.iter().map(scaled).collect())
            .collect(),
        alone: alone.iter().map(scaled).collect(),
        ops,
        estimate: (!is_exact).then(|| {
            format!(
                "from {} of the rows that some filter would drop, chosen by a hash",
                crate::term::count(sample.rows.len() as u64)
            )
        }),
    };
    Ok((overlap, dropped))
}

fn correlation(trace: &Trace, tables: &[StatTable]) -> Result<Correlation> {
    let stats: Vec<(usize, String)> = tables.iter().map(|s| (s.op, s.key.clone())).collect();
    let mut sample: Sample<Vec<(u16, f64)>> = Sample::new(CORRELATED);
    trace.each_run(&[Fate::Kept, Fate::Dropped], |run| {
        for (key, values) in run.stats() {
            let is_it = |(op, known): &(usize, String)| Some(*op) == run.op && known == key;
            let Some(at) = stats.iter().position(is_it) else {
                continue;
            };
            for (row, value) in run.rows().iter().zip(values) {
                if value.is_finite()
                    && let Some(of_row) = sample.of(*row)
                {
                    of_row.push((at as u16, value));
                }
            }
        }
        Ok(())
    })?;
    // Columns, so that a pair is one pass over two of them.
    let mut columns = vec![vec![f64::NAN; sample.rows.len()]; stats.len()];
    // In the order of the rows: a sum depends on the order of its parts.
    let mut rows: Vec<&u64> = sample.rows.keys().collect();
    rows.sort_unstable();
    for (at, values) in rows.iter().map(|row| &sample.rows[row]).enumerate() {
        for (stat, value) in values {
            columns[usize::from(*stat)][at] = *value;
        }
    }
    let coefficients = columns
        .iter()
        .map(|a| columns.iter().map(|b| pearson(a, b)).collect())
        .collect();
    Ok(Correlation {
        rows: sample.rows.len(),
        stats,
        coefficients,
    })
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let both = || {
        a.iter()
            .zip(b)
            .filter(|(a, b)| a.is_finite() && b.is_finite())
    };
    let n = both().count() as f64;
    if n < 2.0 {
        return None;
    }
    let (mut mean_a, mut mean_b) = (0.0, 0.0);
    both().for_each(|(a, b)| {
        mean_a += a / n;
        mean_b += b / n;
    });
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    both().for_each(|(a, b)| {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    });
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}

/// The group of each row, as a number.
#[derive(Default)]
struct GroupOf {
    names: Vec<String>,
    known: HashMap<String, u32>,
    of: Vec<(u64, u32)>,
}

impl GroupOf {
    fn add(&mut self, row: u64, value: &str) -> Result<()> {
        if self.of.len() >= GROUPED {
            bail!(
                UserError::new("--by", "the dataset has too many rows to group them")
                    .hint("look at a share of them: `--sample 0.1`")
            );
        }
        let group = match self.known.get(value) {
            Some(group) => *group,
            None if self.names.len() >= 100_000 => {
                bail!(
                    UserError::new("--by", "the field has more than 100,000 different values")
                        .hint("name a field with few, such as a language or a source")
                );
            }
            None => {
                let group = self.names.len() as u32;
                self.names.push(value.to_owned());
                self.known.insert(value.to_owned(), group);
                group
            }
        };
        self.of.push((row, group));
        Ok(())
    }
}

fn groups(
    trace: &Trace,
    tables: &[StatTable],
    by: &str,
    dataset: Option<&Dataset>,
) -> Result<Groups> {
    let mut rows = group_of(trace, by, dataset)?;
    rows.of.sort_unstable();
    rows.of.dedup_by_key(|(row, _)| *row);
    // The largest have their own numbers.
    let mut sizes = vec![0u64; rows.names.len()];
    rows.of
        .iter()
        .for_each(|(_, group)| sizes[*group as usize] += 1);
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|group| (std::cmp::Reverse(sizes[*group]), rows.names[*group].clone()));
    let others = order.split_off(order.len().min(GROUPS));
    let mut slot = vec![order.len(); sizes.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(at, group)| slot[*group] = at);
    let mut found: Vec<(String, u64)> = order
        .iter()
        .map(|group| (rows.names[*group].clone(), sizes[*group]))
        .collect();
    if !others.is_empty() {
        let rest = others.iter().map(|group| sizes[*group]).sum();
        found.push((format!("{} other values", others.len()), rest));
    }
    let stats: Vec<(usize, String)> = tables.iter().map(|s| (s.op, s.key.clone())).collect();
    let mut values: Vec<Vec<Values>> = found
        .iter()
        .map(|_| stats.iter().map(|_| Values::new(IN_GROUP)).collect())
        .collect();
    trace.each_run(&[Fate::Kept, Fate::Dropped], |run| {
        for (key, of_rows) in run.stats() {
            let is_it = |(op, known): &(usize, String)| Some(*op) == run.op && known == key;
            let Some(at) = stats.iter().position(is_it) else {
                continue;
            };
            let kept = Rows {
                kept: u64::from(run.fate == Fate::Kept),
                dropped: u64::from(run.fate == Fate::Dropped),
                ..Rows::default()
            };
            for (row, value) in run.rows().iter().zip(of_rows) {
                let group = rows.of.binary_search_by_key(row, |(row, _)| *row);
                if let (Ok(group), true) = (group, value.is_finite()) {
                    let group = slot[rows.of[group].1 as usize];
                    values[group][at].add(value, rank(0, *row, 0), kept);
                }
            }
        }
        Ok(())
    })?;
    let groups = found
        .into_iter()
        .zip(values)
        .map(|((value, rows), values)| Group {
            value,
            rows,
            stats: values.into_iter().map(numbers).collect(),
        });
    Ok(Groups {
        field: by.to_owned(),
        groups: groups.collect(),
        stats,
    })
}

fn numbers(values: Values) -> Option<GroupNumbers> {
    let (sums, sample) = (values.sums, values.sampled());
    if sums.rows.all() == 0 {
        return None;
    }
    let place = |share: f64| sample[((sample.len() - 1) as f64 * share).round() as usize];
    let shares = [0.05, 0.5, 0.95].map(place);
    Some((sums.rows.all(), sums.rows.kept, sums.mean(), shares))
}

/// The value of `by` of each row: a stat that is a text, else a field of the input.
fn group_of(trace: &Trace, by: &str, dataset: Option<&Dataset>) -> Result<GroupOf> {
    let mut rows = GroupOf::default();
    let ops = &trace.document().ops;
    if let Some(op) = ops.iter().find(|op| op.stats.iter().any(|key| key == by)) {
        trace.each(Some(op.op), &[Fate::Kept, Fate::Dropped], |entry| {
            if let Some((_, value)) = entry.stats.iter().find(|(key, _)| key == by) {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                rows.add(entry.row_id, &text)?;
            }
            Ok(true)
        })?;
        return Ok(rows);
    }
    let Some(dataset) = dataset else {
        bail!(UserError::new(
            "--by",
            "the dataset cannot be read any more"
        ));
    };
    let options = ReadOptions::new(vec![ReadField {
        path: by.to_owned(),
        ty: FieldType::Json,
        required: false,
    }]);
    let mut is_there = false;
    for part in split(dataset, SplitBy::Count(1))? {
        for block in read(dataset, &part, &options)? {
            let batch = block?.batch;
            let Some(column) = batch.column(by) else {
                continue;
            };
            for (at, row) in batch.ids.values().iter().enumerate() {
                let text = json_text(&column.data, at);
                is_there |= text.is_some();
                rows.add(*row, text.as_deref().unwrap_or("none"))?;
            }
        }
    }
    if !is_there {
        bail!(
            UserError::new("--by", format!("no row has the field `{by}`"))
                .hint("name a field of the rows, or a stat that is a text, such as `lang`")
        );
    }
    Ok(rows)
}

/// A JSON value: texts without quotes.
fn json_text(values: &dyn Array, at: usize) -> Option<String> {
    if values.is_null(at) {
        return None;
    }
    let text = match (values.as_string_view_opt(), values.as_string_opt::<i32>()) {
        (Some(texts), _) => texts.value(at),
        (_, Some(texts)) => texts.value(at),
        _ => return None,
    };
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::String(text)) => Some(text),
        Ok(serde_json::Value::Null) => None,
        _ => Some(text.to_owned()),
    }
}

/// Bounds that keep at least a share of the rows: on the sides that the recipe bounds, on both if it
/// bounds none.
fn suggestion(stat: &StatTable, keep: f64) -> Option<Suggestion> {
    let bounds = stat.bounds.filter(|bounds| !bounds.reversed)?;
    let has = |side: usize| stat.params[side].is_some();
    let (mut low, mut high) = (
        bounds.min.is_some() && has(0),
        bounds.max.is_some() && has(1),
    );
    if !low && !high {
        (low, high) = (has(0), has(1));
    }
    if !(low || high) || stat.count == 0 {
        return None;
    }
    let curve = Curve::of(&stat.curve);
    let all = (stat.count as f64 * (1.0 - keep)).floor() as u64;
    let low_bound = |spare| curve.low_bound(spare, bounds.min_closed);
    let high_bound = |spare| curve.high_bound(spare, bounds.max_closed);
    if low && high {
        // Where half of it drops nothing, as with a ratio that is mostly 0, the other side has all.
        let (least, most) = (low_bound(all / 2), high_bound(all / 2));
        match (least <= Some(stat.min), most >= Some(stat.max)) {
            (true, false) => low = false,
            (false, true) => high = false,
            _ => {}
        }
    }
    let spare = if low && high { all / 2 } else { all };
    let tried = Bounds {
        min: low.then(|| low_bound(spare)).flatten(),
        max: high.then(|| high_bound(spare)).flatten(),
        ..bounds
    };
    let mut params = BTreeMap::new();
    for (name, bound) in stat.params.iter().zip([tried.min, tried.max]) {
        if let (Some(name), Some(bound)) = (name, bound) {
            params.insert(name.clone(), bound);
        }
    }
    if params.is_empty() {
        return None;
    }
    let rows = curve.kept(&tried);
    Some(Suggestion {
        op: stat.op,
        name: stat.name.clone(),
        key: stat.key.clone(),
        params,
        rows,
        share: rows as f64 / stat.count as f64,
    })
}
