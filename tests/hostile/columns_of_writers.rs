//! Files as other libraries write them.

use std::sync::Arc;

use arrow::array::*;
use serde_json::{Value, json};

use crate::harness::Case;
use crate::hostile::values::{FILTER, ipc, parquet, read, run, table, texts, to_lines};

/// A file in three record batches, with a dictionary.
fn in_batches() -> Vec<u8> {
    let kinds: DictionaryArray<arrow::datatypes::Int32Type> =
        (0..9).map(|i| ["a", "b", "c"][i % 3]).collect();
    let rows = table(vec![("text", texts(9)), ("kind", Arc::new(kinds))]);
    let mut writer = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &rows.schema()).unwrap();
    (0..3).for_each(|i| writer.write(&rows.slice(i * 3, 3)).unwrap());
    writer.into_inner().unwrap()
}

/// Before its batches polars writes the schema without the mark and the length of a message.
#[test]
fn the_footer_says_where_batches_are() {
    let file = in_batches();
    let mut of_polars = file.clone();
    let message = (8..).find(|at| file[*at..*at + 4] == [0xff; 4]).unwrap();
    of_polars[message..message + 8].fill(0);
    let one = run("in.arrow", file, "result.jsonl", FILTER).1.ok();
    assert_eq!(one.text().lines().count(), 9);
    for process in [
        FILTER.to_owned(),
        format!("{FILTER}partition: {{mode: manual, num_of_partitions: 4}}\n"),
    ] {
        let two = run("in.arrow", &of_polars, "result.jsonl", &process).1.ok();
        assert_eq!(one.text(), two.text());
    }
}

#[test]
fn a_footer_that_lies_is_an_error() {
    let file = in_batches();
    let end = file.len() - 10;
    let length = u32::from_le_bytes(file[end..end + 4].try_into().unwrap()) as usize;
    for at in (end - length..end + 4).step_by(11) {
        let mut bad = file.clone();
        bad[at] = bad[at].wrapping_add(0x40);
        // Some of it nobody needs: then all rows are there.
        let (_, ran) = run("in.arrow", bad, "result.jsonl", FILTER);
        assert!(!ran.stderr.contains("panicked"), "{at}: {}", ran.stderr);
    }
}

#[test]
fn unsigned_numbers_of_several_widths_unite() {
    let big: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let small: ArrayRef = Arc::new(UInt8Array::from(vec![255]));
    for (ending, file) in [
        ("parquet", parquet as fn(&RecordBatch) -> Vec<u8>),
        ("arrow", ipc),
    ] {
        for output in ["result.jsonl", "result.parquet", "result.arrow"] {
            let case = Case::new();
            for (name, n) in [("a", &big), ("b", &small)] {
                let list = ListArray::new(
                    Arc::new(arrow::datatypes::Field::new_list_field(
                        n.data_type().clone(),
                        true,
                    )),
                    arrow::buffer::OffsetBuffer::from_lengths([1]),
                    Arc::clone(n),
                    None,
                );
                let rows = table(vec![
                    ("text", texts(1)),
                    ("n", Arc::clone(n)),
                    ("list", Arc::new(list)),
                ]);
                case.write(&format!("in/{name}.{ending}"), file(&rows));
            }
            let ran = case
                .run(&format!(
                    "dataset_path: in\nexport_path: out/{output}\nprocess:\n{FILTER}"
                ))
                .ok();
            let lines = if output == "result.jsonl" {
                ran.text().to_owned()
            } else {
                to_lines(&read(&case.path("out").join(output)))
                    .text()
                    .to_owned()
            };
            let rows: Vec<Value> = lines
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            let row = |n: u64| json!({"text": "row 0", "n": n, "list": [n]});
            assert_eq!(rows, [row(u64::MAX), row(255)], "{ending} {output}");
        }
    }
}

#[test]
fn values_of_no_bytes_are_no_reason_to_panic() {
    let none = FixedSizeBinaryArray::try_new_with_len(
        0,
        arrow::buffer::Buffer::from_vec(Vec::<u8>::new()),
        None,
        2,
    );
    let none: ArrayRef = Arc::new(none.unwrap());
    let member = Arc::new(arrow::datatypes::Field::new(
        "d",
        none.data_type().clone(),
        true,
    ));
    let object: ArrayRef = Arc::new(StructArray::from(vec![(member, Arc::clone(&none))]));
    for (column, value) in [(none, json!("")), (object, json!({"d": ""}))] {
        let rows = table(vec![("text", texts(2)), ("d", column)]);
        for process in [FILTER, "  - document_deduplicator:\n"] {
            let ran = run("in.arrow", ipc(&rows), "result.jsonl", process).1.ok();
            let line: Value = serde_json::from_str(ran.text().lines().next().unwrap()).unwrap();
            assert_eq!(line["d"], value);
            let (case, ran) = run("in.arrow", ipc(&rows), "result.arrow", process);
            assert!(!ran.ok().stderr.contains("panicked"));
            assert_eq!(read(&case.path("out/result.arrow")), rows);
            let (_, ran) = run("in.arrow", ipc(&rows), "result.parquet", process);
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            ran.failed(2, &["column `d` is ", "Parquet has no type for that"]);
        }
    }
}
