//! Converts answers to a form that can be compared row by row, however the rows were batched.

use arrow::array::Array;
use arrow::util::display::array_value_to_string;

use crate::data::Batch;
use crate::wasm::{CallError, OpPool, Output, Reply, Update};

/// Returns the operator's answer for each row of `batch`. The outer error is that of the call.
pub(crate) fn ask(
    pool: &OpPool,
    instance: &mut crate::wasm::OpInstance,
    batch: &Batch,
) -> anyhow::Result<Result<Vec<String>, CallError>> {
    Ok(pool
        .process(instance, batch)?
        .map(|reply| per_row(&reply, batch.rows())))
}

/// Returns one text per row of the batch that contains the whole answer for it.
pub(crate) fn per_row(reply: &Reply, rows: usize) -> Vec<String> {
    let mut out = vec![String::new(); rows];
    match &reply.output {
        Output::Filtered { keep, stats } => {
            for (row, text) in out.iter_mut().enumerate() {
                *text = if keep.value(row) {
                    "kept".into()
                } else {
                    "dropped".into()
                };
                for stat in stats {
                    *text += &format!(", {} = {}", stat.key, value(&stat.data, row));
                }
            }
        }
        Output::Updated(updates) => {
            for update in updates {
                for i in 0..update.values.len() {
                    let row = update
                        .rows
                        .as_ref()
                        .map_or(i, |rows| rows.value(i) as usize);
                    out[row] += &field(update, i);
                }
            }
        }
        Output::Rows { origins, fields } => {
            for (i, origin) in origins.values().iter().enumerate() {
                out[*origin as usize] += "a row with ";
                fields
                    .iter()
                    .for_each(|f| out[*origin as usize] += &field(f, i));
            }
        }
        Output::Fingerprints {
            width,
            per_row,
            data,
            valid,
        } => {
            let bytes = width * per_row;
            for (row, text) in out.iter_mut().enumerate() {
                let has = valid.as_ref().is_none_or(|v| v.value(row));
                *text = if has {
                    format!("{:02x?}", &data[row * bytes..(row + 1) * bytes])
                } else {
                    "no fingerprint".into()
                };
            }
        }
        Output::KeyLists(keys) => {
            let keys: arrow::array::ArrayRef = std::sync::Arc::new(keys.clone());
            out.iter_mut()
                .enumerate()
                .for_each(|(row, text)| *text = value(&keys, row));
        }
        Output::Keys(keys) => out
            .iter_mut()
            .enumerate()
            .for_each(|(row, text)| *text = value(keys, row)),
    }
    for rejection in &reply.rejected {
        out[rejection.row as usize] = format!("rejected: {}", rejection.reason);
    }
    out
}

fn field(update: &Update, i: usize) -> String {
    format!("{} = {}; ", update.path, value(&update.values, i))
}

fn value(array: &arrow::array::ArrayRef, i: usize) -> String {
    if array.is_null(i) {
        return "null".into();
    }
    array_value_to_string(array, i).unwrap_or_else(|error| error.to_string())
}
