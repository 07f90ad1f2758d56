//! String views: changes columns of strings without copying the strings that stay.

use std::sync::Arc;

use anyhow::{Result, bail};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, MAX_INLINE_VIEW_LEN, StringViewArray,
    StringViewBuilder, UInt32Array, make_view,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};

/// Makes a view array over `data` in Arrow's offset layout (`offsets` are checked: ascending, in
/// range, each value UTF-8).
pub(crate) fn from_offsets(
    offsets: &[u32],
    data: Vec<u8>,
    nulls: Option<NullBuffer>,
) -> StringViewArray {
    let (views, buffers) = views(offsets, data);
    // SAFETY: `make_view` made every view from a range of buffer 0 that the caller checked to be
    // UTF-8.
    unsafe { StringViewArray::new_unchecked(views, buffers, nulls) }
}

/// The same for bytes, of any kind.
pub(crate) fn bytes_from_offsets(
    offsets: &[u32],
    data: Vec<u8>,
    nulls: Option<NullBuffer>,
) -> BinaryViewArray {
    let (views, buffers) = views(offsets, data);
    // SAFETY: `make_view` made every view from a range of buffer 0.
    unsafe { BinaryViewArray::new_unchecked(views, buffers, nulls) }
}

fn views(offsets: &[u32], data: Vec<u8>) -> (ScalarBuffer<u128>, Arc<[Buffer]>) {
    let views: Vec<u128> = offsets
        .windows(2)
        .map(|w| make_view(&data[w[0] as usize..w[1] as usize], 0, w[0]))
        .collect();
    let buffers: Arc<[Buffer]> = if data.is_empty() {
        Arc::new([])
    } else {
        Arc::new([Buffer::from_vec(data)])
    };
    (ScalarBuffer::from(views), buffers)
}

/// Replaces the values of `base` at `rows` (all rows if None) with `values`. Values that stay are
/// shared, not copied.
pub(crate) fn overlay(
    base: Option<&ArrayRef>,
    len: usize,
    rows: Option<&UInt32Array>,
    values: &ArrayRef,
) -> Result<ArrayRef> {
    let Some(rows) = rows else {
        return Ok(Arc::clone(values));
    };
    let Some((new, values_are_views)) = values.as_string_view_opt().map(|v| (v, true)) else {
        return interleave(base, len, rows, values);
    };
    debug_assert!(values_are_views);
    let empty;
    let old = match base {
        Some(base) => match base.as_string_view_opt() {
            Some(views) => views,
            None => return interleave(Some(base), len, rows, values),
        },
        None => {
            empty = nulls(len);
            &empty
        }
    };
    let shift = old.data_buffers().len() as u32;
    let mut views = old.views().to_vec();
    let mut valid: Option<Vec<bool>> = (old.null_count() + new.null_count() > 0)
        .then(|| (0..len).map(|i| old.is_valid(i)).collect());
    for (at, row) in rows.values().iter().enumerate() {
        views[*row as usize] = shifted(new.views()[at], shift);
        if let Some(valid) = &mut valid {
            valid[*row as usize] = new.is_valid(at);
        }
    }
    let buffers: Arc<[Buffer]> = old
        .data_buffers()
        .iter()
        .chain(new.data_buffers().iter())
        .cloned()
        .collect();
    // SAFETY: each view is a valid view of `old`, or one of `new` whose buffer index was increased
    // by the number of buffers before it.
    Ok(Arc::new(unsafe {
        StringViewArray::new_unchecked(views.into(), buffers, valid.map(NullBuffer::from))
    }))
}

/// Concatenates the arrays.
pub(crate) fn concat_views(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let refs: Vec<&dyn Array> = arrays.iter().map(|a| a.as_ref()).collect();
    Ok(arrow::compute::concat(&refs)?)
}

fn shifted(view: u128, shift: u32) -> u128 {
    if (view as u32) <= MAX_INLINE_VIEW_LEN {
        return view;
    }
    // Bits 64..96 of a long view are its buffer index.
    view + (u128::from(shift) << 64)
}

fn nulls(len: usize) -> StringViewArray {
    let mut builder = StringViewBuilder::new();
    (0..len).for_each(|_| builder.append_null());
    builder.finish()
}

/// [`overlay`] for arrays that are not views.
fn interleave(
    base: Option<&ArrayRef>,
    len: usize,
    rows: &UInt32Array,
    values: &ArrayRef,
) -> Result<ArrayRef> {
    let base = match base {
        Some(base) if base.data_type() == values.data_type() => Arc::clone(base),
        Some(base) => match arrow::compute::cast(base, values.data_type()) {
            Ok(cast) => cast,
            Err(_) => bail!(
                "a field of type {} cannot get values of type {}",
                base.data_type(),
                values.data_type()
            ),
        },
        None => arrow::array::new_null_array(values.data_type(), len),
    };
    let mut from: Vec<(usize, usize)> = (0..len).map(|i| (0, i)).collect();
    for (at, row) in rows.values().iter().enumerate() {
        from[*row as usize] = (1, at);
    }
    Ok(arrow::compute::interleave(
        &[base.as_ref(), values.as_ref()],
        &from,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().copied().collect::<StringViewArray>())
    }

    #[test]
    fn overlay_replaces_short_and_long_values_and_nulls() {
        let long = "a value longer than twelve bytes";
        let base = views(&[
            Some("a"),
            Some(long),
            None,
            Some("another quite long value"),
        ]);
        let new = views(&[Some("a new value of some length"), Some("x"), None]);
        let rows = UInt32Array::from(vec![0, 2, 3]);
        let got = overlay(Some(&base), 4, Some(&rows), &new).unwrap();
        let got: Vec<_> = got.as_string_view().iter().collect();
        assert_eq!(
            got,
            [
                Some("a new value of some length"),
                Some(long),
                Some("x"),
                None
            ]
        );
    }

    #[test]
    fn overlay_without_a_base_leaves_the_rest_null() {
        let new = views(&[Some("x")]);
        let got = overlay(None, 3, Some(&UInt32Array::from(vec![1])), &new).unwrap();
        assert_eq!(
            got.as_string_view().iter().collect::<Vec<_>>(),
            [None, Some("x"), None]
        );
    }

    #[test]
    fn offsets_become_views() {
        let got = from_offsets(&[0, 1, 1, 21], b"a01234567890123456789".to_vec(), None);
        assert_eq!(
            got.iter().collect::<Vec<_>>(),
            [Some("a"), Some(""), Some("01234567890123456789")]
        );
    }
}
