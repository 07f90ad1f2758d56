//! Operators that receive and return whole rows: prepares their input and handles their answer.

use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::context::TaskContext;
use super::source::without_bad;
use crate::data::{BadRow, Batch, Column, ExportOptions, ReadField, extract};
use crate::plan::PlannedOp;
use crate::wasm::contract::ROW;

/// Removes line ends from rows. In JSON they can only be space between tokens, and all other rows
/// have none.
fn one_line(rows: &StringViewArray) -> StringViewArray {
    let is_end = |c: char| c == '\n' || c == '\r';
    if rows.iter().flatten().all(|row| !row.contains(is_end)) {
        return rows.clone();
    }
    rows.iter()
        .map(|row| row.map(|row| row.replace(is_end, " ")))
        .collect()
}

/// State for one such op.
pub(crate) struct Rewrite<'a> {
    export: &'a ExportOptions,
    /// The fields of new rows that later ops read.
    fields: Vec<ReadField>,
    batch_bytes: usize,
}

impl<'a> Rewrite<'a> {
    /// Returns None for any other op.
    pub(crate) fn of(env: &'a TaskContext<'_>, op: &PlannedOp) -> Option<Self> {
        op.pool.signature().whole_rows.then(|| Self {
            export: &env.export,
            fields: env.plan.fields_of_new(op.index),
            batch_bytes: env.read.batch_bytes,
        })
    }

    /// The batch with its rows as a field.
    pub(crate) fn given(&self, batch: &Batch) -> Result<Batch> {
        let rows: ArrayRef = Arc::new(self.export.texts(batch)?);
        let mut batch = batch.clone();
        let texts = cast(&rows, &DataType::Utf8View).context("a row is not UTF-8")?;
        batch.columns.push(Column {
            changed: None,
            ..Column::new(ROW, texts)
        });
        Ok(batch)
    }

    /// Takes the new rows out of that field, in batches of the usual size. Returns the number of
    /// good ones, and the others: they are not rows, or lack what a later op requires. Drops all
    /// that was known of the old rows.
    pub(crate) fn made(&self, made: Batch, out: &mut Vec<Batch>) -> Result<(u64, Vec<BadRow>)> {
        let rows = made
            .column(ROW)
            .context("internal error: the new rows have gone")?;
        let rows = cast(&one_line(rows.data.as_string_view()), &DataType::BinaryView)?;
        let rows = rows.as_binary_view();
        let (mut good, mut bad, mut start) = (0, Vec::new(), 0);
        while start < rows.len() {
            let (mut end, mut bytes) = (start, 0);
            while end < rows.len() && (bytes < self.batch_bytes || end == start) {
                bytes += rows.value(end).len();
                end += 1;
            }
            let raw = rows.slice(start, end - start);
            let extracted = extract(&raw, &self.fields)?;
            let batch = Batch {
                ids: made.ids.slice(start, end - start),
                origin: Some(BinaryViewArray::new_null(raw.len())),
                raw: Some(raw),
                stored: None,
                columns: extracted.columns,
                stats: Vec::new(),
            };
            let (batch, more) = without_bad(batch, extracted.bad)?;
            bad.extend(more);
            good += batch.rows() as u64;
            out.push(batch);
            start = end;
        }
        Ok((good, bad))
    }
}
