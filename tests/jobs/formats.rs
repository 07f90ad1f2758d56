//! Every format in, every format out: the same rows.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::djhost;

const TEXTS: [&str; 5] = [
    "first row, with a comma",
    "zweite Zeile \"quoted\"",
    "第三行 文字",
    "no",
    "last\nof two lines",
];

/// The rows with a text of at least three characters.
fn kept() -> Vec<(String, i64)> {
    (0..200)
        .map(|i| {
            (
                format!(
                    "{}{}",
                    TEXTS[i % 5],
                    if i % 5 == 3 {
                        String::new()
                    } else {
                        format!(" {i}")
                    }
                ),
                i as i64,
            )
        })
        .filter(|(t, _)| t.chars().count() >= 3)
        .collect()
}

fn all() -> Vec<(String, i64)> {
    (0..200)
        .map(|i| {
            (
                format!(
                    "{}{}",
                    TEXTS[i % 5],
                    if i % 5 == 3 {
                        String::new()
                    } else {
                        format!(" {i}")
                    }
                ),
                i as i64,
            )
        })
        .collect()
}

fn jsonl() -> Vec<u8> {
    all()
        .iter()
        .flat_map(|(text, n)| format!("{}\n", json!({ "text": text, "n": n })).into_bytes())
        .collect()
}

fn batch() -> RecordBatch {
    let (texts, numbers): (Vec<String>, Vec<i64>) = all().into_iter().unzip();
    let columns: [(&str, ArrayRef); 2] = [
        ("text", Arc::new(StringArray::from(texts))),
        ("n", Arc::new(Int64Array::from(numbers))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn separated(separator: char) -> Vec<u8> {
    let quoted = |t: &str| format!("\"{}\"", t.replace('"', "\"\""));
    let rows: String = all()
        .iter()
        .map(|(text, n)| format!("{}{separator}{n}\n", quoted(text)))
        .collect();
    format!("text{separator}n\n{rows}").into_bytes()
}

/// Writes the rows in the format of `path`'s suffix.
fn write_input(path: &Path) {
    let mut file = File::create(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    match name.split_once('.').unwrap().1 {
        "jsonl" => file.write_all(&jsonl()).unwrap(),
        "jsonl.gz" => {
            let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            out.write_all(&jsonl()).unwrap();
            out.finish().unwrap();
        }
        "jsonl.zst" => file
            .write_all(&zstd::encode_all(&jsonl()[..], 1).unwrap())
            .unwrap(),
        "json" => {
            let rows: Vec<Value> = all()
                .iter()
                .map(|(text, n)| json!({ "text": text, "n": n }))
                .collect();
            file.write_all(serde_json::to_string_pretty(&rows).unwrap().as_bytes())
                .unwrap();
        }
        "csv" => file.write_all(&separated(',')).unwrap(),
        "tsv" => file.write_all(&separated('\t')).unwrap(),
        "parquet" => {
            let properties = parquet::file::properties::WriterProperties::builder()
                .set_max_row_group_row_count(Some(37))
                .build();
            let mut out =
                parquet::arrow::ArrowWriter::try_new(file, batch().schema(), Some(properties))
                    .unwrap();
            out.write(&batch()).unwrap();
            out.close().unwrap();
        }
        "arrow" => {
            let mut out = arrow::ipc::writer::FileWriter::try_new(file, &batch().schema()).unwrap();
            (0..200)
                .step_by(23)
                .for_each(|i| out.write(&batch().slice(i, 23.min(200 - i))).unwrap());
            out.finish().unwrap();
        }
        other => panic!("no writer for `{other}`"),
    }
}

fn of_table(batches: impl Iterator<Item = RecordBatch>) -> Vec<Value> {
    let mut lines = Vec::new();
    for batch in batches {
        let mut out = arrow_json::LineDelimitedWriter::new(&mut lines);
        out.write(&batch).unwrap();
        out.finish().unwrap();
    }
    of_lines(&lines)
}

fn of_lines(bytes: &[u8]) -> Vec<Value> {
    std::str::from_utf8(bytes)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

/// The rows of an export.
fn read_output(path: &Path) -> Vec<Value> {
    match path.extension().unwrap().to_str().unwrap() {
        "jsonl" => of_lines(&fs::read(path).unwrap()),
        "json" => serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
        "parquet" => {
            let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
                File::open(path).unwrap(),
            )
            .unwrap();
            of_table(reader.build().unwrap().map(Result::unwrap))
        }
        _ => of_table(
            arrow::ipc::reader::StreamReader::try_new(File::open(path).unwrap(), None)
                .unwrap()
                .map(Result::unwrap),
        ),
    }
}

fn run(dir: &Path, input: &str, output: &str, ops: &str) -> Vec<Value> {
    let recipe = format!(
        "dataset_path: {input}\nexport_path: {output}\npartition: {{mode: manual, num_of_partitions: 3}}\ncheckpoint: {{strategy: every_op}}\nprocess: {ops}\n"
    );
    fs::write(dir.join("recipe.yaml"), recipe).unwrap();
    let job = format!("{input}-{output}").replace('.', "-");
    let ran = djhost(
        dir,
        &[
            "run",
            "recipe.yaml",
            "--quiet",
            "--work_dir",
            "work",
            "--job_id",
            &job,
        ],
    );
    assert!(
        ran.status.success(),
        "{input} to {output}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    read_output(&dir.join(output))
}

#[test]
fn every_format_in_and_out() {
    let dir = crate::harness::directory();
    let expected: Vec<Value> = kept()
        .iter()
        .map(|(text, n)| json!({ "text": text, "n": n }))
        .collect();
    for input in [
        "in.jsonl",
        "in.jsonl.gz",
        "in.jsonl.zst",
        "in.json",
        "in.csv",
        "in.tsv",
        "in.parquet",
        "in.arrow",
    ] {
        write_input(&dir.path().join(input));
        for output in ["out.jsonl", "out.json", "out.parquet", "out.arrow"] {
            let found = run(
                dir.path(),
                input,
                output,
                "[text_length_filter: {min_len: 3}, document_deduplicator: ]",
            );
            assert_eq!(found, expected, "{input} to {output}");
        }
    }
}

#[test]
fn a_text_file_is_a_row() {
    let dir = crate::harness::directory();
    fs::write(dir.path().join("in.txt"), "Some words\nin two lines\n").unwrap();
    for output in ["out.jsonl", "out.json", "out.parquet", "out.arrow"] {
        let found = run(
            dir.path(),
            "in.txt",
            output,
            "[words_num_filter: {min_num: 2}]",
        );
        assert_eq!(found.len(), 1, "{output}");
        assert_eq!(
            found[0]["text"]
                .as_str()
                .unwrap()
                .split_whitespace()
                .count(),
            5,
            "{output}"
        );
    }
}
