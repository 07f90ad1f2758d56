//! Casts columns to the schema that all files share, and reports values that do not survive it.

use super::to_json::{Encoder, Spelling};
use super::widen::list_item;
use anyhow::{Context, Result};
use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, LargeListArray, ListArray, MapArray, StructArray,
    new_empty_array, new_null_array,
};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::compute::kernels::cmp::not_distinct;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::ops::Range;
use std::sync::Arc;

/// Messages cut longer values.
const SHOWN: usize = 80;

/// Rows cast to a schema.
pub(crate) struct Fitted {
    /// One column per field of the schema.
    pub(crate) columns: Vec<ArrayRef>,
    /// Rows that lost a value: row number and reason.
    pub(crate) bad: Vec<(usize, String)>,
}

/// Casts `read` to `schema`. A column that `read` lacks is null.
pub(crate) fn fit(read: &RecordBatch, schema: &Schema) -> Result<Fitted> {
    let mut fitted = Fitted {
        columns: Vec::with_capacity(schema.fields().len()),
        bad: Vec::new(),
    };
    for field in schema.fields() {
        let Some(old) = read.column_by_name(field.name()) else {
            fitted
                .columns
                .push(new_null_array(field.data_type(), read.num_rows()));
            continue;
        };
        let new = conform(old, field.data_type()).with_context(|| {
            format!(
                "column `{}` of type {} cannot be read as {}",
                field.name(),
                old.data_type(),
                field.data_type()
            )
        })?;
        if let Some(lost) = lost(old, &new)? {
            for row in lost.set_indices() {
                fitted.bad.push((
                    row,
                    format!(
                        "`{}` is {}",
                        field.name(),
                        loss(old, row, field.data_type())
                    ),
                ));
            }
        }
        fitted.columns.push(new);
    }
    fitted.bad.sort_by_key(|(row, _)| *row);
    fitted.bad.dedup_by_key(|(row, _)| *row);
    Ok(fitted)
}

/// Says why type `ty` cannot hold the value in `row`.
pub(crate) fn loss(column: &ArrayRef, row: usize, ty: &DataType) -> String {
    let value = shown(column, row);
    let mut shown: String = value.chars().take(SHOWN).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!(
        "{shown} of type {}, which {ty}, the type that the column is read in, does not hold exactly",
        column.data_type()
    )
}

/// The value in `row`; one that has no text, as a time far away, is the number that it is stored as.
fn shown(column: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default().with_display_error(false);
    let text = ArrayFormatter::try_new(column, &options)
        .and_then(|f| f.value(row).try_to_string())
        .ok()
        .filter(|text| !text.contains("<invalid>"));
    text.unwrap_or_else(|| {
        let mut stored = Vec::new();
        let written = Encoder::new(column)
            .is_ok_and(|of| of.write(row, &mut Spelling::raw(), &mut stored).is_ok());
        let stored = String::from_utf8_lossy(if written { &stored } else { b"a value" });
        stored.trim_matches('"').to_owned()
    })
}

/// Casts `array` to `ty`, the type that [`unify`](super::widen::unify) chose. A value that `ty`
/// cannot hold changes or becomes null: see [`lost`].
pub(crate) fn conform(array: &ArrayRef, ty: &DataType) -> Result<ArrayRef> {
    if array.data_type() == ty {
        return Ok(array.clone());
    }
    Ok(match (array.data_type(), ty) {
        (DataType::Null, _) => new_null_array(ty, array.len()),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let old = array.as_struct();
            let children = fields
                .iter()
                .map(|field| match old.column_by_name(field.name()) {
                    Some(child) => conform(child, field.data_type()),
                    None => Ok(new_null_array(field.data_type(), array.len())),
                });
            let children = children.collect::<Result<_>>()?;
            Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                children,
                old.nulls().cloned(),
                array.len(),
            )?)
        }
        // An object without members becomes a map without entries.
        (DataType::Struct(_), DataType::Map(entries, sorted)) => {
            let none = new_empty_array(entries.data_type()).as_struct().clone();
            let offsets = OffsetBuffer::new_zeroed(array.len());
            Arc::new(MapArray::try_new(
                entries.clone(),
                offsets,
                none,
                array.nulls().cloned(),
                *sorted,
            )?)
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let old = array.as_map();
            let DataType::Struct(fields) = entries.data_type() else {
                anyhow::bail!("a map without keys and values")
            };
            let children = old
                .entries()
                .columns()
                .iter()
                .zip(fields)
                .map(|(child, field)| conform(child, field.data_type()));
            let nulls = old.entries().nulls().cloned();
            let new = StructArray::try_new_with_length(
                fields.clone(),
                children.collect::<Result<_>>()?,
                nulls,
                old.entries().len(),
            )?;
            Arc::new(MapArray::try_new(
                entries.clone(),
                old.offsets().clone(),
                new,
                old.nulls().cloned(),
                *sorted,
            )?)
        }
        // `cast` matches the members of structs in lists by position, not by name.
        (DataType::FixedSizeList(_, m), DataType::FixedSizeList(item, n)) if m == n => {
            let old = array.as_fixed_size_list();
            let items = conform(old.values(), item.data_type())?;
            Arc::new(FixedSizeListArray::try_new_with_length(
                item.clone(),
                *n,
                items,
                old.nulls().cloned(),
                array.len(),
            )?)
        }
        (from, DataType::List(_) | DataType::LargeList(_)) if list_item(from).is_some() => {
            let (old, ends) = plain_lists(array)?;
            let item = list_item(ty).context("a list without items")?;
            let items = conform(&old, item.data_type())?;
            let nulls = array.nulls().cloned();
            match ty {
                DataType::List(_) => {
                    let ends: Vec<i32> = ends
                        .iter()
                        .map(|&end| i32::try_from(end))
                        .collect::<Result<_, _>>()?;
                    Arc::new(ListArray::try_new(
                        item.clone(),
                        OffsetBuffer::new(ends.into()),
                        items,
                        nulls,
                    )?)
                }
                _ => Arc::new(LargeListArray::try_new(
                    item.clone(),
                    OffsetBuffer::new(ends.into()),
                    items,
                    nulls,
                )?),
            }
        }
        (DataType::Dictionary(_, from), DataType::Dictionary(_, values)) if from != values => {
            cast(&cast(array, values)?, ty)?
        }
        _ => cast(array, ty)?,
    })
}

