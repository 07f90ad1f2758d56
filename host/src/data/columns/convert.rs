//! Converts native columns to the types that operators ask for.

use super::to_json::{Encoder, Spelling};
use super::widen::is_bytes;
use crate::data::batch::masked;
use crate::data::json::extract::FieldType;
use anyhow::Result;
use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListBuilder, Float32Builder, Int64Array, ListArray,
    StringViewBuilder, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, filter, is_not_null, nullif};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
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
        FieldType::S64List => {
            DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
        }
        FieldType::Bytes => DataType::BinaryView,
        FieldType::BytesList => {
            DataType::List(Arc::new(Field::new_list_field(DataType::Binary, true)))
        }
        FieldType::Vector(width) => DataType::FixedSizeList(
            Arc::new(Field::new_list_field(DataType::Float32, true)),
            width as i32,
        ),
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
        FieldType::S64List if item(native.data_type()).is_some_and(DataType::is_integer) => {
            without_null_items(&cast(native, &target)?)?
        }
        FieldType::S64List if item(native.data_type()).is_some_and(DataType::is_floating) => {
            whole_lists(native)?
        }
        FieldType::Bytes => match bytes_of(native) {
            Some(bytes) => cast(&bytes?, &target)?,
            None => new_null_array(&target, rows),
        },
        FieldType::BytesList => match byte_lists(native)? {
            Some(lists) => lists,
            None => new_null_array(&target, rows),
        },
        FieldType::Vector(width) if item(native.data_type()).is_some_and(is_number) => {
            vectors(native, width)?
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

/// Lists of doubles as lists of whole numbers: null where one is none.
fn whole_lists(native: &ArrayRef) -> Result<ArrayRef> {
    let doubles = cast(native, &data_type(FieldType::F64List))?;
    let lists = doubles.as_list::<i32>();
    let numbers = whole(lists.values())?;
    let item = Arc::new(Field::new_list_field(DataType::Int64, true));
    let whole = ListArray::try_new(
        item,
        lists.offsets().clone(),
        numbers,
        lists.nulls().cloned(),
    )?;
    without_null_items(&(Arc::new(whole) as ArrayRef))
}

/// A column of bytes, or the bytes of files as `datasets` of Hugging Face stores them: objects with
/// the members `bytes` and `path`. None if it is neither.
fn bytes_of(native: &ArrayRef) -> Option<Result<ArrayRef>> {
    if is_bytes(native.data_type()) {
        return Some(Ok(native.clone()));
    }
    let files = native.as_struct_opt()?;
    let bytes = files
        .column_by_name("bytes")
        .filter(|bytes| is_bytes(bytes.data_type()))?;
    Some(masked(bytes, files.nulls()))
}

/// Lists of bytes or of files; a value alone is a list of one. Null where an item is null, as the
/// bytes of a file that is only named. None if it is none of these.
fn byte_lists(native: &ArrayRef) -> Result<Option<ArrayRef>> {
    let item = Arc::new(Field::new_list_field(DataType::Binary, true));
    if let Some(bytes) = bytes_of(native) {
        let bytes = cast(&bytes?, &DataType::Binary)?;
        let lengths = (0..bytes.len()).map(|row| usize::from(bytes.is_valid(row)));
        let offsets = OffsetBuffer::from_lengths(lengths);
        let present = is_not_null(&bytes)?;
        let items = filter(&bytes, &present)?;
        let lists = ListArray::try_new(item, offsets, items, bytes.nulls().cloned())?;
        return Ok(Some(Arc::new(lists)));
    }
    let Some(of) = self::item(native.data_type()) else {
        return Ok(None);
    };
    let plain = DataType::List(Arc::new(Field::new_list_field(of.clone(), true)));
    let lists = cast(native, &plain)?;
    let lists = lists.as_list::<i32>();
    let Some(bytes) = bytes_of(lists.values()) else {
        return Ok(None);
    };
    let bytes = cast(&bytes?, &DataType::Binary)?;
    let lists = ListArray::try_new(item, lists.offsets().clone(), bytes, lists.nulls().cloned())?;
    without_null_items(&(Arc::new(lists) as ArrayRef)).map(Some)
}

/// Lists of `width` numbers as vectors: null where a list has another number of them, or null ones.
fn vectors(native: &ArrayRef, width: u32) -> Result<ArrayRef> {
    let target = data_type(FieldType::Vector(width));
    if *native.data_type() == target && native.as_fixed_size_list().values().null_count() == 0 {
        return Ok(native.clone());
    }
    let floats = DataType::List(Arc::new(Field::new_list_field(DataType::Float32, true)));
    let lists = cast(native, &floats)?;
    let lists = lists.as_list::<i32>();
    let mut builder = FixedSizeListBuilder::new(Float32Builder::new(), width as i32);
    let nothing = vec![0.0; width as usize];
    for row in 0..lists.len() {
        let numbers = lists.is_valid(row).then(|| lists.value(row));
        let numbers = numbers.filter(|list| list.len() == width as usize && list.null_count() == 0);
        match &numbers {
            Some(list) => {
                let list = list.as_primitive::<Float32Type>();
                builder.values().append_slice(list.values());
            }
            None => builder.values().append_slice(&nothing),
        }
        builder.append(numbers.is_some());
    }
    Ok(Arc::new(builder.finish()))
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
