//! The ops once more, on one row.

use std::collections::HashSet;

use anyhow::{Result, bail};

use super::locate::{Located, located, part_of, read_row, row_text};
use super::{Change, Did, End, Explained, Judged, Step};
use crate::checkpoint::{Account, Chains};
use crate::data::refresh::refresh;
use crate::data::{Batch, Dataset, FieldType, ReadField, ReadOptions};
use crate::exec::chain::Chain;
use crate::exec::source::{self, Base};
use crate::exec::trace::text_of;
use crate::exec::{Determinism, Ratios, Tally, TaskContext};
use crate::jobs::Trace;
use crate::plan::{PlannedOp, Prepared, overlap};
use crate::run::context::Shared;
use crate::rundir::events::EventLog;
use crate::rundir::trace::{Entry, Fate, TracedOp, value_of};
use crate::rundir::{RunPaths, StopFlag};

/// Rows that may become of one: more are not shown.
const MOST_PIECES: usize = 20;
/// Characters of a partner that are shown.
const MOST_TEXT: usize = 2000;

pub(super) fn explain(
    prepared: &Prepared,
    paths: &RunPaths,
    trace: &Trace,
    dataset: &Dataset,
    row: Located,
) -> Result<Explained> {
    let stop = StopFlag::new();
    let log = EventLog::disabled(&paths.job_id(), 0);
    let tally = Tally::new(Determinism::new(0.0, false));
    let chains = Chains::new(&prepared.plan, Vec::new(), "");
    let mut env = Shared {
        prepared,
        paths,
        log: &log,
        stop: &stop,
        attempt: 0,
        dataset,
        partitions: &[],
        chains: &chains,
        tally: &tally,
    }
    .context();
    env.trace = None;
    env.ratios = Ratios {
        operators: 1.0,
        reader: 1.0,
    };
    let recorded = match trace.is_recorded() {
        true => trace.of_rows(&[row.row_id])?,
        false => Vec::new(),
    };
    let mut way = Way {
        env: &env,
        trace,
        dataset,
        recorded,
        steps: Vec::new(),
        notes: notes(trace, dataset, &row),
    };
    let (text, end) = way.go(row.row_id)?;
    let Way { steps, notes, .. } = way;
    Ok(Explained {
        row,
        text,
        steps,
        end,
        notes,
    })
}

/// What makes the answer less certain.
fn notes(trace: &Trace, dataset: &Dataset, row: &Located) -> Vec<String> {
    let mut notes = Vec::new();
    let document = trace.document();
    if !trace.is_recorded() {
        notes.push("the job ran with `trace: off`: everything here is computed again, and what global ops did is not known".to_owned());
    } else if !document.complete {
        notes.push(
            "the job is not complete: what its trace has so far may be missing entries".to_owned(),
        );
    }
    for missing in &document.missing {
        notes.push(format!(
            "the trace does not know op {} of some rows: an attempt without a trace had done that work",
            missing.op
        ));
    }
    let file = crate::data::batch::split_id(row.row_id).0;
    if let (Some(then), Some(now)) = (document.files.get(file), dataset.files.get(file))
        && (then.bytes != now.bytes || then.path != now.shown().to_string())
    {
        notes.push(format!(
            "`{}` has changed since the job ran: this may be another row",
            then.path
        ));
    }
    notes
}

struct Way<'a> {
    env: &'a TaskContext<'a>,
    trace: &'a Trace,
    dataset: &'a Dataset,
    /// The entries of the row, by op.
    recorded: Vec<Entry>,
    steps: Vec<Step>,
    notes: Vec<String>,
}

