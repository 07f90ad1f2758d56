//! Reads the trace of a job: what became of its rows.

use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;
use serde_json::Value;

use crate::error::{UserError, did_you_mean};
use crate::rundir::RunPaths;
use crate::rundir::trace::{
    Bounds, Entry, Fate, Run, TraceDocument, TracedOp, Wanted, each_entry, each_run, each_run_of,
    rank,
};

/// The trace of a job. Only reads; complete once the job is ([`TraceDocument::complete`]).
#[derive(Debug, Clone)]
pub struct Trace {
    paths: RunPaths,
    document: TraceDocument,
}

/// A row that an op dropped, and how far it was from staying.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// The entry.
    pub entry: Entry,
    /// The stat that decided: its key, value, and margin, which is negative. None if no stat of the
    /// row is out of bounds that are known.
    pub stat: Option<(String, f64, f64)>,
}

/// What a filter with other bounds would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// Rows that came to the op and of which the stat is known.
    pub known: u64,
    /// How many of them would stay.
    pub kept: u64,
    /// How many of them did.
    pub kept_now: u64,
}

impl Trace {
    /// Opens the trace of the job in `paths`. Fails with a [`UserError`] if it has none.
    pub fn open(paths: &RunPaths) -> Result<Self> {
        let none = |why: &str| {
            UserError::new(
                paths.root().display().to_string(),
                format!("this job has no trace: {why}"),
            )
        };
        let Some(document) = TraceDocument::load(paths)? else {
            return Err(none("an older djhost ran it, or it has not begun")
                .hint("run the recipe again, with another `job_id` or `--fresh`")
                .into());
        };
        if document.mode != "off" {
            // Fetches them, if the run directory is elsewhere.
            paths.trace_files()?;
        }
        if document.mode != "off" && !paths.trace().is_dir() {
            return Err(none("its `trace/` has been removed")
                .hint("run the recipe again with another `job_id`, or with `--fresh`")
                .into());
        }
        Ok(Self {
            paths: paths.clone(),
            document,
        })
    }

    /// The run directory.
    pub(crate) fn paths(&self) -> &RunPaths {
        &self.paths
    }

    /// What is known beside the entries.
    pub fn document(&self) -> &TraceDocument {
        &self.document
    }

    /// Whether anything was recorded (`trace` was not `off`).
    pub fn is_recorded(&self) -> bool {
        self.document.mode != "off"
    }

    /// The op with this name or number. Fails with a [`UserError`] that names the ops. Of several
    /// with one name, the first that `fits`.
    pub fn op(&self, given: &str, fits: impl Fn(&TracedOp) -> bool) -> Result<&TracedOp> {
        let ops = &self.document.ops;
        let is_it = |op: &&TracedOp| op.name == given || given.parse() == Ok(op.op);
        let found = ops.iter().filter(is_it).find(|op| fits(op));
        if let Some(op) = found.or_else(|| ops.iter().find(is_it)) {
            return Ok(op);
        }
        let near = did_you_mean(given, ops.iter().map(|op| op.name.as_str()));
        let near = near
            .map(|name| format!("did you mean `{name}`? "))
            .unwrap_or_default();
        let names: Vec<String> = ops
            .iter()
            .map(|op| format!("{} `{}`", op.op, op.name))
            .collect();
        Err(
            UserError::new("--op", format!("this job has no op `{given}`"))
                .hint(format!(
                    "{near}its ops, by number and name: {}",
                    names.join(", ")
                ))
                .into(),
        )
    }

    /// Calls `each` with the entries of one op (None: of all) that have one of `fates`, until it
    /// says that it has enough. The order means nothing.
    pub fn each(
        &self,
        op: Option<usize>,
        fates: &[Fate],
        each: impl FnMut(Entry) -> Result<bool>,
    ) -> Result<()> {
        self.each_wanted(
            &Wanted {
                rows: None,
                op,
                fates: Some(fates.to_vec()),
            },
            each,
        )
    }

    /// The entries of some rows, in the order of the ops; the reader first, the export last.
    pub fn of_rows(&self, rows: &[u64]) -> Result<Vec<Entry>> {
        let mut wanted = rows.to_vec();
        wanted.sort_unstable();
        let (mut found, rows) = (Vec::new(), Some(wanted));
        let wanted = Wanted {
            rows,
            ..Wanted::default()
        };
        self.each_wanted(&wanted, |entry| {
            found.push(entry);
            Ok(true)
        })?;
        found.sort_by_key(|entry| {
            let last = entry.fate == Fate::Written;
            (
                entry.row_id,
                last,
                entry.op.map_or(0, |op| op + 1),
                entry.piece,
            )
        });
        Ok(found)
    }

