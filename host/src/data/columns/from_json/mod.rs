//! Converts JSON rows to columns of given types.
//!
//! By hand: `arrow-json` 60.1 does not read `NaN`, and a row must read back exactly as
//! [`super::to_json`] wrote it, with durations, intervals, hexadecimal bytes and maps of any keys.

mod build;
mod fits;

pub(crate) use fits::{can_be_made, fits};

use crate::data::json::rows;
use anyhow::{Context, Result};
use arrow::array::{
    Array, ArrayRef, BooleanBufferBuilder, RecordBatch, RecordBatchOptions, StringViewArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, SchemaRef};
use build::{Build, Object};
use std::sync::Arc;

/// Converts the rows in `lines`, each ended by a line feed, to one record batch of `schema`, whose
/// types must hold their values.
pub(crate) fn to_columns(lines: &[u8], schema: &SchemaRef) -> Result<RecordBatch> {
    let mut columns = Object::new(schema.fields());
    for row in rows(lines) {
        let text = simdutf8::basic::from_utf8(row)?;
        columns
            .append(Some(text))
            .ok()
            .context("a row of the output is not what it was when it was written")?;
    }
    let options = RecordBatchOptions::new().with_row_count(Some(columns.valid.len()));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns.finish_children()?,
        &options,
    )?)
}

/// Parses JSON texts into a column of type `ty`. Also returns the rows whose text does not fit
/// `ty`: they are null.
pub(crate) fn made_of(texts: &StringViewArray, ty: &DataType) -> Result<(ArrayRef, BooleanBuffer)> {
    let mut column = Build::new(ty);
    let mut lost = BooleanBufferBuilder::new(texts.len());
    for text in texts {
        let text = text.map(str::trim).filter(|text| *text != "null");
        let value = text.filter(|text| fits(ty, text));
        lost.append(text.is_some() && value.is_none());
        column
            .append(value)
            .ok()
            .context("a JSON value that fits its type cannot be read")?;
    }
    Ok((column.finish()?, lost.finish()))
}
