//! Casts values that operators made to the types of the columns that they go into.

use super::conform::{conform, loss, lost};
use super::from_json::made_of;
use crate::data::batch::{Batch, Column};
use anyhow::Result;
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

/// Casts `data` to `ty`. Also returns the rows whose value `ty` cannot hold; they are null or
/// changed in the result. `json`: the strings are JSON texts.
pub(crate) fn held(
    data: &ArrayRef,
    json: bool,
    ty: &DataType,
) -> Result<(ArrayRef, Option<BooleanBuffer>)> {
    if json {
        let (made, lost) = made_of(data.as_string_view(), ty)?;
        return Ok((made, Some(lost).filter(|lost| lost.count_set_bits() > 0)));
    }
    let new = conform(data, ty)?;
    let lost = lost(data, &new)?.filter(|lost| lost.count_set_bits() > 0);
    Ok((new, lost))
}

/// Says why `ty` cannot hold the value in `row`.
pub(crate) fn why(data: &ArrayRef, json: bool, row: usize, ty: &DataType) -> String {
    match data.as_string_view_opt().filter(|_| json) {
        Some(texts) => format!(
            "{:.80} in JSON, which is no value of the column's type {ty}",
            texts.value(row)
        ),
        None => loss(data, row, ty),
    }
}

/// Positions of those new values for the field `path` that its column in `batch`, a batch of
/// columns, cannot hold, each with the reason.
pub(crate) fn unheld(
    batch: &Batch,
    path: &str,
    values: &ArrayRef,
    json: bool,
    rows: Option<&UInt32Array>,
) -> Result<Vec<(u32, String)>> {
    let Some(ty) = column_type(batch, path).filter(|ty| ty != values.data_type() || json) else {
        return Ok(Vec::new());
    };
    let holds_text = |ty: &DataType| {
        matches!(
            ty,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        )
    };
    if !json && holds_text(&ty) && holds_text(values.data_type()) {
        return Ok(Vec::new());
    }
    let (_, lost) = held(values, json, &ty)?;
    let lost: Vec<usize> = lost
        .map(|lost| lost.set_indices().collect())
        .unwrap_or_default();
    let position = |i: usize| rows.map_or(i as u32, |rows| rows.value(i));
    Ok(lost
        .into_iter()
        .map(|i| {
            (
                position(i),
                format!("the new value of `{path}` is {}", why(values, json, i, &ty)),
            )
        })
        .collect())
}

/// The type of the column for new values of the field `path`; None if they make a new column.
fn column_type(batch: &Batch, path: &str) -> Option<DataType> {
    let own = |column: &Column| {
        column
            .native
            .as_ref()
            .unwrap_or(&column.data)
            .data_type()
            .clone()
    };
    let nested = || {
        let (head, rest) = path.split_once('.')?;
        rest.split('.')
            .try_fold(own(batch.column(head)?), |ty, name| match ty {
                DataType::Struct(fields) => fields
                    .find(name)
                    .map(|(_, field)| field.data_type().clone()),
                _ => None,
            })
    };
    let column = batch.column(path)?;
    if column.native.is_none() {
        // JSON that nobody read from a column makes a new one.
        nested().or_else(|| (!column.json).then(|| own(column)))
    } else {
        Some(own(column))
    }
}
