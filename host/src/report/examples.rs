//! Examples from the rows of a job: what mappers changed, what filters dropped closest to their
//! thresholds, duplicates, and why rows are in quarantine. All texts are cut.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use serde::Serialize;

use crate::data::{Dataset, ReadOptions, batch::split_id};
use crate::jobs::reasons::{Reasons, masked};
use crate::jobs::{Entry, Fate, Trace};
use crate::run::explain::{read_row, row_text};
use crate::rundir::RunPaths;
use crate::rundir::quarantine_entry::for_each_entry;
use crate::rundir::trace::rank;

/// Characters of a text that the page has.
const TEXT: usize = 600;
/// Samples of a mapper, rows of a filter, reasons of quarantine, and rows of each reason.
const SAMPLES: usize = 10;
const NEAR: usize = 6;
const REASONS: usize = 20;
const OF_A_REASON: usize = 3;
/// The largest clusters of a deduplicator, and members of each.
const CLUSTERS: usize = 10;
const MEMBERS: usize = 4;
/// Clusters are not counted if there may be more than this many: 50 bytes each.
const MOST_CLUSTERS: usize = 20_000_000;

/// A row.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Row {
    /// Its id, a text: it may be larger than what JavaScript has numbers for.
    pub row_id: String,
    /// Its file.
    pub file: String,
    /// Its line, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// As it is in the input, cut; None if it cannot be read any more.
    pub text: Option<String>,
}

/// What a mapper did with a row.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    /// The row; without its text.
    pub row: Row,
    /// The field.
    pub field: String,
    /// Its value before, around the first difference.
    pub before: String,
    /// And after.
    pub after: String,
}

/// A row that a filter dropped.
#[derive(Debug, Clone, Serialize)]
pub struct Near {
    /// The row.
    pub row: Row,
    /// The stats that the op computed, in words.
    pub why: String,
}

/// Examples of one op.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OpExamples {
    /// The op.
    pub op: usize,
    /// Its name.
    pub name: String,
    /// What it changed.
    pub changed: Vec<Sample>,
    /// What it dropped, closest to its threshold first.
    pub dropped: Vec<Near>,
}

/// The duplicates that one op found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Duplicates {
    /// The op.
    pub op: usize,
    /// Its name.
    pub name: String,
    /// Rows that another one stands for.
    pub merged: u64,
    /// Rows that stand for others.
    pub clusters: u64,
    /// Pairs of a size (all rows of a cluster) and the number of clusters that have it, ascending.
    pub sizes: Vec<(u64, u64)>,
    /// The largest.
    pub largest: Vec<Cluster>,
    /// Why they are not counted.
    pub note: Option<String>,
}

/// Rows of which one stands for the others.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cluster {
    /// Number of its rows.
    pub size: u64,
    /// The row that stays.
    pub stays: Row,
    /// Some of the others.
    pub members: Vec<Row>,
}

/// Rows in quarantine for one reason.
#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    /// The op or the reader.
    pub who: String,
    /// The reason; `N` stands for numbers that differ.
    pub reason: String,
    /// Number of rows.
    pub rows: u64,
    /// Some of them.
    pub examples: Vec<Row>,
}

impl Row {
    fn shorten(&mut self, most: usize) {
        self.text.iter_mut().for_each(|text| shorten(text, most));
    }
}

/// Cuts the texts of all examples to `most` characters.
pub(super) fn shorten_all(document: &mut super::Document, most: usize) {
    for of_op in &mut document.examples {
        for sample in &mut of_op.changed {
            shorten(&mut sample.before, most);
            shorten(&mut sample.after, most);
        }
        of_op
            .dropped
            .iter_mut()
            .for_each(|near| near.row.shorten(most));
    }
    for cluster in document.duplicates.iter_mut().flat_map(|d| &mut d.largest) {
        cluster.stays.shorten(most);
        cluster.members.iter_mut().for_each(|row| row.shorten(most));
    }
    for reason in &mut document.quarantine {
        shorten(&mut reason.reason, most);
        reason.examples.iter_mut().for_each(|row| row.shorten(most));
    }
}

fn shorten(text: &mut String, most: usize) {
    if let Some((at, _)) = text.char_indices().nth(most) {
        text.truncate(at);
        text.push('…');
    }
}

