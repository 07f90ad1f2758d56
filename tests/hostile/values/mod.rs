//! Values that a format cannot hold, or holds otherwise: the table of `host/FORMATS.md`, cell by
//! cell.

mod dictionaries;
mod groups;
mod judged;
mod nested;
mod numbers;
mod of_parquet;
mod operators;
mod quarantined;
mod redacted;
mod texts;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, IntervalMonthDayNano, i256};
use serde_json::{Value, json};

use crate::harness::{Case, Ran};
use crate::hostile::run_on;

pub(super) fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

pub(super) fn texts(rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(
        (0..rows).map(|i| format!("row {i}")),
    ))
}

pub(super) fn parquet(table: &RecordBatch) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut out, table.schema(), None).unwrap();
    writer.write(table).unwrap();
    writer.close().unwrap();
    out
}

pub(super) fn ipc(table: &RecordBatch) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = arrow::ipc::writer::FileWriter::try_new(&mut out, &table.schema()).unwrap();
    writer.write(table).unwrap();
    writer.finish().unwrap();
    drop(writer);
    out
}

pub(super) fn read(path: &Path) -> RecordBatch {
    let (schema, batches): (_, Vec<RecordBatch>) = if path.extension().unwrap() == "parquet" {
        let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
            File::open(path).unwrap(),
        )
        .unwrap();
        (
            builder.schema().clone(),
            builder.build().unwrap().map(Result::unwrap).collect(),
        )
    } else {
        let reader =
            arrow::ipc::reader::StreamReader::try_new(File::open(path).unwrap(), None).unwrap();
        (reader.schema(), reader.map(Result::unwrap).collect())
    };
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

/// Runs `process` from the file `input` to `output`, and gives the export's bytes, or none if it
/// failed, with the case.
pub(super) fn run(name: &str, input: impl AsRef<[u8]>, output: &str, process: &str) -> (Case, Ran) {
    let case = Case::new();
    case.write(name, input);
    let ran = case.run(&format!("max_quarantine_ratio: 1\ndataset_path: {name}\nexport_path: out/{output}\nprocess:\n{process}"));
    (case, ran)
}

pub(super) const FILTER: &str = "  - text_length_filter: {min_len: 0}\n";

/// From a table to JSON lines.
#[track_caller]
pub(super) fn to_lines(table: &RecordBatch) -> Ran {
    let [one, two] = [("in.parquet", parquet(table)), ("in.arrow", ipc(table))]
        .map(|(name, file)| run(name, file, "result.jsonl", FILTER).1.ok());
    assert_eq!(one.text(), two.text(), "Parquet and Arrow");
    one
}

/// From a file to Parquet and to Arrow.
#[track_caller]
pub(super) fn to_table(name: &str, input: impl AsRef<[u8]>) -> (RecordBatch, Ran) {
    let ends = ["result.parquet", "result.arrow"].map(|output| {
        let (case, ran) = run(name, &input, output, FILTER);
        let ran = ran.ok();
        (read(&case.path("out").join(output)), ran)
    });
    let [(one, ran), (two, _)] = ends;
    assert_eq!(one.columns(), two.columns(), "Parquet and Arrow");
    (one, ran)
}

#[track_caller]
pub(super) fn warned(ran: &Ran, parts: &[&str]) {
    let warnings = ran.summary["warnings"].to_string();
    for part in parts {
        assert!(warnings.contains(part), "`{part}` is not in {warnings}");
        assert!(
            ran.stderr.contains(part),
            "`{part}` is not in {}",
            ran.stderr
        );
    }
}
