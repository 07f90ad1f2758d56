//! Applies an operator's answer to the batch.

use anyhow::{Result, ensure};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute;
use arrow::datatypes::DataType;

use super::isolate::split_rejected;
use crate::data::columns::new_values::unheld;
use crate::data::refresh::forget;
use crate::data::views::overlay;
use crate::data::{Batch, Column, Stat};
use crate::wasm::{Output, Rejection, Reply, Update};

/// What one operator did with the rows of one batch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowOutcome {
    /// Rows that a filter dropped, or that a mapper made no row from.
    pub(crate) dropped: u64,
    /// Rows that a mapper made beyond one per row.
    pub(crate) created: u64,
    /// Rows in which a mapper changed a value, rejected ones too.
    pub(crate) changed: u64,
}

/// Returns the batch after the answer of a filter or mapper. It lacks rejected rows, and the
/// outcome does not count them. The answer must be of the operator's kind, which was checked on
/// arrival.
pub(crate) fn apply(batch: &Batch, reply: Reply) -> Result<(Batch, RowOutcome)> {
    let good = split_rejected(batch.rows(), &reply.rejected);
    match reply.output {
        Output::Filtered { keep, stats } => filtered(batch, &keep, stats, good),
        Output::Updated(updates) => {
            let mut batch = batch.clone();
            let changed = update_all(&mut batch, updates)?;
            let batch = match good {
                Some(good) => batch.filter(&BooleanArray::from(good))?,
                None => batch,
            };
            let outcome = RowOutcome {
                changed,
                ..RowOutcome::default()
            };
            Ok((batch, outcome))
        }
        Output::Rows { origins, fields } => rows(batch, &origins, fields, &reply.rejected),
        Output::Fingerprints { .. } | Output::Keys(_) | Output::KeyLists(_) => {
            anyhow::bail!("internal error: keys where rows are wanted")
        }
    }
}

fn filtered(
    batch: &Batch,
    keep: &BooleanArray,
    stats: Vec<Stat>,
    good: Option<Vec<bool>>,
) -> Result<(Batch, RowOutcome)> {
    let mut batch = batch.clone();
    for stat in stats {
        match batch.stats.iter_mut().find(|s| s.key == stat.key) {
            Some(old) => old.data = stat.data,
            None => batch.stats.push(stat),
        }
    }
    let rejected = good
        .as_ref()
        .map_or(0, |g| g.iter().filter(|ok| !**ok).count());
    let keep = match good {
        Some(good) => compute::and(keep, &BooleanArray::from(good))?,
        None => keep.clone(),
    };
    let dropped = (batch.rows() - rejected - keep.true_count()) as u64;
    if keep.true_count() < batch.rows() {
        batch = batch.filter(&keep)?;
    }
    Ok((
        batch,
        RowOutcome {
            dropped,
            ..RowOutcome::default()
        },
    ))
}

/// Puts all new values into their columns. Returns the number of rows that really differ.
pub(crate) fn update_all(batch: &mut Batch, updates: Vec<Update>) -> Result<u64> {
    let mut all: Option<BooleanBuffer> = None;
    for new in updates {
        let differs = update(batch, new)?;
        all = Some(match all {
            Some(before) => &before | &differs,
            None => differs,
        });
    }
    Ok(all.map_or(0, |bits| bits.count_set_bits() as u64))
}

