//! Arrow columns as Python objects, with the types that pyarrow's `to_pylist` gives.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PyString, PyTuple};

use crate::temporal;

/// One object for each row.
type Cells<'py> = Vec<Bound<'py, PyAny>>;

/// The rows as dicts.
pub(crate) fn rows<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyList>> {
    let names = batch.schema_ref().fields().iter();
    let names: Vec<_> = names.map(|field| PyString::new(py, field.name())).collect();
    let rows = (0..batch.num_rows()).map(|_| PyDict::new(py));
    let rows: Vec<_> = rows.collect();
    for (name, column) in names.iter().zip(batch.columns()) {
        for (row, cell) in rows.iter().zip(cells(py, column)?) {
            row.set_item(name, cell)?;
        }
    }
    PyList::new(py, rows)
}

/// The values of a column.
fn cells<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Cells<'py>> {
    macro_rules! floats {
        ($ty:ty) => {
            each(py, column, |array, i| {
                let number = array.as_primitive::<$ty>().value(i);
                Ok(PyFloat::new(py, number.into()).into_any())
            })
        };
    }
    macro_rules! ints {
        ($ty:ty) => {
            each(py, column, |array, i| {
                let number = array.as_primitive::<$ty>().value(i);
                Ok(number.into_pyobject(py)?.into_any())
            })
        };
    }
    macro_rules! texts {
        ($($of:tt)+) => {
            each(py, column, |array, i| Ok(PyString::new(py, array.$($of)+().value(i)).into_any()))
        };
    }
    macro_rules! bytes {
        ($($of:tt)+) => {
            each(py, column, |array, i| Ok(PyBytes::new(py, array.$($of)+().value(i)).into_any()))
        };
    }
    macro_rules! lists {
        ($($of:tt)+) => {
            each(py, column, |array, i| {
                let items = array.$($of)+().value(i);
                Ok(PyList::new(py, cells(py, &items)?)?.into_any())
            })
        };
    }
    match column.data_type() {
        DataType::Null => Ok(vec![py.None().into_bound(py); column.len()]),
        DataType::Boolean => each(py, column, |array, i| {
            let flag = array.as_boolean().value(i);
            Ok(PyBool::new(py, flag).to_owned().into_any())
        }),
        DataType::Int8 => ints!(Int8Type),
        DataType::Int16 => ints!(Int16Type),
        DataType::Int32 => ints!(Int32Type),
        DataType::Int64 => ints!(Int64Type),
        DataType::UInt8 => ints!(UInt8Type),
        DataType::UInt16 => ints!(UInt16Type),
        DataType::UInt32 => ints!(UInt32Type),
        DataType::UInt64 => ints!(UInt64Type),
        DataType::Float16 => floats!(Float16Type),
        DataType::Float32 => floats!(Float32Type),
        DataType::Float64 => floats!(Float64Type),
        DataType::Utf8 => texts!(as_string::<i32>),
        DataType::LargeUtf8 => texts!(as_string::<i64>),
        DataType::Utf8View => texts!(as_string_view),
        DataType::Binary => bytes!(as_binary::<i32>),
        DataType::LargeBinary => bytes!(as_binary::<i64>),
        DataType::BinaryView => bytes!(as_binary_view),
        DataType::FixedSizeBinary(_) => bytes!(as_fixed_size_binary),
        DataType::List(_) => lists!(as_list::<i32>),
        DataType::LargeList(_) => lists!(as_list::<i64>),
        DataType::FixedSizeList(_, _) => lists!(as_fixed_size_list),
        DataType::ListView(_) => lists!(as_list_view::<i32>),
        DataType::LargeListView(_) => lists!(as_list_view::<i64>),
        DataType::Struct(_) => structs(py, column),
        DataType::Map(_, _) => each(py, column, |array, i| {
            let entries = array.as_map().value(i);
            let (keys, values) = (cells(py, entries.column(0))?, cells(py, entries.column(1))?);
            let pairs = keys.into_iter().zip(values);
            let pairs: Vec<_> = pairs
                .map(|(key, value)| PyTuple::new(py, [key, value]))
                .collect::<PyResult<_>>()?;
            Ok(PyList::new(py, pairs)?.into_any())
        }),
        DataType::Dictionary(_, _) | DataType::RunEndEncoded(_, _) => {
            let values = match column.data_type() {
                DataType::Dictionary(_, values) => values.as_ref().clone(),
                DataType::RunEndEncoded(_, values) => values.data_type().clone(),
                other => other.clone(),
            };
            let plain =
                cast(column, &values).map_err(|error| PyTypeError::new_err(error.to_string()))?;
            cells(py, &plain)
        }
        _ => {
            let cell = temporal::maker(py, column)?;
            each(py, column, |_, i| cell(i))
        }
    }
}

/// Calls `cell` for each value that is not null.
fn each<'py>(
    py: Python<'py>,
    column: &ArrayRef,
    cell: impl Fn(&dyn Array, usize) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Cells<'py>> {
    (0..column.len())
        .map(|i| match column.is_null(i) {
            true => Ok(py.None().into_bound(py)),
            false => cell(column, i),
        })
        .collect()
}

fn structs<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Cells<'py>> {
    let object = column.as_struct();
    let fields: Vec<(Bound<'py, PyString>, Cells<'py>)> = object
        .fields()
        .iter()
        .zip(object.columns())
        .map(|(field, column)| Ok((PyString::new(py, field.name()), cells(py, column)?)))
        .collect::<PyResult<_>>()?;
    each(py, column, |_, i| {
        let dict = PyDict::new(py);
        for (name, cells) in &fields {
            dict.set_item(name, &cells[i])?;
        }
        Ok(dict.into_any())
    })
}