impl Way<'_> {
    /// Sends the row through all ops. Returns its text and where it ended.
    fn go(&mut self, id: u64) -> Result<(String, End)> {
        let base = Base {
            rows: None,
            masks: Vec::new(),
            account: Account::default(),
        };
        let fields = self.env.plan.fields.clone();
        let part = part_of(self.dataset, id)?;
        let Some(incoming) = source::open(self.env, &part, &base, fields, 0)?.next() else {
            bail!("there is no row at this place of the input");
        };
        let incoming = incoming?;
        if let Some(bad) = incoming.bad.into_iter().next() {
            self.step(None, vec![Did::Quarantined { reason: bad.reason }], true);
            let text = String::from_utf8_lossy(&bad.raw).into_owned();
            return Ok((text, End::Quarantined));
        }
        let batch = incoming.batch;
        let text = row_text(&batch, 0)?;
        // None: nothing can be computed any more.
        let mut rows = Some(vec![batch]);
        let mut had = 1_usize;
        for op in &self.env.plan.ops {
            let (did, next) = match (rows.take(), op.is_global()) {
                (Some(rows), false) => self.again(op, rows)?,
                (Some(rows), true) => self.global(op, Some(rows))?,
                (None, _) => self.global(op, None)?,
            };
            let gone = did.iter().filter(|did| did.is_end()).count();
            let is_known = next.is_some();
            had = next.as_ref().map_or(had.saturating_sub(gone), Vec::len);
            let quarantined = did.iter().any(|did| matches!(did, Did::Quarantined { .. }));
            self.step(Some(op), did, !op.is_global() && is_known);
            if had == 0 {
                let end = if quarantined {
                    End::Quarantined
                } else {
                    End::Gone
                };
                return Ok((text, end));
            }
            rows = next;
        }
        let written = self
            .recorded
            .iter()
            .any(|entry| entry.fate == Fate::Written);
        let end = match rows.is_some() || written {
            true => End::Written,
            false => End::Unknown,
        };
        Ok((text, end))
    }

    fn step(&mut self, op: Option<&PlannedOp>, did: Vec<Did>, recomputed: bool) {
        let traced = op.and_then(|op| self.trace.document().ops.get(op.index));
        self.steps.push(Step {
            op: op.map(|op| op.index),
            name: op.map_or_else(|| "reader".to_owned(), |op| op.name.clone()),
            position: traced
                .map(|t| t.position)
                .filter(|at| op.is_some_and(|op| op.index != *at)),
            did,
            recomputed,
        });
    }

    /// A filter or mapper, computed again.
    fn again(
        &mut self,
        op: &PlannedOp,
        rows: Vec<Batch>,
    ) -> Result<(Vec<Did>, Option<Vec<Batch>>)> {
        let (mut all, mut next) = (Vec::new(), Vec::new());
        for (piece, row) in rows.into_iter().enumerate() {
            let mut fresh = row.clone();
            refresh(&mut fresh, &op.refreshes)?;
            let stats = match op.pool.signature().writes_stats.is_empty() {
                true => Vec::new(),
                false => op.pool.stats_of(&mut None, &fresh)?.unwrap_or_default(),
            };
            let stats: Vec<Judged> = stats
                .iter()
                .map(|stat| self.judged(op, &stat.key, value_of(&stat.data, 0)))
                .collect();
            let mut quarantine = self.env.quarantine();
            let mut chain = Chain::new(self.env, op.index..op.index + 1, 0)?;
            let made = match chain.process(row.clone(), &mut quarantine) {
                Ok(made) => made,
                Err(error) => {
                    let reason = format!("{error:#}");
                    all.push(Did::Quarantined { reason });
                    continue;
                }
            };
            let made: Vec<Batch> = made
                .iter()
                .flat_map(|batch| (0..batch.rows()).map(|at| batch.slice(at, 1)))
                .collect();
            let reason = quarantine
                .reasons()
                .next()
                .map(|(_, reason, _)| reason.to_owned());
            let is_filter = !stats.is_empty() || op.kind() == crate::wasm::Kind::Filter;
            let did = match (&made[..], reason) {
                ([], Some(reason)) => Did::Quarantined { reason },
                ([], None) => Did::Dropped {
                    reason: why_dropped(op, &fresh)?,
                    stats,
                },
                ([_], _) if is_filter => Did::kept(stats),
                ([one], _) => changed(op, &fresh, one)?,
                (several, _) => Did::Made {
                    rows: several.len(),
                },
            };
            self.compare(op, piece, &did);
            all.push(did);
            next.extend(made);
        }
        if next.len() > MOST_PIECES {
            self.notes.push(format!(
                "{} rows had become of it at op {} `{}`: only the first {MOST_PIECES} are shown",
                next.len(),
                op.index,
                op.name
            ));
            next.truncate(MOST_PIECES);
        }
        Ok((all, Some(next)))
    }

    /// Notes if the run had another result.
    fn compare(&mut self, op: &PlannedOp, piece: usize, did: &Did) {
        let ends = |fate: Fate| matches!(fate, Fate::Dropped | Fate::Quarantined);
        let recorded = self.recorded.iter().find(|entry| {
            entry.op == Some(op.index)
                && entry.piece.unwrap_or(0) as usize == piece
                && ends(entry.fate)
        });
        if recorded.is_some() != did.is_end() && self.is_known(op) {
            let then = if recorded.is_some() {
                "did not keep"
            } else {
                "kept"
            };
            self.notes.push(format!(
                "op {} `{}` {then} this row when the job ran, and now decides otherwise: the input, the recipe or the operator has changed",
                op.index, op.name
            ));
        }
    }

    /// Whether the trace has the entries of this op for all rows.
    fn is_known(&self, op: &PlannedOp) -> bool {
        let document = self.trace.document();
        self.trace.is_recorded()
            && document.complete
            && document
                .missing
                .iter()
                .all(|missing| missing.op != op.index)
    }

    /// What the trace knows of an op that cannot be asked again. `rows` are those that came to it.
    fn global(
        &mut self,
        op: &PlannedOp,
        rows: Option<Vec<Batch>>,
    ) -> Result<(Vec<Did>, Option<Vec<Batch>>)> {
        let entries: Vec<Entry> = self
            .recorded
            .iter()
            .filter(|entry| entry.op == Some(op.index) && entry.fate != Fate::Changed)
            .cloned()
            .collect();
        let unknown = |why: &str| Did::Unknown {
            reason: why.to_owned(),
        };
        let Some(rows) = rows else {
            let did: Vec<Did> = entries
                .iter()
                .map(|entry| self.of_entry(op, entry))
                .collect::<Result<_>>()?;
            return Ok(match did.is_empty() {
                true => (
                    vec![unknown("it depends on rows that are not this one")],
                    None,
                ),
                false => (did, None),
            });
        };
        let (mut all, mut next) = (Vec::new(), Vec::new());
        for (piece, row) in rows.into_iter().enumerate() {
            let found = entries
                .iter()
                .find(|e| e.piece.unwrap_or(0) as usize == piece);
            match found {
                Some(entry) => all.push(self.of_entry(op, entry)?),
                None if self.is_known(op) => {
                    all.push(Did::kept(Vec::new()));
                    next.push(row);
                }
                None => {
                    all.push(unknown(
                        "it depends on all rows, and the trace does not know",
                    ));
                    next.push(row);
                }
            }
        }
        if op.is_grouper() && !next.is_empty() {
            self.notes.push(format!(
                "from op {} `{}` on, it is the first row of a group: what became of that cannot be computed from one row",
                op.index, op.name
            ));
            return Ok((all, None));
        }
        if op.pool.field_of_found().is_some() && !next.is_empty() {
            self.notes.push(format!(
                "op {} `{}` changes rows by what is in all rows: from there on, only what the trace has is shown",
                op.index, op.name
            ));
            return Ok((all, None));
        }
        let fields: Vec<String> = op.pool.clusters().writes().map(|w| w.path).collect();
        let later = self.env.plan.ops[op.index + 1..].iter();
        let reader = later
            .flat_map(|op| &op.pool.signature().reads)
            .find(|read| fields.iter().any(|field| overlap(field, &read.path)));
        if let Some(read) = reader.filter(|_| !next.is_empty()) {
            self.notes.push(format!(
                "op {} `{}` has written `{}` by what is in all rows, and a later op reads it: from there on, only what the trace has is shown",
                op.index, op.name, read.path
            ));
            return Ok((all, None));
        }
        Ok((all, Some(next)))
    }

    fn of_entry(&self, op: &PlannedOp, entry: &Entry) -> Result<Did> {
        let partner = entry.partner.map(|id| located(self.dataset, id));
        let stats = || {
            let stats = entry.stats.iter();
            stats
                .map(|(key, value)| self.judged(op, key, value.clone()))
                .collect()
        };
        Ok(match entry.fate {
            Fate::Merged => {
                let (text, alike) = match entry.partner {
                    Some(id) => (self.text(id)?, self.alike(op, entry.row_id, id)?),
                    None => (None, None),
                };
                Did::Merged {
                    partner,
                    text,
                    alike,
                }
            }
            Fate::Grouped => Did::Grouped { partner },
            Fate::Quarantined => Did::Quarantined {
                reason: entry.reason.clone().unwrap_or_default(),
            },
            Fate::Made => Did::Made {
                rows: entry.rows.unwrap_or(0) as usize,
            },
            Fate::Dropped => Did::Dropped {
                reason: entry.reason.clone(),
                stats: stats(),
            },
            Fate::Kept | Fate::Changed | Fate::Written => {
                let traced = self.trace.document().ops.get(op.index);
                let has = |key: &String| entry.stats.iter().any(|(known, _)| known == key);
                let left_out = traced.map_or(&[][..], |op| &op.left_out);
                Did::Kept {
                    stats: stats(),
                    left_out: left_out.iter().filter(|key| !has(key)).cloned().collect(),
                }
            }
        })
    }

    /// The beginning of another row of the input.
    fn text(&self, id: u64) -> Result<Option<String>> {
        let row = read_row(self.dataset, id, &ReadOptions::new(Vec::new()))?;
        let Some(Ok(row)) = row else {
            return Ok(None);
        };
        Ok(Some(row_text(&row, 0)?.chars().take(MOST_TEXT).collect()))
    }

    /// The share of words that two rows have in common, in the text that `op` reads.
    fn alike(&self, op: &PlannedOp, one: u64, other: u64) -> Result<Option<f64>> {
        let reads = &op.pool.signature().reads;
        let Some(field) = reads.iter().find(|read| read.ty == FieldType::Utf8) else {
            return Ok(None);
        };
        let options = ReadOptions::new(vec![ReadField {
            path: field.path.clone(),
            ty: FieldType::Utf8,
            required: false,
        }]);
        let words = |id: u64| -> Result<Option<HashSet<String>>> {
            let Some(Ok(row)) = read_row(self.dataset, id, &options)? else {
                return Ok(None);
            };
            let column = row.column(&field.path).map(|column| column.data.clone());
            let Some(column) = column.or_else(|| row.field(&field.path)) else {
                return Ok(None);
            };
            let text = text_of(&column, 0);
            Ok(Some(
                text.split_whitespace().map(str::to_lowercase).collect(),
            ))
        };
        let (Some(one), Some(other)) = (words(one)?, words(other)?) else {
            return Ok(None);
        };
        let all = one.union(&other).count();
        Ok((all > 0).then(|| one.intersection(&other).count() as f64 / all as f64))
    }

    fn judged(&self, op: &PlannedOp, key: &str, value: serde_json::Value) -> Judged {
        let traced = self.trace.document().ops.get(op.index);
        let bounds = traced.and_then(|t| t.bounds.get(key));
        Judged {
            stat: key.to_owned(),
            demand: traced.and_then(|traced: &TracedOp| traced.demand(key)),
            margin: value.as_f64().and_then(|stat| bounds?.margin(stat)),
            value,
        }
    }
}

