//! Brings columns up to date after an operator has changed a field inside of theirs, or the one that
//! theirs lies in.
//!
//! Each field of a row is a column of its own, `meta` as well as `meta.lang`. A new value goes into
//! one of them only; [`forget`] and [`refresh`] keep the others true, the first when a value is
//! written and the second before an operator looks.

use super::batch::{Batch, Column};
use super::json::edit::set_path;
use super::json::extract::{ReadField, extract};
use super::json::row_text::write_value;
use super::views::overlay;
use anyhow::Result;
use arrow::array::{Array, AsArray, BinaryViewArray, StringViewArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use std::sync::Arc;

/// Rows without a value in a field that an operator requires, by number, and why.
pub(crate) type Missing = Vec<(u32, String)>;

/// The part of `inner` below `outer`: `lang` of `meta.lang` in `meta`.
fn below<'a>(inner: &'a str, outer: &str) -> Option<&'a str> {
    inner.strip_prefix(outer)?.strip_prefix('.')
}

/// After new values at `path` in the rows `differs`: what had been changed inside of it is no longer
/// there.
pub(crate) fn forget(batch: &mut Batch, path: &str, differs: &BooleanBuffer) {
    for column in &mut batch.columns {
        if let Some(changed) = column.changed.take() {
            let is_inside = below(&column.path, path).is_some();
            column.changed = Some(if is_inside {
                &changed & &!differs
            } else {
                changed
            });
        }
    }
}

/// Makes the columns of `fields` what the rows hold now. Returns the rows in which a required one
/// has no value.
pub(crate) fn refresh(batch: &mut Batch, fields: &[ReadField]) -> Result<Missing> {
    let mut missing = Missing::new();
    for field in fields {
        let Some(at) = batch.columns.iter().position(|c| c.path == field.path) else {
            continue;
        };
        let mut beside: Vec<usize> = (0..batch.columns.len())
            .filter(|i| batch.columns[*i].changed.is_some())
            .collect();
        // What lies deeper was written after what is around it, or it would have been forgotten.
        beside.sort_by_key(|i| batch.columns[*i].path.matches('.').count());
        for other in beside {
            let (column, other) = (&batch.columns[at], &batch.columns[other]);
            let data = if let Some(rest) = below(&other.path, &column.path) {
                with_inner(column, rest, other)?
            } else if let Some(rest) = below(&column.path, &other.path) {
                from_outer(column, field, rest, other)?
            } else {
                None
            };
            if let Some(data) = data {
                batch.columns[at].data = data;
            }
        }
        let data = &batch.columns[at].data;
        if field.required && data.null_count() > 0 {
            let rows = (0..data.len()).filter(|row| data.is_null(*row));
            let reason = format!("`{}` is missing", field.path);
            missing.extend(rows.map(|row| (row as u32, reason.clone())));
        }
    }
    missing.sort_by_key(|(row, _)| *row);
    missing.dedup_by_key(|(row, _)| *row);
    Ok(missing)
}

/// The rows in which `other` has a value that `column` may not know of.
fn rows_of(other: &Column, newer: Option<&BooleanBuffer>) -> Vec<u32> {
    let changed = other.changed.iter().flat_map(BooleanBuffer::set_indices);
    changed
        .filter(|row| newer.is_none_or(|bits| !bits.value(*row)))
        .map(|row| row as u32)
        .collect()
}

/// The objects of `column` with the new values of the field `rest` inside of them.
fn with_inner(column: &Column, rest: &str, inner: &Column) -> Result<Option<Arc<dyn Array>>> {
    let rows = rows_of(inner, None);
    let Some(texts) = column.data.as_string_view_opt().filter(|_| column.json) else {
        return Ok(None);
    };
    if rows.is_empty() {
        return Ok(None);
    }
    let mut value = Vec::new();
    let mut new: Vec<Option<String>> = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = *row as usize;
        let old = texts.is_valid(row).then(|| texts.value(row).trim());
        let object = match old.unwrap_or("null") {
            "null" => "{}",
            text if text.starts_with('{') => text,
            _ => {
                new.push(old.map(str::to_owned));
                continue;
            }
        };
        value.clear();
        write_value(&inner.data, row, inner.json, &mut value)?;
        let object = set_path(object.as_bytes(), rest, &value);
        new.push(Some(String::from_utf8(object)?));
    }
    let new = Arc::new(new.into_iter().collect::<StringViewArray>()) as _;
    let rows = UInt32Array::from(rows);
    Ok(Some(overlay(
        Some(&column.data),
        texts.len(),
        Some(&rows),
        &new,
    )?))
}

/// The values of `column` where the object around it is new.
fn from_outer(
    column: &Column,
    field: &ReadField,
    rest: &str,
    outer: &Column,
) -> Result<Option<Arc<dyn Array>>> {
    let rows = rows_of(outer, column.changed.as_ref());
    if rows.is_empty() {
        return Ok(None);
    }
    let texts = outer.data.as_string_view_opt().filter(|_| outer.json);
    let objects: BinaryViewArray = rows
        .iter()
        .map(|row| match texts {
            Some(texts) if texts.is_valid(*row as usize) => texts.value(*row as usize).trim(),
            // No object: it has no fields.
            _ => "{}",
        })
        .map(|text| Some(if text.starts_with('{') { text } else { "{}" }.as_bytes()))
        .collect();
    let wanted = ReadField {
        path: rest.to_owned(),
        ty: field.ty,
        required: false,
    };
    let new = extract(&objects, &[wanted])?.columns.swap_remove(0).data;
    let rows = UInt32Array::from(rows);
    Ok(Some(overlay(
        Some(&column.data),
        column.data.len(),
        Some(&rows),
        &new,
    )?))
}
