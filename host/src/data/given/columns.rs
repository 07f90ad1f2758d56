//! Rows as columns, which become an Arrow IPC stream: unlike an Arrow IPC file, it may have another
//! dictionary in each batch.

use super::compact::{compact, size};
use super::place::GivenFile;
use crate::rundir::RunPaths;
use anyhow::Result;
use arrow::compute::concat_batches;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::{RecordBatch, RecordBatchReader};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// Size of the batches in the file. A partition may begin and end anywhere, but reads whole batches.
const BATCH_BYTES: usize = 4 << 20;

/// Smaller batches are joined: some producers give a batch for each row.
const SMALL_BYTES: usize = 1 << 20;

/// Most rows of a batch.
const BATCH_ROWS: usize = 64 << 10;

/// Writes columns that a program has in memory into the run directory `paths` of its job, which is
/// made if it is not there, and returns the path of the file. Memory is needed for two batches of
/// `batches`, however many there are. Before each, `go_on` is asked; its error ends the writing.
/// Fails with a [`UserError`](crate::error::UserError) if another process runs the job.
pub fn write_columns<E: From<anyhow::Error>>(
    paths: &RunPaths,
    batches: &mut dyn RecordBatchReader,
    mut go_on: impl FnMut() -> Result<(), E>,
) -> Result<PathBuf, E> {
    let file = GivenFile::start(paths, "arrow")?;
    let file = BufWriter::with_capacity(256 << 10, file);
    let schema = batches.schema();
    let writer = StreamWriter::try_new(file, &schema).map_err(anyhow::Error::from)?;
    let mut out = Joined {
        writer,
        waiting: Vec::new(),
        bytes: 0,
        rows: 0,
    };
    for batch in batches {
        go_on()?;
        let batch = batch.map_err(anyhow::Error::from)?;
        for slice in slices(&batch, BATCH_ROWS) {
            pieces(&slice)?
                .into_iter()
                .try_for_each(|piece| out.write(piece))?;
        }
    }
    let file = out.finish()?;
    let file = file
        .into_inner()
        .map_err(|e| anyhow::Error::from(e.into_error()))?;
    Ok(file.finish()?)
}

/// Writes batches, small ones together.
struct Joined<W: Write> {
    writer: StreamWriter<W>,
    /// Small batches that were not written yet.
    waiting: Vec<RecordBatch>,
    bytes: usize,
    rows: usize,
}

impl<W: Write> Joined<W> {
    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let bytes = size(&batch)?;
        if bytes >= SMALL_BYTES {
            self.drain()?;
            return Ok(self.writer.write(&batch)?);
        }
        self.bytes += bytes;
        self.rows += batch.num_rows();
        self.waiting.push(batch);
        match self.bytes >= BATCH_BYTES || self.rows >= BATCH_ROWS {
            true => self.drain(),
            false => Ok(()),
        }
    }

    fn drain(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        (self.bytes, self.rows) = (0, 0);
        let Some(first) = waiting.first() else {
            return Ok(());
        };
        match concat_batches(&first.schema(), &waiting) {
            Ok(joined) => Ok(self.writer.write(&joined)?),
            // For example, their dictionaries together have more values than their keys can name.
            Err(_) => Ok(waiting
                .iter()
                .try_for_each(|batch| self.writer.write(batch))?),
        }
    }

    fn finish(mut self) -> Result<W> {
        self.drain()?;
        Ok(self.writer.into_inner()?)
    }
}

/// Cuts a batch, in which there are at most [`BATCH_ROWS`] rows, so that each piece has about
/// [`BATCH_BYTES`].
fn pieces(batch: &RecordBatch) -> Result<Vec<RecordBatch>> {
    let batch = compact(batch)?;
    let (rows, bytes) = (batch.num_rows(), size(&batch)?);
    if bytes < 2 * BATCH_BYTES || rows < 2 {
        return Ok(vec![batch]);
    }
    let each = rows.div_ceil(bytes / BATCH_BYTES);
    slices(&batch, each).map(|piece| compact(&piece)).collect()
}

