//! Columns of a batch as columns of a file. The field's metadata says what a column is, because its
//! name is the user's.
//!
//! Next to its values a column has its *native* form if that holds more (a whole number that an
//! operator reads as a double, a struct that it reads as JSON), and the rows that an operator
//! changed. Without these a step after the checkpoint would write other values than one without it.

use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanBufferBuilder};
use arrow::datatypes::Field;

use crate::data::{Batch, Column, is_text};

/// Key in the metadata of a field.
const ROLE: &str = "djhost:role";
const VALUES: &str = "values";
/// Marks strings that are JSON texts.
const JSON: &str = "json";
const NATIVE: &str = "native";
/// For each row a bit per column; null if no column changed.
const CHANGED: &str = "changed";

/// Adds the columns of `batch`, except stats of the input that an op has computed anew, which
/// nobody reads any more.
pub(crate) fn store(batch: &Batch, add: &mut dyn FnMut(Field, ArrayRef)) {
    let mut column = |path: &str, role: &str, array: &ArrayRef| {
        add(
            Field::new(path, array.data_type().clone(), true).with_metadata([(ROLE, role)]),
            Arc::clone(array),
        );
    };
    for c in &batch.columns {
        column(&c.path, if c.json { JSON } else { VALUES }, &c.data);
        // Strings are the same values in any layout.
        if let Some(native) = c
            .native
            .as_ref()
            .filter(|native| c.json || !is_text(native.data_type()))
        {
            column(&c.path, NATIVE, native);
        }
    }
    let changed: ArrayRef = Arc::new(changed(&batch.columns, batch.rows()));
    column("changed", CHANGED, &changed);
}

fn changed(columns: &[Column], rows: usize) -> BinaryArray {
    let changed: Vec<_> = columns
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some((i, c.changed.as_ref()?)))
        .collect();
    let mut marks = BinaryBuilder::new();
    let mut bits = vec![0u8; columns.len().div_ceil(8)];
    for row in 0..rows {
        bits.fill(0);
        changed
            .iter()
            .filter(|(_, rows)| rows.value(row))
            .for_each(|(i, _)| bits[i / 8] |= 1 << (i % 8));
        marks.append_option(bits.iter().any(|byte| *byte != 0).then_some(&bits));
    }
    marks.finish()
}

/// Whether the field has the values of a column, and not what belongs to one.
pub(crate) fn has_values(field: &Field) -> bool {
    matches!(
        field.metadata().get(ROLE).map(String::as_str),
        None | Some(VALUES | JSON)
    )
}

/// Whether the field belongs to a column of the rows.
pub(crate) fn is_column(field: &Field) -> bool {
    field.metadata().contains_key(ROLE)
}

/// Restores a column that [`store`] made. Must be called in the order of the fields.
pub(crate) fn restore(columns: &mut Vec<Column>, field: &Field, array: &ArrayRef) -> Result<()> {
    match field.metadata().get(ROLE).map(String::as_str) {
        Some(NATIVE) => {
            columns
                .last_mut()
                .context("a native form of no column")?
                .native = Some(Arc::clone(array))
        }
        Some(CHANGED) => mark(
            columns,
            array
                .as_binary_opt::<i32>()
                .context("the changed rows are not marked")?,
        ),
        role => {
            let json = role == Some(JSON);
            columns.push(Column {
                changed: None,
                json,
                ..Column::new(field.name().clone(), Arc::clone(array))
            });
        }
    }
    Ok(())
}

fn mark(columns: &mut [Column], changed: &BinaryArray) {
    if changed.null_count() == changed.len() {
        return;
    }
    for (i, column) in columns.iter_mut().enumerate() {
        let mut rows = BooleanBufferBuilder::new(changed.len());
        changed.iter().for_each(|bits| {
            rows.append(
                bits.and_then(|bits| bits.get(i / 8))
                    .is_some_and(|byte| byte >> (i % 8) & 1 == 1),
            )
        });
        let rows = rows.finish();
        column.changed = (rows.count_set_bits() > 0).then_some(rows);
    }
}
