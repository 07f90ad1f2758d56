//! Maps that have null for a key. The decoder of Parquet reads them where a file says that keys may
//! be null; neither Arrow nor Parquet as djhost writes it holds one, and JSON has no text for it.

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use arrow::buffer::OffsetBuffer;

/// The rows of the column at `path` that have such a map in them, and why that is no value.
pub(crate) fn with_null_key(path: &str, column: &ArrayRef) -> Vec<(usize, String)> {
    let odd = rows(column).unwrap_or_default().into_iter().enumerate();
    let reason =
        || format!("`{path}` has a map with null for a key, which no format that is written holds");
    odd.filter(|(_, odd)| *odd)
        .map(|(row, _)| (row, reason()))
        .collect()
}

/// Which rows have one; None if there is none at all.
fn rows(array: &ArrayRef) -> Option<Vec<bool>> {
    use arrow::datatypes::DataType::*;
    match array.data_type() {
        Map(..) => {
            let map = array.as_map();
            let keys = map.keys();
            let values = rows(map.values());
            if keys.null_count() == 0 && values.is_none() {
                return None;
            }
            let odd = |entry| keys.is_null(entry) || values.as_ref().is_some_and(|v| v[entry]);
            Some(any(array, map.offsets(), odd))
        }
        List(_) => {
            let items = rows(array.as_list::<i32>().values())?;
            Some(any(array, array.as_list::<i32>().offsets(), |i| items[i]))
        }
        LargeList(_) => {
            let items = rows(array.as_list::<i64>().values())?;
            Some(any(array, array.as_list::<i64>().offsets(), |i| items[i]))
        }
        FixedSizeList(_, length) => {
            let items = rows(array.as_fixed_size_list().values())?;
            let length = *length as usize;
            let of = |row: usize| items[row * length..(row + 1) * length].contains(&true);
            Some(
                (0..array.len())
                    .map(|i| array.is_valid(i) && of(i))
                    .collect(),
            )
        }
        Struct(_) => {
            let members: Vec<Vec<bool>> = array
                .as_struct()
                .columns()
                .iter()
                .filter_map(rows)
                .collect();
            if members.is_empty() {
                return None;
            }
            let of = |row: usize| members.iter().any(|member| member[row]);
            Some(
                (0..array.len())
                    .map(|i| array.is_valid(i) && of(i))
                    .collect(),
            )
        }
        _ => None,
    }
}

/// For each row whether it has an element that is `odd`.
fn any<O: OffsetSizeTrait>(
    array: &ArrayRef,
    offsets: &OffsetBuffer<O>,
    odd: impl Fn(usize) -> bool,
) -> Vec<bool> {
    (0..array.len())
        .map(|row| {
            array.is_valid(row) && (offsets[row].as_usize()..offsets[row + 1].as_usize()).any(&odd)
        })
        .collect()
}
