//! Takes the result of a job back into the program that ran it, in whatever format it was written.

use super::columns::from_json::to_columns;
use super::export::stream::LineStream;
use super::input::unpack::materialise;
use super::input::{Dataset, Format};
use super::json::schema_inference::Shape;
use super::losses::Losses;
use crate::rundir::Storage;
use anyhow::{Context, Result};
use arrow::array::{RecordBatchIterator, RecordBatchReader};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Size of the rows that are read at once.
const PIECE_BYTES: u64 = 1 << 20;

/// The rows of an export: one file, or shards in their order.
pub struct Taken {
    dataset: Dataset,
    /// Where packed files are unpacked.
    unpacked: Option<TempDir>,
}

/// Record batches from any source.
pub type Batches = Box<dyn RecordBatchReader + Send>;

impl Taken {
    /// Opens the files. What cannot be read from the middle is unpacked into a temporary directory.
    pub fn open(files: &[PathBuf]) -> Result<Self> {
        let paths: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        let found = Dataset::open(&paths, Path::new("."))?;
        if found.is_splittable() {
            return Ok(Self {
                dataset: found,
                unpacked: None,
            });
        }
        let dir = TempDir::with_prefix("djhost-").context("cannot make a temporary directory")?;
        Ok(Self {
            dataset: materialise(&found, dir.path(), &Storage::new())?,
            unpacked: Some(dir),
        })
    }

    /// Whether the rows in `files` are columns. Unpacks nothing.
    pub fn is_columnar_in(files: &[PathBuf]) -> Result<bool> {
        let paths: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        Ok(Dataset::open(&paths, Path::new("."))?.is_columnar())
    }

    /// Whether the rows are columns; otherwise they are JSON lines.
    pub fn is_columnar(&self) -> bool {
        self.dataset.is_columnar()
    }

    /// JSON lines in pieces of whole lines. Nothing for columns.
    pub fn lines(self) -> Result<impl Iterator<Item = Result<Vec<u8>>> + Send> {
        let stream = self.stream()?;
        let mut at = 0;
        Ok(std::iter::from_fn(move || {
            // The unpacked files stay as long as they are read.
            let _ = &self.unpacked;
            piece(&stream, &mut at).transpose()
        }))
    }

    /// The rows as columns. The types of JSON rows are inferred from all of them, as for a columnar
    /// export.
    pub fn columns(self) -> Result<Batches> {
        match self.is_columnar() {
            true => columns(&self.dataset),
            false => self.lines_as_columns(),
        }
    }

    fn stream(&self) -> Result<LineStream> {
        let lines = self.dataset.files.iter();
        let lines = lines.filter(|file| !file.format.is_columnar());
        LineStream::open(lines.map(|file| (file.path.clone(), file.bytes)))
    }

    fn lines_as_columns(self) -> Result<Batches> {
        let stream = self.stream()?;
        let mut shape = Shape::default();
        let mut at = 0;
        while let Some(lines) = piece(&stream, &mut at)? {
            shape.add_rows(&lines, &mut Losses::default())?;
        }
        let schema: SchemaRef = Arc::new(Schema::new(shape.columns()));
        let mut at = 0;
        let of = Arc::clone(&schema);
        let batches = std::iter::from_fn(move || {
            let _ = &self.unpacked;
            let lines = piece(&stream, &mut at).transpose()?;
            Some(
                lines
                    .and_then(|lines| to_columns(&lines, &of))
                    .map_err(arrow_error),
            )
        });
        Ok(Box::new(RecordBatchIterator::new(batches, schema)))
    }
}

/// The next rows after `at`, which moves on; None at the end.
fn piece(stream: &LineStream, at: &mut u64) -> Result<Option<Vec<u8>>> {
    let (start, len) = (*at, stream.len());
    let piece = stream.pieces(start, len, PIECE_BYTES).next().transpose()?;
    *at += piece.as_ref().map_or(0, |lines| lines.len() as u64);
    Ok(piece)
}

/// The columns of all files, which have one schema, as those of an export do.
fn columns(dataset: &Dataset) -> Result<Batches> {
    let mut open = Vec::new();
    for file in &dataset.files {
        let path = &file.path;
        let at = || format!("cannot read `{}`", path.display());
        let from = File::open(path).with_context(at)?;
        open.push(match file.format {
            Format::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(from).with_context(at)?;
                let schema = Arc::clone(builder.schema());
                let batches = builder.build().with_context(at)?;
                // The reader leaves out what the schema says of itself, such as `pandas`.
                let of = Arc::clone(&schema);
                let batches = batches.map(move |batch| batch?.with_schema(Arc::clone(&of)));
                Box::new(RecordBatchIterator::new(batches, schema)) as Batches
            }
            _ => Box::new(StreamReader::try_new(BufReader::new(from), None).with_context(at)?),
        });
    }
    let schema = open.first().context("there is no file")?.schema();
    let batches = open.into_iter().flatten();
    Ok(Box::new(RecordBatchIterator::new(batches, schema)))
}

fn arrow_error(error: anyhow::Error) -> ArrowError {
    ArrowError::ExternalError(error.into())
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use super::*;
    use std::io::Write;

    fn texts(files: &[PathBuf]) -> (Vec<String>, RecordBatch) {
        let lines = Taken::open(files).unwrap().lines().unwrap();
        let lines = lines.flat_map(|piece| {
            let text = String::from_utf8(piece.unwrap()).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        let columns = Taken::open(files).unwrap().columns().unwrap();
        let schema = columns.schema();
        let batches: Vec<_> = columns.collect::<Result<_, _>>().unwrap();
        let all = arrow::compute::concat_batches(&schema, &batches).unwrap();
        (lines.collect(), all)
    }

    #[test]
    fn json_comes_back_as_lines_and_as_columns_however_it_is_packed() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let rows = ["{\"a\":1,\"b\":\"x\"}", "{\"a\":2.5}", "{\"b\":null}"];
        let plain = rows.join("\n") + "\n";
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(plain.as_bytes()).unwrap();
        let shards = [
            write("r-00-of-02.jsonl", format!("{}\n", rows[0]).as_bytes()),
            write("r-01-of-02.jsonl", (rows[1..].join("\n") + "\n").as_bytes()),
        ];
        for files in [
            vec![write("r.jsonl", plain.as_bytes())],
            vec![write("r.jsonl.gz", &packed.finish().unwrap())],
            vec![write(
                "r.json",
                format!("[{}]", rows.join(",\n")).as_bytes(),
            )],
            shards.to_vec(),
        ] {
            let (lines, columns) = texts(&files);
            assert_eq!(lines, rows, "{files:?}");
            assert_eq!((columns.num_rows(), columns.num_columns()), (3, 2));
        }
        let (lines, columns) = texts(&[write("empty.jsonl", b"")]);
        assert_eq!((lines.len(), columns.num_rows()), (0, 0));
    }
}
