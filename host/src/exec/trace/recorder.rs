//! What one task records.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::Result;
use arrow::array::{Array, ArrayRef, StringArray, UInt32Array, UInt64Array, new_null_array};
use arrow::compute::{cast, concat, take};

use super::explain::explain;
use super::samples::Samples;
use super::{Tracing, arrow_type};
use crate::checkpoint::Traced;
use crate::data::{Batch, Stat};
use crate::exec::quarantine::Destination;
use crate::plan::PlannedOp;
use crate::rundir::AtomicFile;
use crate::rundir::trace::{Entries, Fate, TraceWriter};
use crate::wasm::{OpInstance, Output, Rejection, Reply};

/// Records what a task does with its rows.
pub(crate) struct Recorder<'a> {
    /// None: nothing is recorded.
    on: Option<On<'a>>,
}

struct On<'a> {
    tracing: &'a Tracing,
    writer: TraceWriter,
    samples: Samples,
    /// Instances of ops that compute the stats of what they dropped.
    explainers: BTreeMap<usize, Option<OpInstance>>,
}

impl<'a> Recorder<'a> {
    /// Records as `tracing` says; nothing without.
    pub(crate) fn new(tracing: Option<&'a Tracing>) -> Self {
        let on = tracing.map(|tracing| On {
            tracing,
            writer: TraceWriter::new(&tracing.stats),
            samples: Samples::default(),
            explainers: BTreeMap::new(),
        });
        Self { on }
    }

    /// Records nothing.
    pub(crate) fn off() -> Self {
        Self { on: None }
    }

    /// Whether anything is recorded.
    pub(crate) fn is_on(&self) -> bool {
        self.on.is_some()
    }

    /// What `op` answered for `rows`, of which `pieces` are the ordinals. Rows that it rejected are
    /// recorded by [`quarantined`](Self::quarantined).
    pub(crate) fn answered(
        &mut self,
        op: &PlannedOp,
        rows: &Batch,
        pieces: Option<&[u32]>,
        reply: &Reply,
    ) -> Result<()> {
        let Some(on) = &mut self.on else {
            return Ok(());
        };
        match &reply.output {
            Output::Filtered { keep, stats } => {
                if on.tracing.all {
                    let kept = chosen(&reply.rejected, rows.rows(), |row| keep.value(row));
                    on.judged(op, Fate::Kept, rows, pieces, kept, stats)?;
                }
                if keep.true_count() < rows.rows() {
                    let dropped = chosen(&reply.rejected, rows.rows(), |row| !keep.value(row));
                    on.judged(op, Fate::Dropped, rows, pieces, dropped, stats)?;
                }
            }
            Output::Rows { origins, .. } => {
                on.made(op.index, rows, pieces, origins, reply);
            }
            Output::Updated(updates) => {
                let most = on.tracing.samples;
                if most > 0 && on.tracing.sampled[op.index] {
                    on.samples.look((op.index, most), rows, pieces, updates);
                }
            }
            Output::Fingerprints { .. } | Output::Keys(_) | Output::KeyLists(_) => {}
        }
        Ok(())
    }

    /// A row that op `op` (None: the reader) could not process.
    pub(crate) fn quarantined(&mut self, op: Option<usize>, id: u64, piece: u32, reason: &str) {
        if let Some(on) = &mut self.on {
            let ids = UInt64Array::from(vec![id]);
            let pieces = (piece > 0).then(|| UInt32Array::from(vec![piece]));
            on.writer.add(
                Entries::new(op, Fate::Quarantined, ids)
                    .pieces(pieces)
                    .reasons(StringArray::from(vec![reason])),
            );
        }
    }

    /// Rows that go into the export.
    pub(crate) fn written(&mut self, rows: &Batch, pieces: Option<&[u32]>) {
        if let Some(on) = self.on.as_mut().filter(|on| on.tracing.all) {
            let pieces = pieces.map(|pieces| given(pieces.iter().copied()));
            on.writer
                .add(Entries::new(None, Fate::Written, rows.ids.clone()).pieces(pieces));
        }
    }

    /// Whether [`written`](Self::written) does anything.
    pub(crate) fn records_written(&self) -> bool {
        self.on.as_ref().is_some_and(|on| on.tracing.all)
    }

    /// Writes the entries so far if they are many. Called between batches, of which later ones have
    /// later rows.
    pub(crate) fn relieve(&mut self, to: Destination<'_>) -> Result<()> {
        match &mut self.on {
            Some(on) => on.writer.relieve(|| create(to)),
            None => Ok(()),
        }
    }

    /// Commits the entries of the task, which did the work of `ops`; None if nothing is recorded.
    pub(crate) fn commit(self, to: Destination<'_>, ops: Range<usize>) -> Result<Option<Traced>> {
        let Some(On {
            tracing,
            mut writer,
            samples,
            ..
        }) = self.on
        else {
            return Ok(None);
        };
        samples.entries().for_each(|entries| writer.add(entries));
        let mut name = None;
        if let Some((file, _)) = writer.finish(|| create(to))? {
            file.commit()?;
            let path = path(to);
            name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
        }
        Ok(Some(Traced {
            name,
            ops,
            all: tracing.all,
        }))
    }
}