    fn each_wanted(
        &self,
        wanted: &Wanted,
        mut each: impl FnMut(Entry) -> Result<bool>,
    ) -> Result<()> {
        for path in self.paths.trace_files()? {
            if !each_entry(&path, wanted, &mut each)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Calls `each` with the entries that have one of `fates`, by columns: for sums over all rows.
    pub(crate) fn each_run(
        &self,
        fates: &[Fate],
        mut each: impl FnMut(&Run<'_>) -> Result<()>,
    ) -> Result<()> {
        for path in self.paths.trace_files()? {
            each_run(&path, fates, &mut each)?;
        }
        Ok(())
    }

    /// The samples of what mapper `op` changed, by row: the same however the job was run.
    pub fn samples(&self, op: usize) -> Result<Vec<Entry>> {
        let mut found: BTreeMap<(u64, u64, Option<u32>), Vec<Entry>> = BTreeMap::new();
        let most = self.document.samples as usize;
        self.each(Some(op), &[Fate::Changed], |entry| {
            let place = rank(op, entry.row_id, entry.piece.unwrap_or(0));
            let key = (place, entry.row_id, entry.piece);
            found.entry(key).or_default().push(entry);
            if found.len() > most {
                found.pop_last();
            }
            Ok(true)
        })?;
        let mut samples: Vec<Entry> = found.into_values().flatten().collect();
        samples.sort_by(|a, b| (a.row_id, a.piece, &a.change).cmp(&(b.row_id, b.piece, &b.change)));
        Ok(samples)
    }

    /// `most` of the rows that op `op` took out, those closest to its threshold first.
    pub fn closest(&self, op: &TracedOp, most: usize) -> Result<Vec<Near>> {
        let files = self.paths.trace_files()?;
        let nearest = files.par_iter().map(|file| nearest(file, op, most));
        let mut places: Vec<(Place, usize)> = nearest
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .enumerate()
            .flat_map(|(file, places)| places.into_iter().map(move |place| (place, file)))
            .collect();
        places.sort_unstable();
        places.truncate(most);
        // What else their entries have.
        let mut rows: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for ((_, row, _), file) in &places {
            rows.entry(*file).or_default().push(*row);
        }
        let entries = rows.into_par_iter().map(|(file, mut rows)| {
            rows.sort_unstable();
            let wanted = Wanted {
                rows: Some(rows),
                op: Some(op.op),
                fates: Some(GONE.to_vec()),
            };
            let mut entries = Vec::new();
            each_entry(&files[file], &wanted, |entry| {
                entries.push(entry);
                Ok(true)
            })?;
            Ok(entries)
        });
        let entries: Vec<Vec<Entry>> = entries.collect::<Result<_>>()?;
        let entries = entries.into_iter().flatten();
        let mut entries: BTreeMap<(u64, Option<u32>), Entry> = entries
            .map(|entry| ((entry.row_id, entry.piece), entry))
            .collect();
        let near = places.into_iter().filter_map(|((_, row, piece), _)| {
            let entry = entries.remove(&(row, piece))?;
            let stat = op.decided(&entry);
            Some(Near { entry, stat })
        });
        Ok(near.collect())
    }

    /// Counts what op `op` would keep if its stat `key` had to be in each of `bounds`. Exact for all
    /// rows that came to the op where their stat is known ([`TraceDocument::knows_kept`]); else only
    /// the rows that it dropped are. Where later ops depend on other rows, as deduplicators do, what they would keep of
    /// these rows is another question.
    pub fn what_if(&self, op: &TracedOp, key: &str, bounds: &[Bounds]) -> Result<Vec<WhatIf>> {
        let mut counts = vec![WhatIf::default(); bounds.len()];
        self.each(Some(op.op), &[Fate::Kept, Fate::Dropped], |entry| {
            if let Some(stat) = entry.stat(key) {
                for (count, bounds) in counts.iter_mut().zip(bounds) {
                    count.known += 1;
                    count.kept += u64::from(bounds.keeps(stat));
                    count.kept_now += u64::from(entry.fate == Fate::Kept);
                }
            }
            Ok(true)
        })?;
        Ok(counts)
    }
}

/// The ways out, except for the export.
const GONE: [Fate; 4] = [
    Fate::Dropped,
    Fate::Merged,
    Fate::Grouped,
    Fate::Quarantined,
];

/// The bits of the distance to the threshold, the row, and which of several with its id.
type Place = (u64, u64, Option<u32>);

/// The `most` rows of a file that op `op` took out closest to its threshold.
fn nearest(file: &Path, op: &TracedOp, most: usize) -> Result<BinaryHeap<Place>> {
    let mut nearest = BinaryHeap::new();
    let is_bound = |key: &str| op.bounds.contains_key(key);
    each_run_of(file, op.op, is_bound, &GONE, |run| {
        // As `TracedOp::decided`: the stat that is farthest out.
        let mut distances = vec![f64::NEG_INFINITY; run.rows().len()];
        for (key, values) in run.stats() {
            let Some(bounds) = op.bounds.get(key) else {
                continue;
            };
            for (distance, value) in distances.iter_mut().zip(values) {
                if value.is_finite()
                    && !bounds.keeps(value)
                    && let Some(margin) = bounds.margin(value)
                {
                    *distance = distance.max(-margin);
                }
            }
        }
        let rows = run.rows().iter().zip(run.pieces()).zip(distances);
        for ((row, piece), distance) in rows {
            // Not negative, so the bits ascend with the number.
            let distance = match distance.is_finite() {
                true => distance.max(0.0) + 0.0,
                false => f64::INFINITY,
            };
            let place = (distance.to_bits(), *row, piece);
            if nearest.len() < most {
                nearest.push(place);
            } else if nearest.peek().is_some_and(|last| place < *last) {
                nearest.pop();
                nearest.push(place);
            }
        }
        Ok(())
    })?;
    Ok(nearest)
}

impl Entry {
    /// The stat `key` as a number.
    pub fn stat(&self, key: &str) -> Option<f64> {
        let (_, value) = self.stats.iter().find(|(known, _)| known == key)?;
        value.as_f64()
    }
}

impl TracedOp {
    /// The stat of an entry that is out of this op's bounds, with its value and margin: the one that
    /// is farthest out.
    pub fn decided(&self, entry: &Entry) -> Option<(String, f64, f64)> {
        let outside = self.bounds.iter().filter_map(|(key, bounds)| {
            let stat = entry.stat(key).filter(|stat| !bounds.keeps(*stat))?;
            Some((key.clone(), stat, bounds.margin(stat)?))
        });
        outside.min_by(|a, b| a.2.total_cmp(&b.2))
    }

    /// What its bounds demand of a stat, in words: `at least 5`, `0 to 0.25`. None without bounds.
    pub fn demand(&self, key: &str) -> Option<String> {
        let Bounds {
            min,
            max,
            min_closed,
            max_closed,
            reversed,
        } = *self.bounds.get(key)?;
        let low = |min| {
            format!(
                "{} {}",
                if min_closed { "at least" } else { "more than" },
                number(min)
            )
        };
        let high = |max| {
            format!(
                "{} {}",
                if max_closed { "at most" } else { "less than" },
                number(max)
            )
        };
        let range = match (min, max) {
            (Some(min), Some(max)) if min_closed && max_closed => {
                format!("{} to {}", number(min), number(max))
            }
            (Some(min), Some(max)) => format!("{} and {}", low(min), high(max)),
            (Some(min), None) => low(min),
            (None, Some(max)) => high(max),
            (None, None) => return None,
        };
        Some(match reversed {
            true => format!("not {range}"),
            false => range,
        })
    }
}

/// A number for people: whole, or with six digits that count, so that it differs from a threshold
/// that it just misses.
pub(crate) fn number(n: f64) -> String {
    if (n.fract() == 0.0 && n.abs() < 1e15) || !n.is_finite() {
        return format!("{n:.0}");
    }
    let before = n.abs().log10().floor() as i32;
    let digits = (5 - before).clamp(0, 12) as usize;
    let text = format!("{n:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A stat for people.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), number),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (n, text) in [
            (0.0, "0"),
            (12.0, "12"),
            (0.25, "0.25"),
            (0.1 + 0.2, "0.3"),
            (0.250_004, "0.250004"),
            (-0.000_004, "-0.000004"),
            (1234.5678, "1234.57"),
        ] {
            assert_eq!(number(n), text);
        }
    }
}
