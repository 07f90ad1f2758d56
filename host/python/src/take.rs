//! Results of jobs for Python.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;
use djhost::jobs::RunPaths;
use djhost::run::Batches;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyList};

use crate::{cells, errors, fork, interrupt};

/// Rows that become Python objects at once.
const CHUNK: usize = 1024;

/// The files of the result of the job in a run directory; None if it is not complete.
#[pyfunction]
pub(crate) fn result_files(py: Python<'_>, run_dir: PathBuf) -> PyResult<Option<Vec<PathBuf>>> {
    djhost::run::result_files(&RunPaths::new(run_dir)).map_err(|error| errors::refused(py, &error))
}

/// The rows in the files of a result.
#[pyclass(module = "djhost._djhost", frozen)]
pub(crate) struct Taken {
    files: Vec<PathBuf>,
    #[pyo3(get)]
    is_columnar: bool,
}

#[pymethods]
impl Taken {
    #[new]
    fn new(py: Python<'_>, files: Vec<PathBuf>) -> PyResult<Self> {
        let found = py.detach(|| djhost::run::Taken::is_columnar_in(&files));
        Ok(Self {
            is_columnar: found.map_err(|error| errors::refused(py, &error))?,
            files,
        })
    }

    /// The rows in chunks: lists of dicts of columns, or bytes of whole JSON lines.
    fn chunks(&self, py: Python<'_>) -> PyResult<Chunks> {
        self.check_fork()?;
        let made = py.detach(|| {
            let taken = djhost::run::Taken::open(&self.files)?;
            Ok(if taken.is_columnar() {
                let batches = taken.columns()?;
                Source::Columns {
                    batches,
                    rest: None,
                }
            } else {
                Source::Lines(Box::new(taken.lines()?))
            })
        });
        let source = made.map_err(|error: anyhow::Error| errors::refused(py, &error))?;
        Ok(Chunks(Mutex::new(source)))
    }

    /// The Arrow C stream interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A consumer that asks for other types has to cast by itself, which the interface allows.
        let _ = requested_schema;
        let stream = FFI_ArrowArrayStream::new(self.batches(py)?);
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// The Arrow C schema interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = self.batches(py)?.schema();
        let schema = FFI_ArrowSchema::try_from(&*schema)
            .map_err(|error| errors::refused(py, &error.into()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }
}

impl Taken {
    /// What is packed is unpacked on threads, which a forked process does not have.
    fn check_fork(&self) -> PyResult<()> {
        let is_plain = |file: &PathBuf| {
            let ext = file.extension().and_then(|ext| ext.to_str());
            matches!(ext, Some("jsonl" | "arrow" | "parquet"))
        };
        match fork::is_child() && !self.files.iter().all(is_plain) {
            true => fork::check(),
            false => Ok(()),
        }
    }

    fn batches(&self, py: Python<'_>) -> PyResult<Batches> {
        self.check_fork()?;
        let open = || djhost::run::Taken::open(&self.files)?.columns();
        py.detach(|| interrupt::caught(open))
            .map_err(|error| errors::refused(py, &error))
    }
}

enum Source {
    Lines(Box<dyn Iterator<Item = anyhow::Result<Vec<u8>>> + Send>),
    Columns {
        batches: Batches,
        rest: Option<RecordBatch>,
    },
}

/// An iterator over chunks of rows.
#[pyclass(module = "djhost._djhost", frozen)]
pub(crate) struct Chunks(Mutex<Source>);

#[pymethods]
impl Chunks {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = py.detach(|| {
            let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            interrupt::caught(|| source.next())
        });
        match next.map_err(|error| errors::refused(py, &error))? {
            None => Ok(None),
            Some(Next::Lines(lines)) => Ok(Some(PyBytes::new(py, &lines).into_any())),
            Some(Next::Rows(rows)) => {
                let rows: Bound<'py, PyList> = cells::rows(py, &rows)?;
                Ok(Some(rows.into_any()))
            }
        }
    }
}

enum Next {
    Lines(Vec<u8>),
    Rows(RecordBatch),
}

impl Source {
    fn next(&mut self) -> anyhow::Result<Option<Next>> {
        match self {
            Self::Lines(lines) => Ok(lines.next().transpose()?.map(Next::Lines)),
            Self::Columns { batches, rest } => {
                let batch = match rest.take() {
                    Some(rest) => Some(rest),
                    None => batches.next().transpose()?,
                };
                Ok(batch.map(|batch| {
                    let (rows, now) = (batch.num_rows(), batch.num_rows().min(CHUNK));
                    *rest = (rows > now).then(|| batch.slice(now, rows - now));
                    Next::Rows(batch.slice(0, now))
                }))
            }
        }
    }
}
