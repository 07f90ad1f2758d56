//! Converts native columns to the types that operators ask for.

use super::to_json::{Encoder, Spelling};
use crate::data::json::extract::FieldType;
use anyhow::Result;
use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, StringViewBuilder, new_null_array,
};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, Float64Type};
use std::sync::Arc;

/// The Arrow type of a batch's column that was asked for as `ty`.
pub(crate) fn data_type(ty: FieldType) -> DataType {
    match ty {
        FieldType::Utf8 | FieldType::Json => DataType::Utf8View,
        FieldType::F64 => DataType::Float64,
        FieldType::S64 => DataType::Int64,
        FieldType::Boolean => DataType::Boolean,
        FieldType::Utf8List => {
            DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
        }
        FieldType::F64List => {
            DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
        }
    }
}

/// Converts the column `native` to `ty`; nulls where it is absent or of another type.
pub(crate) fn convert(native: Option<&ArrayRef>, ty: FieldType, rows: usize) -> Result<ArrayRef> {
    let target = data_type(ty);
    let Some(native) = native else {
        return Ok(new_null_array(&target, rows));
    };
    Ok(match ty {
        FieldType::Json => json_texts(native)?,
        FieldType::Utf8 if is_text(native.data_type()) => cast(native, &target)?,
        FieldType::F64 if is_number(native.data_type()) => cast(native, &target)?,
        FieldType::S64 if native.data_type().is_integer() => cast(native, &target)?,
        FieldType::S64 if native.data_type().is_floating() => {
            whole(&cast(native, &DataType::Float64)?)?
        }
        FieldType::Boolean if native.data_type() == &DataType::Boolean => native.clone(),
        FieldType::Utf8List if item(native.data_type()).is_some_and(is_text) => {
            without_null_items(&cast(native, &target)?)?
        }
        FieldType::F64List if item(native.data_type()).is_some_and(is_number) => {
            without_null_items(&cast(native, &target)?)?
        }
        _ => new_null_array(&target, rows),
    })
}

/// Whether `ty` is a string type of any layout.
pub(crate) fn is_text(ty: &DataType) -> bool {
    match ty {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// Doubles that are whole numbers as 64-bit integers, because pandas writes a whole-number column
/// with nulls as doubles. Null where a value has a fraction, or is so large that not every integer
/// near it is a double.
fn whole(doubles: &ArrayRef) -> Result<ArrayRef> {
    let is_whole = |value: f64| value.fract() == 0.0 && value.abs() < 9.007_199_254_740_992e15;
    let values = doubles
        .as_primitive::<Float64Type>()
        .iter()
        .map(|value| value.filter(|v| is_whole(*v)).map(|v| v as i64));
    Ok(Arc::new(values.collect::<Int64Array>()))
}

fn is_number(ty: &DataType) -> bool {
    ty.is_numeric() && !matches!(ty, DataType::Decimal256(..))
}

fn item(ty: &DataType) -> Option<&DataType> {
    match ty {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Some(item.data_type())
        }
        _ => None,
    }
}

/// Operators get lists without null items: a list with a null item becomes null as a whole.
fn without_null_items(lists: &ArrayRef) -> Result<ArrayRef> {
    let list: &ListArray = lists.as_list();
    if list.values().null_count() == 0 {
        return Ok(lists.clone());
    }
    let odd = (0..list.len())
        .map(|row| Some(list.is_valid(row) && list.value(row).null_count() > 0))
        .collect();
    Ok(nullif(lists, &odd)?)
}

/// Each value as standard JSON text; null where the value is null.
fn json_texts(native: &ArrayRef) -> Result<ArrayRef> {
    let encoder = Encoder::new(native)?;
    let mut spelling = Spelling::default();
    let mut builder = StringViewBuilder::with_capacity(native.len());
    let mut text = Vec::new();
    for row in 0..native.len() {
        text.clear();
        if encoder.is_null(row) || encoder.write(row, &mut spelling, &mut text).is_err() {
            builder.append_null();
        } else {
            builder.append_value(std::str::from_utf8(&text)?);
        }
    }
    Ok(Arc::new(builder.finish()))
}
