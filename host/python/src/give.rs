//! Rows from Python for a job.

use std::path::PathBuf;
use std::time::Instant;

use arrow::array::{RecordBatch, RecordBatchIterator, StructArray};
use arrow::datatypes::{DataType, Schema};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use djhost::jobs::RunPaths;
use djhost::run::{Batches, GivenLines, write_columns};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyIterator};

use crate::errors;
use crate::interrupt::LOOK;
use crate::json_text::{self, Unfit};

/// What `given` may be: an iterator of dicts, or an object of the Arrow C stream or array
/// interface.
pub(crate) enum Given<'py> {
    Rows(Bound<'py, PyIterator>),
    Columns(Batches),
}

impl<'py> Given<'py> {
    pub(crate) fn of(given: &Bound<'py, PyAny>) -> PyResult<Self> {
        if given.hasattr("__arrow_c_stream__")? {
            return Ok(Self::Columns(stream(given)?));
        }
        if given.hasattr("__arrow_c_array__")? {
            return Ok(Self::Columns(array(given)?));
        }
        Ok(Self::Rows(given.try_iter()?))
    }

    /// Writes the rows into the run directory; returns the file.
    pub(crate) fn write(self, py: Python<'py>, paths: &RunPaths) -> PyResult<PathBuf> {
        match self {
            Self::Rows(rows) => write_rows(py, rows, paths),
            Self::Columns(mut batches) => {
                // The producer takes the GIL by itself where it needs it.
                let written = py.detach(|| {
                    let mut looked = Instant::now();
                    write_columns(paths, &mut *batches, || {
                        if looked.elapsed() < LOOK {
                            return Ok(());
                        }
                        looked = Instant::now();
                        Python::attach(|py| py.check_signals()).map_err(Ended::Signal)
                    })
                });
                written.map_err(|ended| match ended {
                    Ended::Signal(raised) => raised,
                    Ended::Error(error) if errors::mistakes(&error).is_empty() => {
                        let message = format!("the rows cannot be taken: {error:#}");
                        errors::named(py, "DataError", message)
                    }
                    Ended::Error(error) => errors::refused(py, &error),
                })
            }
        }
    }
}

/// Why the writing ended.
enum Ended {
    Signal(PyErr),
    Error(anyhow::Error),
}

impl From<anyhow::Error> for Ended {
    fn from(error: anyhow::Error) -> Self {
        Self::Error(error)
    }
}

/// Why a row is not written.
enum Refused {
    Raised(PyErr),
    Error(anyhow::Error),
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self::Error(error)
    }
}

fn write_rows<'py>(
    py: Python<'py>,
    rows: Bound<'py, PyIterator>,
    paths: &RunPaths,
) -> PyResult<PathBuf> {
    let failed = |refused| match refused {
        Refused::Raised(raised) => raised,
        Refused::Error(error) => errors::refused(py, &error),
    };
    let mut lines = GivenLines::new(paths).map_err(|e| failed(Refused::Error(e)))?;
    for (number, row) in rows.enumerate() {
        let row = row?;
        lines
            .row(|out| write_row(&row, number, out))
            .map_err(failed)?;
        if number % 1024 == 1023 {
            py.check_signals()?;
            // Other threads have their turn, too.
            py.detach(|| ());
        }
    }
    py.detach(|| lines.finish())
        .map_err(|e| failed(Refused::Error(e)))
}

fn write_row(row: &Bound<'_, PyAny>, number: usize, out: &mut Vec<u8>) -> Result<(), Refused> {
    let refuse = |message: String| Refused::Raised(errors::named(row.py(), "DataError", message));
    if row.cast::<PyDict>().is_err() {
        let ty = row
            .get_type()
            .fully_qualified_name()
            .map_err(Refused::Raised)?;
        return Err(refuse(format!("row {number} is a `{ty}`: rows are dicts")));
    }
    json_text::write(row, out).map_err(|unfit| match unfit {
        Unfit::Raised(raised) => Refused::Raised(raised),
        Unfit::Value { path, why } => {
            let at = match path.strip_prefix('.') {
                Some(path) => format!("row {number}, `{path}`"),
                None => format!("row {number}"),
            };
            refuse(format!(
                "{at}: {why}\n  hint: rows as dicts hold texts, numbers, booleans, None, lists and dicts; \
                 for other types give a pyarrow Table, a DataFrame or a Dataset"
            ))
        }
    })
}

/// Takes the stream that `given` exports.
fn stream(given: &Bound<'_, PyAny>) -> PyResult<Batches> {
    let capsule = given.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
    // SAFETY: the capsule's name says what it points to, and it stays there as long as `capsule`
    // does. The stream is moved out: what is left behind counts as released.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.cast().as_ptr()) };
    let stream = RecordBatchStreamReader::try_new(stream)
        .map_err(|error| no_table(given, &error.to_string()))?;
    Ok(Box::new(stream))
}

/// Takes the array that `given` exports, whose columns are the fields of a struct.
fn array(given: &Bound<'_, PyAny>) -> PyResult<Batches> {
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
        given.call_method0("__arrow_c_array__")?.extract()?;
    let (schema, array) = (schema.cast::<PyCapsule>()?, array.cast::<PyCapsule>()?);
    let schema = schema.pointer_checked(Some(c"arrow_schema"))?.cast();
    let array = array.pointer_checked(Some(c"arrow_array"))?.cast();
    // SAFETY: the names of the capsules say what they point to, and both stay as long as the
    // capsules do. The array is moved out: what is left behind counts as released.
    let (data, schema) = unsafe {
        let schema: &FFI_ArrowSchema = schema.as_ref();
        let array = FFI_ArrowArray::from_raw(array.as_ptr());
        (from_ffi(array, schema), Schema::try_from(schema))
    };
    let failed = |error: arrow::error::ArrowError| no_table(given, &error.to_string());
    let (data, schema) = (data.map_err(failed)?, schema.map_err(failed)?);
    if !matches!(data.data_type(), DataType::Struct(_)) {
        return Err(no_table(
            given,
            &format!("it is an array of {}", data.data_type()),
        ));
    }
    let rows = RecordBatch::from(StructArray::from(data));
    let rows = rows.with_schema(schema.into()).map_err(failed)?;
    let schema = rows.schema();
    Ok(Box::new(RecordBatchIterator::new([Ok(rows)], schema)))
}

/// That an object of the Arrow C interface has no rows with named columns.
fn no_table(given: &Bound<'_, PyAny>, why: &str) -> PyErr {
    let py = given.py();
    let ty = given.get_type().fully_qualified_name();
    match ty {
        Ok(ty) => errors::named(
            py,
            "DataError",
            format!("a `{ty}` is no table: {why}\n  hint: give a table, whose columns have names"),
        ),
        Err(raised) => raised,
    }
}