/// Puts new values into a column and marks the rows whose value really differs, which it returns.
fn update(batch: &mut Batch, update: Update) -> Result<BooleanBuffer> {
    let rows = batch.rows();
    let at = batch.columns.iter().position(|c| c.path == update.path);
    let old = at.map(|i| batch.columns[i].data.clone());
    let new = overlay(old.as_ref(), rows, update.rows.as_ref(), &update.values)?;
    let differs = differences(old.as_ref(), &new, update.rows.as_ref());
    forget(batch, &update.path, &differs);
    let Some(i) = at else {
        batch.columns.push(Column {
            changed: Some(differs.clone()),
            json: update.json,
            ..Column::new(update.path, new)
        });
        return Ok(differs);
    };
    let column = &mut batch.columns[i];
    let old = std::mem::replace(&mut column.data, new);
    // Checkpoints find out what has changed of a text by comparing it with this. A huge row comes
    // alone, and is not worth its memory.
    if rows > 1 && column.span.is_some() && !column.json && old.data_type() == &DataType::Utf8View {
        column.original.get_or_insert(old);
    }
    column.changed = Some(match &column.changed {
        Some(before) => before | &differs,
        None => differs.clone(),
    });
    Ok(differs)
}

fn differences(
    old: Option<&ArrayRef>,
    new: &ArrayRef,
    rows: Option<&UInt32Array>,
) -> BooleanBuffer {
    let Some(old) = old.filter(|o| o.data_type() == new.data_type()) else {
        return match rows {
            Some(rows) => from_rows(new.len(), rows.values().iter().map(|r| *r as usize)),
            None => BooleanBuffer::new_set(new.len()),
        };
    };
    let differ = |i: usize| match (old.as_string_view_opt(), new.as_string_view_opt()) {
        (Some(a), Some(b)) => {
            a.is_null(i) != b.is_null(i) || (a.is_valid(i) && a.value(i) != b.value(i))
        }
        _ => old.slice(i, 1) != new.slice(i, 1),
    };
    match rows {
        Some(rows) => from_rows(
            new.len(),
            rows.values()
                .iter()
                .map(|r| *r as usize)
                .filter(|i| differ(*i)),
        ),
        None => BooleanBuffer::collect_bool(new.len(), differ),
    }
}

fn from_rows(len: usize, rows: impl Iterator<Item = usize>) -> BooleanBuffer {
    let mut bits = arrow::array::BooleanBufferBuilder::new(len);
    bits.append_n(len, false);
    rows.for_each(|i| bits.set_bit(i, true));
    bits.finish()
}

fn rows(
    batch: &Batch,
    origins: &UInt32Array,
    fields: Vec<Update>,
    rejected: &[Rejection],
) -> Result<(Batch, RowOutcome)> {
    let mut made = batch.take(origins)?;
    for field in &fields {
        ensure!(
            field.values.len() == origins.len(),
            "field `{}` has {} values for {} rows",
            field.path,
            field.values.len(),
            origins.len()
        );
    }
    let changed = update_all(&mut made, fields)?;
    let is_rejected = |row: u32| rejected.binary_search_by_key(&row, |r| r.row).is_ok();
    if !rejected.is_empty() {
        let keep: BooleanArray = origins
            .values()
            .iter()
            .map(|o| Some(!is_rejected(*o)))
            .collect();
        made = made.filter(&keep)?;
    }
    // Rows per origin: none is a drop, each after the first is a creation.
    let mut per_row = vec![0u32; batch.rows()];
    origins
        .values()
        .iter()
        .for_each(|o| per_row[*o as usize] += 1);
    let mut fate = RowOutcome {
        changed,
        ..RowOutcome::default()
    };
    for (row, n) in per_row
        .into_iter()
        .enumerate()
        .filter(|(row, _)| !is_rejected(*row as u32))
    {
        let _ = row;
        match n {
            0 => fate.dropped += 1,
            n => fate.created += u64::from(n - 1),
        }
    }
    Ok((made, fate))
}