/// Reads rows of the input.
pub(super) struct Input<'a> {
    pub(super) dataset: Option<&'a Dataset>,
    pub(super) trace: &'a Trace,
}

impl Input<'_> {
    /// The row with this id; `with_text` reads it.
    fn row(&self, id: u64, with_text: bool) -> Row {
        let (file, _) = split_id(id);
        let files = &self.trace.document().files;
        let text = self.dataset.filter(|_| with_text).and_then(|dataset| {
            match read_row(dataset, id, &ReadOptions::new(Vec::new())) {
                Ok(Some(Ok(row))) => row_text(&row, 0).ok(),
                Ok(Some(Err(bad))) => Some(String::from_utf8_lossy(&bad.raw).into_owned()),
                // The file has changed or is gone.
                _ => None,
            }
        });
        Row {
            row_id: id.to_string(),
            file: files.get(file).map(|f| f.path.clone()).unwrap_or_default(),
            line: None,
            text: text.map(|text| cut(&text)),
        }
    }
}

/// The first characters of a text.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A row by its rank among samples, its id, and which of several.
type Place = (u64, u64, Option<u32>);

/// Examples of what mappers changed and filters dropped.
pub(super) fn of_ops(input: &Input<'_>) -> Result<Vec<OpExamples>> {
    let document = input.trace.document();
    // By the order in which they are shown, and the row.
    let mut changed: BTreeMap<usize, BTreeMap<Place, Vec<Entry>>> = BTreeMap::new();
    let mut dropped: BTreeMap<usize, Vec<(f64, Entry)>> = BTreeMap::new();
    input
        .trace
        .each(None, &[Fate::Changed, Fate::Dropped], |entry| {
            let Some(op) = entry.op.and_then(|at| document.ops.get(at)) else {
                return Ok(true);
            };
            if entry.fate == Fate::Changed {
                let place = rank(op.op, entry.row_id, entry.piece.unwrap_or(0));
                let of_op = changed.entry(op.op).or_default();
                of_op
                    .entry((place, entry.row_id, entry.piece))
                    .or_default()
                    .push(entry);
                if of_op.len() > SAMPLES.min(document.samples as usize) {
                    of_op.pop_last();
                }
                return Ok(true);
            }
            let distance = op
                .decided(&entry)
                .map_or(f64::INFINITY, |(.., margin)| -margin);
            let of_op = dropped.entry(op.op).or_default();
            of_op.push((distance, entry));
            if of_op.len() > 64 * NEAR {
                keep_nearest(of_op);
            }
            Ok(true)
        })?;
    let mut all = Vec::new();
    for op in &document.ops {
        let changed = changed
            .remove(&op.op)
            .unwrap_or_default()
            .into_values()
            .flatten();
        let mut dropped = dropped.remove(&op.op).unwrap_or_default();
        keep_nearest(&mut dropped);
        let examples = OpExamples {
            op: op.op,
            name: op.name.clone(),
            changed: changed
                .map(|entry| {
                    let [field, before, after] = entry.change.unwrap_or_default();
                    Sample {
                        row: input.row(entry.row_id, false),
                        field,
                        before: cut(&before),
                        after: cut(&after),
                    }
                })
                .collect(),
            dropped: dropped
                .into_iter()
                .map(|(_, entry)| Near {
                    row: input.row(entry.row_id, true),
                    why: crate::run::dropped::reason(Some(op), &entry),
                })
                .collect(),
        };
        if !examples.changed.is_empty() || !examples.dropped.is_empty() {
            all.push(examples);
        }
    }
    Ok(all)
}

fn keep_nearest(entries: &mut Vec<(f64, Entry)>) {
    entries.sort_by(|a, b| {
        let row = |entry: &Entry| (entry.row_id, entry.piece);
        a.0.total_cmp(&b.0).then_with(|| row(&a.1).cmp(&row(&b.1)))
    });
    entries.truncate(NEAR);
}