fn slices(batch: &RecordBatch, each: usize) -> impl Iterator<Item = RecordBatch> {
    let rows = batch.num_rows();
    (0..rows)
        .step_by(each)
        .map(move |from| batch.slice(from, each.min(rows - from)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::input::arrow_file;
    use arrow::array::{
        ArrayRef, DictionaryArray, ListArray, StringViewArray, StructArray, UInt32Array,
    };
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{DataType, Field, Int8Type, Schema};
    use arrow::record_batch::RecordBatchIterator;
    use std::sync::Arc;

    /// Texts as polars has them, alone and within others: a slice of such a column holds the bytes
    /// of all rows.
    fn views(rows: usize) -> RecordBatch {
        let texts = StringViewArray::from_iter_values((0..rows).map(|i| format!("{i:0>100}")));
        let texts: ArrayRef = Arc::new(texts);
        let field = Arc::new(Field::new("t", DataType::Utf8View, true));
        let object = StructArray::from(vec![(field.clone(), texts.clone())]);
        let list = ListArray::new(
            field,
            OffsetBuffer::from_lengths(std::iter::repeat_n(1, rows)),
            texts.clone(),
            None,
        );
        let numbers: ArrayRef = Arc::new(UInt32Array::from_iter_values(0..rows as u32));
        RecordBatch::try_from_iter([
            ("text", texts),
            ("object", Arc::new(object) as ArrayRef),
            ("list", Arc::new(list) as ArrayRef),
            ("n", numbers),
        ])
        .unwrap()
    }

    #[test]
    fn a_large_batch_is_cut_into_small_ones_without_the_bytes_of_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        let batch = views(200_000);
        let mut given = RecordBatchIterator::new([Ok(batch.clone())], batch.schema());
        let path = write_columns(&paths, &mut given, || anyhow::Ok(())).unwrap();
        let bytes = std::fs::metadata(&path).unwrap().len();
        let least = 200_000 * (3 * (100 + 16) + 4 + 4);
        assert!(
            (least..least * 11 / 10).contains(&bytes),
            "{bytes}, {least}"
        );
        let (schema, rows) = arrow_file::describe(&path).unwrap();
        assert_eq!((schema, rows), (batch.schema(), 200_000));
        let back: Vec<_> = arrow_file::rows(&path, 99_999..100_002)
            .unwrap()
            .collect::<Result<_>>()
            .unwrap();
        let back = arrow::compute::concat_batches(&batch.schema(), &back).unwrap();
        assert_eq!(back, batch.slice(99_999, 3));
    }

    #[test]
    fn many_small_batches_become_few() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        let batch = views(3000);
        let rows = (0..3000).map(|i| Ok(batch.slice(i, 1)));
        let mut given = RecordBatchIterator::new(rows, batch.schema());
        let path = write_columns(&paths, &mut given, || anyhow::Ok(())).unwrap();
        let back: Vec<_> = arrow_file::rows(&path, 0..3000)
            .unwrap()
            .collect::<Result<_>>()
            .unwrap();
        assert!(back.len() < 3, "{}", back.len());
        assert_eq!(concat_batches(&batch.schema(), &back).unwrap(), batch);
    }

    #[test]
    fn dictionaries_that_do_not_fit_into_one_stay_apart() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        let words = |from: usize| {
            let words: Vec<String> = (from..from + 100).map(|i| format!("word {i}")).collect();
            let words: DictionaryArray<Int8Type> = words.iter().map(String::as_str).collect();
            RecordBatch::try_from_iter([("c", Arc::new(words) as ArrayRef)]).unwrap()
        };
        let batches = [words(0), words(100), words(200)];
        let mut given = RecordBatchIterator::new(batches.clone().map(Ok), batches[0].schema());
        let path = write_columns(&paths, &mut given, || anyhow::Ok(())).unwrap();
        let back: Vec<_> = arrow_file::rows(&path, 0..300)
            .unwrap()
            .collect::<Result<_>>()
            .unwrap();
        assert_eq!(back, batches);
    }

    #[test]
    fn no_rows_and_no_columns_are_columns() {
        let dir = tempfile::tempdir().unwrap();
        let batch = views(0);
        for schema in [batch.schema(), Arc::new(Schema::empty())] {
            let mut given = RecordBatchIterator::new([], schema.clone());
            let paths = RunPaths::new(dir.path());
            let path = write_columns(&paths, &mut given, || anyhow::Ok(())).unwrap();
            assert_eq!(arrow_file::describe(&path).unwrap(), (schema, 0));
        }
    }

    #[test]
    fn who_says_stop_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        let batch = views(10);
        let mut given = RecordBatchIterator::new([Ok(batch.clone())], batch.schema());
        let stop = || Err(anyhow::anyhow!("stop"));
        let stopped = write_columns(&paths, &mut given, stop).unwrap_err();
        assert_eq!(stopped.to_string(), "stop");
        assert_eq!(std::fs::read_dir(paths.data()).unwrap().count(), 0);
    }
}
