//! Slices without the bytes around them. An Arrow IPC writer cuts most arrays, but writes all
//! buffers of views, however few of their bytes a slice shows.

use anyhow::Result;
use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::datatypes::DataType;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use std::sync::Arc;

/// The same rows, with all views in buffers of their own.
pub(super) fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(compacted);
    let columns = columns.collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        batch.schema(),
        columns,
        &options,
    )?)
}

/// Bytes of a compact batch, or of one whose arrays are slices without views.
pub(super) fn size(batch: &RecordBatch) -> Result<usize> {
    let of = |column: &ArrayRef| match has_views(column.data_type()) {
        true => Ok(column.get_array_memory_size()),
        false => column.to_data().get_slice_memory_size(),
    };
    Ok(batch.columns().iter().map(of).sum::<Result<_, _>>()?)
}

fn compacted(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::BinaryView => Arc::new(array.as_binary_view().gc()),
        nested if has_views(nested) => {
            // Only what the slice shows of its children.
            let indices = arrow::array::UInt64Array::from_iter_values(0..array.len() as u64);
            let array = arrow::compute::take(array, &indices, None)?;
            let data = array.to_data();
            let children = data.child_data().iter().map(|child| {
                let child = compacted(&make_array(child.clone()))?;
                Ok(child.to_data())
            });
            let children = children.collect::<Result<_>>()?;
            make_array(data.into_builder().child_data(children).build()?)
        }
        _ => array.clone(),
    })
}

fn has_views(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View | DataType::BinaryView => true,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::Map(item, _) => has_views(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_views(field.data_type())),
        DataType::Union(fields, _) => fields.iter().any(|(_, field)| has_views(field.data_type())),
        DataType::Dictionary(_, values) => has_views(values),
        DataType::RunEndEncoded(_, values) => has_views(values.data_type()),
        _ => false,
    }
}