impl Did {
    fn kept(stats: Vec<Judged>) -> Self {
        Self::Kept {
            stats,
            left_out: Vec::new(),
        }
    }

    fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Dropped { .. }
                | Self::Merged { .. }
                | Self::Grouped { .. }
                | Self::Quarantined { .. }
        )
    }
}

/// Why a mapper makes no row of this one, if it says so.
fn why_dropped(op: &PlannedOp, row: &Batch) -> Result<Option<String>> {
    if !op.pool.descriptor().traits.gives_drop_reasons {
        return Ok(None);
    }
    let reply = op.pool.process(&mut op.pool.checkout()?, row)?;
    Ok(reply
        .ok()
        .and_then(|reply| reply.why_dropped(0).map(str::to_owned)))
}

/// What a mapper changed.
fn changed(op: &PlannedOp, before: &Batch, after: &Batch) -> Result<Did> {
    let mut fields = Vec::new();
    if op.pool.signature().whole_rows {
        let (before, after) = (row_text(before, 0)?, row_text(after, 0)?);
        if before != after {
            fields.push(Change {
                field: "the row".to_owned(),
                before,
                after,
            });
        }
    } else {
        for write in &op.pool.signature().writes {
            let text = |batch: &Batch| {
                let column = batch.column(&write.path);
                column.map_or_else(|| "null".to_owned(), |column| text_of(&column.data, 0))
            };
            let (before, after) = (text(before), text(after));
            if before != after {
                let field = write.path.clone();
                fields.push(Change {
                    field,
                    before,
                    after,
                });
            }
        }
    }
    Ok(match fields.is_empty() {
        true => Did::Unchanged,
        false => Did::Changed { fields },
    })
}
