//! Sets rows aside that cannot be processed, with the reason, so that none is lost silently. Has the
//! task's [`Recorder`], which records these rows and all others.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Result;
use arrow::array::RecordBatch;

use super::breaker::Breaker;
use super::lines::{Lines, place};
use super::trace::Recorder;
use crate::checkpoint::QuarantineFile;
use crate::config::OnError;
use crate::data::batch::split_id;
use crate::data::{BadRow, Batch, Column, Dataset, render, show_json_rows};
use crate::error::Final;
use crate::plan::lineage_key::Key;
use crate::rundir::quarantine_entry::QuarantineEntry;
use crate::rundir::{AtomicFile, RunPaths, Storage};
use crate::wasm::contract::{COUNTS, ROW, SEEN};

struct Waiting {
    id: u64,
    op: Option<(usize, String)>,
    reason: String,
    row: Vec<u8>,
}

/// The rows that one task sets aside.
pub(crate) struct Quarantine<'a> {
    pub(crate) breaker: Breaker<'a>,
    /// What the task records of its rows.
    pub(crate) recorder: Recorder<'a>,
    /// Rows that are not in the file yet, and their bytes.
    rows: Vec<Waiting>,
    bytes: usize,
    /// Bytes of all rows.
    all_bytes: usize,
    file: Option<Entries<'a>>,
    reasons: BTreeMap<(Option<(usize, String)>, String), u64>,
    unheard: bool,
}

/// Number of reasons that a task counts and reports; operators may give one for each row.
const MAX_REASONS: usize = 100;
const OTHER_REASONS: &str = "other reasons; the rows have them";

/// Field names are not extracted from larger rows.
const MAX_LOOKED_AT: usize = 1 << 20;

/// Bytes of rows that a task may set aside before it fails, if rows may have `row` bytes: quarantine
/// is for exceptions, and fills the disk.
pub(crate) fn most_bytes(row: usize) -> usize {
    (256 << 20).max(row.saturating_mul(4))
}

/// Bytes of rows that wait in memory; beyond that they go to the file after their batch.
const WAITING_BYTES: usize = 32 << 20;

/// Where a task's rows in quarantine go, and what their entries say of it.
#[derive(Clone, Copy)]
pub(crate) struct Destination<'t> {
    pub(crate) paths: &'t RunPaths,
    pub(crate) storage: &'t Storage,
    /// The op that the task begins at, its partition, and the key of its result.
    pub(crate) task: (usize, usize, &'t Key),
    pub(crate) attempt: u32,
}

impl Destination<'_> {
    fn path(&self) -> PathBuf {
        let (op, partition, key) = self.task;
        self.paths.quarantine_file(op, partition, key.as_str())
    }
}

/// The file of a task's rows in quarantine.
struct Entries<'a> {
    out: BufWriter<AtomicFile>,
    lines: Lines<'a>,
    rows: u64,
    /// Rows whose line is not known yet.
    unplaced: u64,
}

impl<'a> Quarantine<'a> {
    pub(crate) fn new(breaker: Breaker<'a>, recorder: Recorder<'a>) -> Self {
        Self {
            breaker,
            recorder,
            rows: Vec::new(),
            bytes: 0,
            all_bytes: 0,
            file: None,
            reasons: BTreeMap::new(),
            unheard: false,
        }
    }

    /// For rows that were set aside before: neither the breaker nor the events count them again, and
    /// nothing is recorded.
    pub(crate) fn unheard(breaker: Breaker<'a>) -> Self {
        Self {
            unheard: true,
            ..Self::new(breaker, Recorder::off())
        }
    }

    /// A row that the reader refused.
    pub(crate) fn bad(&mut self, bad: BadRow, on_error: OnError) -> Result<()> {
        let looked_at = (bad.raw.len() <= MAX_LOOKED_AT).then(|| bad.raw.clone());
        self.add(
            (bad.id, 0),
            None,
            bad.reason,
            on_error,
            looked_at.as_deref(),
            || Ok(bad.raw),
        )
    }

    /// Sets a row aside that op `op` made and that is not usable.
    pub(crate) fn bad_of(
        &mut self,
        op: (usize, &str),
        bad: BadRow,
        on_error: OnError,
    ) -> Result<()> {
        self.add(
            (bad.id, 0),
            Some((op.0, op.1.to_owned())),
            bad.reason,
            on_error,
            None,
            || Ok(bad.raw),
        )
    }

    /// Sets a row aside (a batch of one, and its ordinal) that op `op` rejected or failed on.
    pub(crate) fn rejected(
        &mut self,
        op: (usize, &str),
        (row, piece): (&Batch, u32),
        reason: String,
        on_error: OnError,
    ) -> Result<()> {
        self.add(
            (row.ids.value(0), piece),
            Some((op.0, op.1.to_owned())),
            reason,
            on_error,
            None,
            || show(row),
        )
    }

