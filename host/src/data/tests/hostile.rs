//! Inputs made to break a reader: every row is accounted for, memory stays bounded, errors name the
//! file.

use super::*;
use crate::data::batch::split_id;
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use std::sync::Arc;

#[test]
fn a_huge_row_is_skipped_without_being_held() {
    let mut lines = b"{\"text\": \"a\"}\n{\"text\": \"".to_vec();
    lines.resize(lines.len() + (8 << 20), b'x');
    lines.extend_from_slice(b"\"}\r\n{\"text\": \"b\"}\n");
    let outcome = pass(
        &lines,
        Way {
            max_row_bytes: 100_000,
            ..PLAIN
        },
    );
    assert_eq!(
        outcome.content[0],
        b"{\"text\": \"a\"}\n{\"text\": \"b\"}\n"
    );
    let [bad] = &outcome.bad[..] else {
        panic!("{} bad rows", outcome.bad.len())
    };
    assert_eq!((split_id(bad.id).1, bad.raw.len()), (14, 64 << 10));
    assert_eq!(
        bad.reason,
        format!(
            "the row has {} bytes, more than the 100000 that a row may have",
            (8 << 20) + 12
        )
    );
    // The last row of the file, without a line end.
    let cut = lines.len() - 20;
    let outcome = pass(
        &lines[..cut],
        Way {
            max_row_bytes: 100_000,
            ..PLAIN
        },
    );
    assert_eq!((outcome.rows, outcome.bad.len()), (1, 1));
}

#[test]
fn odd_rows_are_kept_or_refused_but_never_lost() {
    let keys: String = (0..50_000).map(|i| format!("\"k{i}\": {i}, ")).collect();
    let nested = |levels: usize| {
        format!(
            "{{\"text\": \"x\", \"a\": {}{}}}",
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    let good = [
        format!("{{{keys}\"text\": \"x\"}}"),
        nested(400),
        r#"{"text": "x", "n": NaN, "m": -Infinity}"#.to_owned(),
        r#"{"text": "x", "n": 1e999, "lone": "\udfff"}"#.to_owned(),
        r#"{"text": 1, "te\u0078t": "x"}"#.to_owned(),
    ];
    let bad = [
        nested(600),
        r#"{"text": "\ud800"}"#.to_owned(),
        "{\"text\": \"\0\"}".to_owned(),
        "}{".to_owned(),
    ];
    let lines = good.join("\n") + "\n" + &bad.join("\n");
    let outcome = pass(lines.as_bytes(), PLAIN);
    assert_eq!(
        String::from_utf8_lossy(&outcome.content[0]),
        good.join("\n") + "\n"
    );
    assert_eq!(
        outcome
            .bad
            .iter()
            .map(|b| String::from_utf8_lossy(&b.raw).into_owned())
            .collect::<Vec<_>>(),
        bad
    );
}

#[test]
fn a_file_that_was_cut_while_the_job_ran_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.jsonl");
    fs::write(&path, "{\"text\": \"a\"}\n".repeat(10)).unwrap();
    let dataset = Dataset::open(&["in.jsonl".to_owned()], dir.path()).unwrap();
    let partitions = split(&dataset, SplitBy::Count(1)).unwrap();
    fs::write(&path, "{\"text\": \"a\"}\n").unwrap();
    let error = read(&dataset, &partitions[0], &ReadOptions::new(vec![]))
        .unwrap()
        .next()
        .unwrap()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("has changed since the job was planned"),
        "{error}"
    );
}

#[test]
fn a_zip_bomb_is_unpacked_in_constant_memory_and_its_row_refused() {
    let dir = tempfile::tempdir().unwrap();
    let packed = zstd::bulk::compress(&vec![b'x'; 64 << 20], 3).unwrap();
    assert!(packed.len() < 100_000);
    fs::write(dir.path().join("bomb.jsonl.zst"), packed).unwrap();
    let outcome = run(
        &dir,
        "bomb.jsonl.zst",
        "out.jsonl",
        &[text_field()],
        PLAIN,
        |_| {},
    )
    .unwrap();
    assert_eq!((outcome.rows, outcome.bad.len()), (0, 1));
}

fn table() -> RecordBatch {
    let text: ArrayRef = Arc::new(StringArray::from(
        (0..1000).map(|i| format!("row {i}")).collect::<Vec<_>>(),
    ));
    RecordBatch::try_from_iter([
        ("text", text),
        (
            "n",
            Arc::new(Int64Array::from_iter_values(0..1000)) as ArrayRef,
        ),
    ])
    .unwrap()
}

/// However the bytes of a columnar file are damaged, reading it returns rows or an error that names
/// it, and never panics.
#[test]
fn damaged_columnar_files_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let batch = table();
    let mut parquet =
        parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    let parquet = parquet.into_inner().unwrap();
    let mut stream =
        arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    let stream = stream.into_inner().unwrap();
    let mut file = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    let file = file.into_inner().unwrap();
    let mut failed = 0;
    for (name, bytes) in [
        ("a.parquet", &parquet),
        ("b.arrow", &stream),
        ("c.arrow", &file),
    ] {
        let mut variants: Vec<Vec<u8>> = (1..8)
            .map(|i| bytes[..bytes.len() * i / 8].to_vec())
            .collect();
        variants.extend((4..bytes.len()).step_by(bytes.len() / 60).map(|at| {
            let mut copy = bytes.clone();
            copy[at] ^= 0xff;
            copy
        }));
        for variant in variants {
            fs::write(dir.path().join(name), variant).unwrap();
            if let Err(error) = run(&dir, name, "out.jsonl", &[text_field()], PLAIN, |_| {}) {
                failed += 1;
                assert!(format!("{error:#}").contains(name), "{error:#}");
            }
        }
    }
    assert!(failed > 20, "only {failed} damaged files were found out");
}
