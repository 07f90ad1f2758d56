//! Columns that are alike, that differ between files, or that a format has no type for: no value
//! changes silently.

mod files;
mod kept;
mod names;
mod numbers;

use std::fs::File;
use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, encode_arrow_schema};
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use serde_json::{Value, json};

use crate::harness::{Case, Ran};
use crate::hostile::{KEEP, run_on};

fn table(columns: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// A column that may be null.
fn column<A: Array + 'static>(name: &str, array: A) -> (Field, ArrayRef) {
    (
        Field::new(name, array.data_type().clone(), true),
        Arc::new(array),
    )
}

fn text(rows: usize) -> (Field, ArrayRef) {
    column(
        "text",
        StringArray::from_iter_values((0..rows).map(|i| format!("row {i}"))),
    )
}

fn parquet_of(rows: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    out
}

fn parquet(rows: &RecordBatch) -> Vec<u8> {
    parquet_of(rows, WriterProperties::default())
}

fn arrow(rows: &RecordBatch) -> Vec<u8> {
    let mut writer = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &rows.schema()).unwrap();
    writer.write(rows).unwrap();
    writer.into_inner().unwrap()
}

/// Keeps all rows of the given files (name, content), with a checkpoint after every op.
fn keep(files: &[(&str, Vec<u8>)], export: &str) -> (Case, Ran) {
    let case = Case::new();
    files
        .iter()
        .for_each(|(name, content)| case.write(&format!("in/{name}"), content));
    let ran = case.run(&format!(
        "{KEEP}dataset_path: in\nexport_path: out/{export}\ncheckpoint: {{strategy: every_op}}\n"
    ));
    (case, ran)
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn read_parquet(case: &Case) -> RecordBatch {
    let file = File::open(case.path("out/result.parquet")).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

fn read_arrow(case: &Case) -> RecordBatch {
    let reader = arrow::ipc::reader::StreamReader::try_new(
        File::open(case.path("out/result.arrow")).unwrap(),
        None,
    )
    .unwrap();
    let schema = reader.schema();
    arrow::compute::concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>().unwrap())
        .unwrap()
}