    fn add(
        &mut self,
        (id, piece): (u64, u32),
        op: Option<(usize, String)>,
        reason: String,
        on_error: OnError,
        looked_at: Option<&[u8]>,
        row: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<()> {
        if self.unheard {
            return Ok(());
        }
        let who = op.as_ref().map(|(i, n)| format!("op {i} `{n}`"));
        match on_error {
            OnError::Fail => {
                let who = who.unwrap_or_else(|| "the reader".to_owned());
                let (file, line) = place(self.breaker.dataset, id);
                return Err(Final(format!(
                    "{who} cannot process {file}:{line}, and on_error is `fail`: {reason}"
                ))
                .into());
            }
            OnError::Drop => {}
            OnError::Quarantine => {
                let row = row()?;
                self.bytes += row.len() + reason.len();
                self.all_bytes += row.len() + reason.len();
                let most = self.breaker.most_bytes;
                if self.all_bytes > most {
                    let message = format!(
                        "one partition has more than {} MiB of rows in quarantine",
                        most >> 20
                    );
                    return Err(Final(message + &self.breaker.commonest(op.is_none())).into());
                }
                self.rows.push(Waiting {
                    id,
                    op: op.clone(),
                    reason: reason.clone(),
                    row,
                });
            }
        }
        self.recorder
            .quarantined(op.as_ref().map(|op| op.0), id, piece, &reason);
        self.breaker
            .set_aside(who.as_deref(), &reason, id, looked_at)?;
        let full = self.reasons.len() >= MAX_REASONS
            && !self.reasons.contains_key(&(op.clone(), reason.clone()));
        *self
            .reasons
            .entry((
                op,
                if full {
                    OTHER_REASONS.to_owned()
                } else {
                    reason
                },
            ))
            .or_default() += 1;
        Ok(())
    }

    /// Number of rows that were set aside or dropped, by op and reason.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (Option<&(usize, String)>, &str, u64)> {
        self.reasons
            .iter()
            .map(|((op, reason), n)| (op.as_ref(), reason.as_str(), *n))
    }

    /// Writes the rows so far if they are large, and what is recorded if it is much. Called between batches, of which later ones have
    /// later rows.
    pub(crate) fn relieve(&mut self, to: Destination<'_>) -> Result<()> {
        self.recorder.relieve(to)?;
        match self.bytes > WAITING_BYTES {
            true => self.write(to),
            false => Ok(()),
        }
    }

    /// Commits the rows of the task; None if there are none.
    pub(crate) fn commit(&mut self, to: Destination<'_>) -> Result<Option<QuarantineFile>> {
        self.write(to)?;
        let Some(file) = self.file.take() else {
            return Ok(None);
        };
        let Entries {
            out,
            rows,
            unplaced,
            ..
        } = file;
        out.into_inner().map_err(|e| e.into_error())?.commit()?;
        let path = to.path();
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Some(QuarantineFile {
            name,
            rows,
            unplaced,
        }))
    }

    /// Moves the waiting rows to the file.
    fn write(&mut self, to: Destination<'_>) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let dataset = self.breaker.dataset;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Entries {
                out: BufWriter::new(to.storage.create(&to.path())?),
                lines: self.breaker.lines_of(to.task.1),
                rows: 0,
                unplaced: 0,
            }),
        };
        // In input order, so that lines are counted in one pass. The sort is stable.
        self.rows.sort_by_key(|r| r.id);
        for waiting in self.rows.drain(..) {
            file.add(&waiting, dataset, to.attempt)?;
        }
        self.bytes = 0;
        Ok(())
    }
}

impl Entries<'_> {
    fn add(&mut self, waiting: &Waiting, dataset: &Dataset, attempt: u32) -> Result<()> {
        let (file, offset) = split_id(waiting.id);
        let place = self.lines.of(file, offset)?;
        let (row, row_base64) = QuarantineEntry::forms(&waiting.row);
        let entry = QuarantineEntry {
            file: dataset
                .files
                .get(file)
                .map(|f| f.shown().to_string())
                .unwrap_or_default()
                .into(),
            line: place.line,
            line_in_partition: place.line_in_partition,
            offset: place.has_offset.then_some(offset),
            row_id: waiting.id,
            operation_idx: waiting.op.as_ref().map(|o| o.0),
            operation_name: waiting.op.as_ref().map(|o| o.1.as_str().into()),
            reason: waiting.reason.as_str().into(),
            attempt,
            row,
            row_base64,
        };
        serde_json::to_writer(&mut self.out, &entry)?;
        self.out.write_all(b"\n")?;
        self.rows += 1;
        self.unplaced += u64::from(place.line.is_none());
        Ok(())
    }
}

/// The row as it is, whether or not a checkpoint was made since it was read.
fn show(row: &Batch) -> Result<Vec<u8>> {
    match &row.raw {
        Some(_) => {
            let mut row = row.clone();
            row.columns
                .retain(|c| ![ROW, COUNTS, SEEN].contains(&c.path.as_str()));
            Ok(render(&row)?.value(0).to_vec())
        }
        None => {
            // Columns as they were read if no op changed them: `data` may have another type for an
            // op.
            let value = |c: &Column| match (&c.native, &c.changed) {
                (Some(native), changed) if changed.as_ref().is_none_or(|bits| !bits.value(0)) => {
                    native.clone()
                }
                _ => c.data.clone(),
            };
            let fields: Vec<_> = row
                .columns
                .iter()
                .filter(|c| c.path != ROW)
                .map(|c| (c.path.clone(), value(c), true))
                .collect();
            let table = RecordBatch::try_from_iter_with_nullable(fields)?;
            let mut text = Vec::new();
            show_json_rows(&table, &mut text)?;
            text.truncate(text.trim_ascii_end().len());
            Ok(text)
        }
    }
}