impl On<'_> {
    /// Records the rows `at` of a filter with their stats.
    fn judged(
        &mut self,
        op: &PlannedOp,
        fate: Fate,
        rows: &Batch,
        pieces: Option<&[u32]>,
        at: Vec<u32>,
        stats: &[Stat],
    ) -> Result<()> {
        if at.is_empty() {
            return Ok(());
        }
        let is_all = at.len() == rows.rows();
        let at = UInt32Array::from(at);
        let ids = match is_all {
            true => rows.ids.clone(),
            false => UInt64Array::from_iter_values(
                at.values().iter().map(|row| rows.ids.value(*row as usize)),
            ),
        };
        let stats = match &op.wanted_stats {
            Some(_) if fate == Fate::Dropped => self.left_out(op, &rows.take(&at)?)?,
            _ => stats
                .iter()
                .map(|stat| {
                    let values = match is_all {
                        true => stat.data.clone(),
                        false => take(&stat.data, &at, None)?,
                    };
                    Ok((stat.key.clone(), values))
                })
                .collect::<Result<_>>()?,
        };
        let mut entries = Entries::new(Some(op.index), fate, ids).pieces(
            pieces.map(|pieces| given(at.values().iter().map(|row| pieces[*row as usize]))),
        );
        for (key, values) in stats {
            let declared = op
                .pool
                .signature()
                .writes_stats
                .iter()
                .find(|s| s.path == key);
            let column = declared.and_then(|s| self.tracing.stats.of(&key, &arrow_type(s.ty)));
            if let Some(column) = column {
                let values = match *values.data_type() == column.ty {
                    true => values,
                    false => cast(&values, &column.ty)?,
                };
                entries.stats.push((column.name.clone(), values));
            }
        }
        self.writer.add(entries);
        Ok(())
    }

    /// The stats of rows that a filter dropped, which it left out.
    fn left_out(&mut self, op: &PlannedOp, rows: &Batch) -> Result<Vec<(String, ArrayRef)>> {
        let slot = self.explainers.entry(op.index).or_default();
        let declared = &op.pool.signature().writes_stats;
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); declared.len()];
        explain(op, slot, rows, &mut |n, stats| {
            for (stat, parts) in declared.iter().zip(&mut parts) {
                let values = stats
                    .iter()
                    .find(|s| s.key == stat.path)
                    .map(|s| s.data.clone());
                parts.push(values.unwrap_or_else(|| new_null_array(&arrow_type(stat.ty), n)));
            }
        })?;
        let columns = declared.iter().zip(parts).map(|(stat, parts)| {
            let ty = arrow_type(stat.ty);
            let parts: Vec<ArrayRef> = parts
                .iter()
                .map(|part| cast(part, &ty))
                .collect::<Result<_, _>>()?;
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            Ok((stat.path.clone(), concat(&parts)?))
        });
        columns.collect()
    }

    /// Records rows of which a mapper made none, or several.
    fn made(
        &mut self,
        op: usize,
        rows: &Batch,
        pieces: Option<&[u32]>,
        origins: &UInt32Array,
        reply: &Reply,
    ) {
        let rejected = &reply.rejected;
        let mut made = vec![0u32; rows.rows()];
        origins
            .values()
            .iter()
            .for_each(|row| made[*row as usize] += 1);
        let mut add = |fate: Fate, at: Vec<u32>| {
            let value = |row: &u32| rows.ids.value(*row as usize);
            let mut entries = Entries::new(
                Some(op),
                fate,
                UInt64Array::from_iter_values(at.iter().map(value)),
            )
            .pieces(pieces.map(|pieces| given(at.iter().map(|row| pieces[*row as usize]))));
            if fate == Fate::Dropped && !reply.dropped.is_empty() {
                entries = entries.reasons(at.iter().map(|row| reply.why_dropped(*row)).collect());
            }
            if fate == Fate::Made {
                let counts = at.iter().map(|row| made[*row as usize]);
                entries = entries.counts(UInt32Array::from_iter_values(counts));
            }
            self.writer.add(entries);
        };
        add(
            Fate::Dropped,
            chosen(rejected, made.len(), |row| made[row] == 0),
        );
        add(
            Fate::Made,
            chosen(rejected, made.len(), |row| made[row] > 1),
        );
    }
}

/// The rows that were not rejected and that `test` chooses.
fn chosen(rejected: &[Rejection], rows: usize, test: impl Fn(usize) -> bool) -> Vec<u32> {
    let is_good =
        |row: u32| rejected.is_empty() || rejected.binary_search_by_key(&row, |r| r.row).is_err();
    (0..rows as u32)
        .filter(|row| test(*row as usize) && is_good(*row))
        .collect()
}

/// Ordinals as the table has them: null for the first.
fn given(pieces: impl Iterator<Item = u32>) -> UInt32Array {
    pieces.map(|piece| (piece > 0).then_some(piece)).collect()
}

fn path(to: Destination<'_>) -> PathBuf {
    let (op, partition, key) = to.task;
    to.paths.trace_file(op, partition, key.as_str())
}

fn create(to: Destination<'_>) -> Result<AtomicFile> {
    to.storage.create(&path(to))
}