/// The clusters of all deduplicators. `merged`: rows that each op merged.
pub(super) fn duplicates(
    input: &Input<'_>,
    merged: &BTreeMap<usize, u64>,
) -> Result<Vec<Duplicates>> {
    let document = input.trace.document();
    let total: u64 = merged.values().sum();
    let mut all = Vec::new();
    let found = |op: usize, merged: u64| Duplicates {
        op,
        name: document
            .ops
            .get(op)
            .map(|o| o.name.clone())
            .unwrap_or_default(),
        merged,
        ..Duplicates::default()
    };
    if total > MOST_CLUSTERS as u64 {
        let note = "there are too many duplicates to count their clusters";
        let found = merged.iter().map(|(op, merged)| Duplicates {
            note: Some(note.to_owned()),
            ..found(*op, *merged)
        });
        return Ok(found.collect());
    }
    let mut sizes: BTreeMap<usize, HashMap<u64, u32>> = BTreeMap::new();
    let fates = [Fate::Merged, Fate::Grouped];
    input.trace.each_run(&fates, |run| {
        let of_op = sizes.entry(run.op.unwrap_or_default()).or_default();
        for partner in run.partners().flatten() {
            *of_op.entry(partner).or_default() += 1;
        }
        Ok(())
    })?;
    let mut largest: BTreeMap<(usize, u64), Vec<u64>> = BTreeMap::new();
    for (op, clusters) in &sizes {
        let mut of_size: BTreeMap<u64, u64> = BTreeMap::new();
        clusters
            .values()
            .for_each(|n| *of_size.entry(u64::from(*n) + 1).or_default() += 1);
        let mut first: Vec<(u64, u32)> = clusters.iter().map(|(row, n)| (*row, *n)).collect();
        first.sort_unstable_by_key(|(row, n)| (std::cmp::Reverse(*n), *row));
        first.truncate(CLUSTERS);
        first.iter().for_each(|(row, _)| {
            largest.insert((*op, *row), Vec::new());
        });
        all.push(Duplicates {
            clusters: clusters.len() as u64,
            sizes: of_size.into_iter().collect(),
            largest: first
                .into_iter()
                .map(|(row, n)| Cluster {
                    size: u64::from(n) + 1,
                    stays: input.row(row, true),
                    members: Vec::new(),
                })
                .collect(),
            ..found(*op, clusters.values().map(|n| u64::from(*n)).sum())
        });
    }
    input.trace.each_run(&fates, |run| {
        let op = run.op.unwrap_or_default();
        for (row, partner) in run.rows().iter().zip(run.partners()) {
            if let Some(members) = partner.and_then(|p| largest.get_mut(&(op, p))) {
                // The first ones, whichever file has them.
                let at = members.partition_point(|known| known < row);
                members.insert(at, *row);
                members.truncate(MEMBERS);
            }
        }
        Ok(())
    })?;
    for found in &mut all {
        for cluster in &mut found.largest {
            let stays = cluster.stays.row_id.parse().unwrap_or_default();
            let members = largest.remove(&(found.op, stays)).unwrap_or_default();
            cluster.members = members.into_iter().map(|id| input.row(id, true)).collect();
        }
    }
    Ok(all)
}

/// The commonest reasons in quarantine, as progress counts them.
pub(super) fn reasons(rows: &BTreeMap<String, u64>) -> Vec<Reason> {
    let mut all: Vec<(&String, &u64)> = rows.iter().collect();
    all.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
    let first = all.into_iter().take(REASONS).map(|(reason, rows)| Reason {
        who: String::new(),
        reason: cut(reason),
        rows: *rows,
        examples: Vec::new(),
    });
    first.collect()
}

/// The commonest reasons in quarantine, with rows.
pub(super) fn quarantine(paths: &RunPaths) -> Result<Vec<Reason>> {
    let mut reasons = Reasons::default();
    let mut examples: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
    for file in paths.quarantine_files()? {
        for_each_entry(&file, |entry, _| {
            let who = entry.who();
            reasons.add(who.clone(), &entry.reason, 1);
            let of_reason = examples.entry((who, masked(&entry.reason))).or_default();
            if of_reason.len() < OF_A_REASON {
                of_reason.push(Row {
                    row_id: entry.row_id.to_string(),
                    file: entry.file.clone().into_owned(),
                    line: entry.line,
                    text: Some(cut(&entry.row)),
                });
            }
            Ok(true)
        })?;
    }
    let all = reasons.commonest_first().into_iter().take(REASONS);
    Ok(all
        .map(|(who, reason, rows)| Reason {
            examples: examples
                .remove(&(who.clone(), masked(&reason)))
                .unwrap_or_default(),
            who,
            reason: cut(&reason),
            rows,
        })
        .collect())
}