/// The items of lists of any layout, and where each list begins and the last one ends.
fn plain_lists(array: &ArrayRef) -> Result<(ArrayRef, Vec<i64>)> {
    Ok(match array.data_type() {
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            (
                lists.values().clone(),
                lists
                    .value_offsets()
                    .iter()
                    .map(|&end| i64::from(end))
                    .collect(),
            )
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            (lists.values().clone(), lists.value_offsets().to_vec())
        }
        DataType::FixedSizeList(_, n) => {
            let lists = array.as_fixed_size_list();
            (
                lists.values().clone(),
                (0..=array.len() as i64)
                    .map(|row| row * i64::from(*n))
                    .collect(),
            )
        }
        other => {
            let item = list_item(other).context("not a list")?;
            return plain_lists(&cast(array, &DataType::LargeList(item.clone()))?);
        }
    })
}

/// The rows whose value differs between `old` and `new`, which [`conform`] made from it; None if
/// there are none.
pub(crate) fn lost(old: &ArrayRef, new: &ArrayRef) -> Result<Option<BooleanBuffer>> {
    let (from, to) = (old.data_type(), new.data_type());
    if from == to || holds_all(from, to) {
        return Ok(None);
    }
    let found = match (from, to) {
        (DataType::Struct(_), DataType::Struct(_)) => {
            let (old, new) = (old.as_struct(), new.as_struct());
            let mut all: Option<BooleanBuffer> = None;
            for (field, child) in old.fields().iter().zip(old.columns()) {
                let Some(other) = new.column_by_name(field.name()) else {
                    continue;
                };
                if let Some(rows) = lost(child, other)? {
                    all = Some(all.map_or_else(|| rows.clone(), |all| &all | &rows));
                }
            }
            all
        }
        (DataType::Map(..), DataType::Map(..)) => {
            let (old, new) = (old.as_map(), new.as_map());
            let mut all: Option<BooleanBuffer> = None;
            for (child, other) in old.entries().columns().iter().zip(new.entries().columns()) {
                if let Some(items) = lost(child, other)? {
                    let rows = of_items(
                        &items,
                        old.value_offsets()
                            .windows(2)
                            .map(|w| w[0] as usize..w[1] as usize),
                    );
                    all = Some(all.map_or_else(|| rows.clone(), |all| &all | &rows));
                }
            }
            all
        }
        _ if list_item(from).is_some() && list_item(to).is_some() => {
            let ((before, ends), (after, _)) = (plain_lists(old)?, plain_lists(new)?);
            lost(&before, &after)?.map(|items| {
                of_items(
                    &items,
                    ends.windows(2).map(|w| w[0] as usize..w[1] as usize),
                )
            })
        }
        _ => {
            let back = cast(new, from)?;
            let same = not_distinct(&back, old)?;
            (same.false_count() > 0).then(|| !same.values())
        }
    };
    // Ignores whatever the buffers hold in null rows.
    let found = match (found, old.nulls()) {
        (Some(found), Some(nulls)) => Some(&found & nulls.inner()),
        (found, _) => found,
    };
    Ok(found.filter(|rows| rows.count_set_bits() > 0))
}

fn of_items(items: &BooleanBuffer, rows: impl Iterator<Item = Range<usize>>) -> BooleanBuffer {
    rows.map(|mut row| row.any(|item| items.value(item)))
        .collect()
}

/// Whether `to` holds every value of `from`, so that none needs to be compared.
fn holds_all(from: &DataType, to: &DataType) -> bool {
    use DataType::*;
    let is_small = |ty: &DataType| matches!(ty, Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32);
    match (from, to) {
        (Null, _) => true,
        (Dictionary(_, from), Dictionary(_, to)) => from == to || holds_all(from, to),
        (Dictionary(_, from), to) => **from == *to || holds_all(from, to),
        (RunEndEncoded(_, from), RunEndEncoded(_, to)) => {
            let (from, to) = (from.data_type(), to.data_type());
            from == to || holds_all(from, to)
        }
        (RunEndEncoded(_, from), to) => from.data_type() == to || holds_all(from.data_type(), to),
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => true,
        (Binary | LargeBinary | BinaryView | FixedSizeBinary(_), Binary | LargeBinary) => true,
        (from, Int64 | Float64) if is_small(from) => true,
        (from, UInt64) if from.is_unsigned_integer() => true,
        (Float16 | Float32, Float64) => true,
        (from, to) if to.is_decimal() => from.is_decimal() || from.is_integer(),
        (Time32(_) | Time64(_), Time32(_) | Time64(_)) => true,
        (Timestamp(from, _), Timestamp(to, _)) => from == to,
        (Struct(members), Map(..)) => members.is_empty(),
        _ => false,
    }
}
