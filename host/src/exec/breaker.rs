//! Ends the job if too many rows are unusable. Rows that the reader refuses say nothing about
//! operators, so the two are judged separately.

use anyhow::Result;

use super::lines::{KnownLines, Lines};
use super::meter::Tally;
use super::reasons::{Place, Reasons};
use crate::data::{Dataset, Partition};
use crate::error::Final;
use crate::rundir::StopFlag;

/// Tolerated shares of unusable rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratios {
    /// Share that operators cannot process.
    pub operators: f64,
    /// Share that cannot be read.
    pub reader: f64,
}

/// Ends a task in the middle of a batch: too many bad rows in the whole job, or a stop.
#[derive(Clone, Copy)]
pub(crate) struct Breaker<'a> {
    pub(crate) tally: &'a Tally,
    pub(crate) ratios: Ratios,
    pub(crate) dataset: &'a Dataset,
    pub(crate) stop: &'a StopFlag,
    pub(crate) partitions: &'a [Partition],
    pub(crate) lines: &'a KnownLines,
    /// Bytes of rows that a task may set aside.
    pub(crate) most_bytes: usize,
}

/// Rows to judge by: of fewer rows, some bad ones mean nothing.
const ENOUGH_ROWS: u64 = 1000;
/// Rows to judge the reader by while it reads: a file may begin badly, but a job that is bad as a
/// whole must not read all of it.
const ENOUGH_READ: u64 = 10_000;

impl<'a> Breaker<'a> {
    /// What finds the lines of rows of partition `p`.
    pub(super) fn lines_of(&self, p: usize) -> Lines<'a> {
        let partition = self.partitions.get(p);
        let slices = partition.map_or(&[][..], |partition| &partition.slices);
        Lines::of_partition(self.dataset, slices, self.lines)
    }

    /// Counts a row that was set aside or dropped because `op` (None: the reader) failed on it for
    /// `reason`. Fails once too many of the rows so far are unusable.
    pub(crate) fn set_aside(
        &self,
        op: Option<&str>,
        reason: &str,
        id: u64,
        row: Option<&[u8]>,
    ) -> Result<()> {
        let bad = self.tally.set_aside(op.is_none());
        let mut reasons = self.tally.reasons.lock().expect("no panic while held");
        reasons.note(op, reason, Place::Row(id), row);
        if self.tally.is_share() {
            return Ok(());
        }
        match op {
            Some(_) => self.judge_operators(bad, &reasons),
            None => self.judge_reader(bad, &reasons),
        }
    }

    /// Fails if too many of the rows so far are unusable.
    pub(crate) fn judge(&self) -> Result<()> {
        let (unreadable, failed) = self.tally.unusable();
        let reasons = self.tally.reasons.lock().expect("no panic while held");
        self.judge_reader(unreadable, &reasons)?;
        self.judge_operators(failed, &reasons)
    }

    fn judge_operators(&self, bad: u64, reasons: &Reasons) -> Result<()> {
        let rows = self.tally.rows().max(ENOUGH_ROWS);
        match is_above(bad, rows, self.ratios.operators) {
            true => Err(broken_operator(
                bad,
                rows,
                self.ratios,
                reasons,
                self.dataset,
            )),
            false => Ok(()),
        }
    }

    fn judge_reader(&self, bad: u64, reasons: &Reasons) -> Result<()> {
        let rows = self.tally.rows();
        match is_above(bad, rows.max(ENOUGH_READ), self.ratios.reader) {
            true => Err(unreadable(
                bad,
                rows.max(bad),
                self.ratios,
                reasons,
                self.dataset,
            )),
            false => Ok(()),
        }
    }

    /// The most common reason so far, of the reader or of operators, for appending to a message.
    pub(crate) fn commonest(&self, of_reader: bool) -> String {
        let reasons = self.tally.reasons.lock().expect("no panic while held");
        reasons
            .commonest(of_reader, self.tally.rows(), self.dataset)
            .map_or_else(String::new, |why| format!("; most often {why}"))
    }
}

/// Counts of a job's rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// All rows.
    pub rows: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// Rows that operators could not process.
    pub failed: u64,
}

/// The final judgement, after all rows. `reasons` are those of all attempts.
pub(crate) fn check(
    seen: Seen,
    ratios: Ratios,
    reasons: &Reasons,
    dataset: &Dataset,
) -> Result<()> {
    let Seen {
        rows,
        unreadable: bad,
        failed,
    } = seen;
    let all = |bad: u64, ratio: f64| rows > 0 && bad == rows && ratio < 1.0;
    if all(bad, ratios.reader) || (rows >= ENOUGH_ROWS && is_above(bad, rows, ratios.reader)) {
        return Err(unreadable(bad, rows, ratios, reasons, dataset));
    }
    if all(failed, ratios.operators) || is_above(failed, rows.max(ENOUGH_ROWS), ratios.operators) {
        return Err(broken_operator(failed, rows, ratios, reasons, dataset));
    }
    Ok(())
}

fn is_above(bad: u64, rows: u64, ratio: f64) -> bool {
    bad as f64 > ratio * rows as f64
}

fn broken_operator(
    bad: u64,
    rows: u64,
    ratios: Ratios,
    reasons: &Reasons,
    dataset: &Dataset,
) -> anyhow::Error {
    let why = reasons
        .commonest(false, rows, dataset)
        .map_or_else(String::new, |why| format!("; most often {why}"));
    Final(format!(
        "{bad} of {rows} rows could not be processed, more than max_quarantine_ratio {} allows: this looks like a broken operator rather than bad data{why}",
        ratios.operators
    ))
    .into()
}

fn unreadable(
    bad: u64,
    rows: u64,
    ratios: Ratios,
    reasons: &Reasons,
    dataset: &Dataset,
) -> anyhow::Error {
    let why = reasons
        .commonest(true, rows, dataset)
        .map_or_else(String::new, |why| format!("; {why}"));
    Final(format!(
        "{} of {} rows cannot be read, more than max_unreadable_ratio {} allows: this looks like a wrong field or format rather than bad data{why}",
        crate::term::count(bad),
        crate::term::count(rows),
        ratios.reader
    ))
    .into()
}