/// Rejects the rows for which the operator made a value that its column cannot hold.
pub(crate) fn reject_unheld(batch: &Batch, reply: &mut Reply) -> Result<()> {
    let (updates, origins) = match &reply.output {
        Output::Updated(updates) => (&updates[..], None),
        Output::Rows { origins, fields } => (&fields[..], Some(origins)),
        _ => return Ok(()),
    };
    let mut unheld_rows = Vec::new();
    for update in updates {
        let unheld = unheld(
            batch,
            &update.path,
            &update.values,
            update.json,
            update.rows.as_ref(),
        )?;
        // For new rows: the row that they were made from.
        let row = |at: u32| origins.map_or(at, |origins| origins.value(at as usize));
        unheld_rows.extend(unheld.into_iter().map(|(at, reason)| Rejection {
            row: row(at),
            reason,
        }));
    }
    reply.rejected.append(&mut unheld_rows);
    reply.rejected.sort_by_key(|rejection| rejection.row);
    reply.rejected.dedup_by_key(|rejection| rejection.row);
    Ok(())
}

/// The rejected rows with their numbers, for quarantine.
pub(crate) fn rejected_rows(batch: &Batch, rejected: &[Rejection]) -> Vec<(usize, Batch, String)> {
    rejected
        .iter()
        .map(|r| {
            (
                r.row as usize,
                batch.slice(r.row as usize, 1),
                r.reason.clone(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::array::{StringViewArray, UInt64Array};

    fn batch(texts: &[&str]) -> Batch {
        let data: ArrayRef = Arc::new(texts.iter().map(|t| Some(*t)).collect::<StringViewArray>());
        Batch {
            ids: UInt64Array::from_iter_values(0..texts.len() as u64),
            raw: None,
            origin: None,
            stored: None,
            columns: vec![Column {
                changed: None,
                ..Column::new("text", data)
            }],
            stats: Vec::new(),
        }
    }

    fn texts(batch: &Batch) -> Vec<String> {
        batch.columns[0]
            .data
            .as_string_view()
            .iter()
            .map(|t| t.unwrap().to_owned())
            .collect()
    }

    #[test]
    fn only_values_that_differ_count_as_changed() {
        let values: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "B"]));
        let reply = Reply {
            output: Output::Updated(vec![Update {
                path: "text".into(),
                rows: None,
                values,
                json: false,
            }]),
            rejected: vec![],
            dropped: Vec::new(),
            beyond: 0,
        };
        let (out, fate) = apply(&batch(&["a", "b"]), reply).unwrap();
        assert_eq!(texts(&out), ["a", "B"]);
        assert_eq!(fate.changed, 1);
        assert_eq!(
            out.columns[0]
                .changed
                .as_ref()
                .unwrap()
                .iter()
                .collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!((fate.dropped, fate.created), (0, 0));
    }

    #[test]
    fn a_rejected_row_is_neither_kept_nor_dropped() {
        let keep = BooleanArray::from(vec![true, true, false]);
        let reply = Reply {
            output: Output::Filtered {
                keep,
                stats: vec![],
            },
            rejected: vec![Rejection {
                row: 1,
                reason: "no".into(),
            }],
            dropped: Vec::new(),
            beyond: 0,
        };
        let (out, fate) = apply(&batch(&["a", "b", "c"]), reply).unwrap();
        assert_eq!((texts(&out), fate.dropped), (vec!["a".to_owned()], 1));
    }

    #[test]
    fn rows_made_of_rows_are_counted() {
        let values: ArrayRef = Arc::new(StringViewArray::from(vec!["a1", "a2", "c"]));
        let output = Output::Rows {
            origins: vec![0, 0, 2].into(),
            fields: vec![Update {
                path: "text".into(),
                rows: None,
                values,
                json: false,
            }],
        };
        let (out, fate) = apply(
            &batch(&["a", "b", "c"]),
            Reply {
                output,
                rejected: vec![],
                dropped: Vec::new(),
                beyond: 0,
            },
        )
        .unwrap();
        assert_eq!(texts(&out), ["a1", "a2", "c"]);
        assert_eq!(out.ids.values(), &[0, 0, 2]);
        assert_eq!(
            fate,
            RowOutcome {
                dropped: 1,
                created: 1,
                changed: 2
            }
        );
    }
}
