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

/// Before its batches polars writes the schema alone, which is no message.
#[test]
fn the_footer_says_where_batches_are() {
    let file = in_batches();
    let mut of_polars = file.clone();
    of_polars[8..16].copy_from_slice(&[4, 0, 0, 0, 0xf2, 0xff, 0xff, 0xff]);
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
    for at in end - length..end + 4 {
        let mut bad = file.clone();
        bad[at] = bad[at].wrapping_add(0x40);
        // Some of it nobody needs: then all rows are there.
        let (_, ran) = run("in.arrow", bad, "result.jsonl", FILTER);
        assert!(!ran.stderr.contains("panicked"), "{at}: {}", ran.stderr);
    }
}
