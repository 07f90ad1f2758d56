//! Groupers on more rows than a case has: however the work is cut, for columns, too, and with a
//! group that is too large.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use serde_json::{Value, json};

use super::{djhost, ledger};

/// Rows in Python's spacing, so that they come back unchanged.
fn row(i: usize) -> String {
    let text = format!("row {i} {}", "words ".repeat(i % 13));
    format!(
        r#"{{"text": "{text}", "key": {}, "n": {i}.50, "meta": {{"odd": {}}}}}"#,
        i * i % 57,
        i % 2 == 1
    )
}

fn recipe(dir: &Path, process: &str) {
    let text = format!(
        "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\njob_id: job\nprocess:\n{process}"
    );
    fs::write(dir.join("recipe.yaml"), text).unwrap();
}

/// Runs the recipe from scratch with `more` arguments; returns the export.
fn run(dir: &Path, more: &[&str]) -> String {
    let output = djhost(
        dir,
        &[&["run", "recipe.yaml", "--quiet", "--fresh"], more].concat(),
    );
    assert!(
        output.status.success(),
        "{more:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::read_to_string(dir.join("out.jsonl")).unwrap()
}

const WAYS: [&[&str]; 5] = [
    &[
        "--partition.mode",
        "manual",
        "--partition.num_of_partitions",
        "1",
        "--np",
        "1",
    ],
    &[
        "--partition.mode",
        "manual",
        "--partition.num_of_partitions",
        "3",
        "--np",
        "2",
        "--batch_size_kb",
        "16",
    ],
    &[
        "--partition.mode",
        "manual",
        "--partition.num_of_partitions",
        "70",
        "--np",
        "4",
        "--batch_size_kb",
        "16",
    ],
    &[
        "--partition.mode",
        "manual",
        "--partition.num_of_partitions",
        "7",
        "--checkpoint.strategy",
        "every_op",
        "--resolver_memory_mb",
        "1",
    ],
    &[
        "--intermediate_storage.format",
        "jsonl",
        "--intermediate_storage.compression",
        "gzip",
        "--checkpoint.strategy",
        "every_op",
    ],
];

#[test]
fn the_same_groups_however_the_work_is_cut() {
    let dir = crate::harness::directory();
    let rows: Vec<String> = (0..3000).map(row).collect();
    fs::write(dir.path().join("in.jsonl"), rows.join("\n") + "\n").unwrap();
    recipe(
        dir.path(),
        "  - key_value_grouper: {group_by_keys: [key, meta.odd]}\n",
    );
    let expected = run(dir.path(), WAYS[0]);
    let groups: Vec<Value> = expected
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let members: usize = groups
        .iter()
        .map(|group| group["n"].as_array().unwrap().len())
        .sum();
    assert_eq!(members, rows.len());
    let firsts: Vec<f64> = groups
        .iter()
        .map(|group| group["n"][0].as_f64().unwrap())
        .collect();
    assert!(
        firsts.is_sorted() && groups.len() > 20,
        "groups stand where their first rows stood"
    );
    for group in &groups {
        assert!(
            group["key"]
                .as_array()
                .unwrap()
                .iter()
                .all(|key| *key == group["key"][0])
        );
        assert!(
            group["n"]
                .as_array()
                .unwrap()
                .is_sorted_by(|a, b| a.as_f64() < b.as_f64()),
            "rows are in input order"
        );
    }
    let found = ledger(dir.path());
    assert_eq!(
        (&found["read"], &found["output"]),
        (&json!(3000), &json!(groups.len()))
    );
    assert_eq!(found["merged"]["0"], 3000 - groups.len());
    for way in &WAYS[1..] {
        assert_eq!(run(dir.path(), way), expected, "{way:?}");
    }
}

#[test]
fn taken_together_and_apart_rows_are_what_they_were() {
    let dir = crate::harness::directory();
    let rows = (0..2000).map(row).collect::<Vec<_>>().join("\n") + "\n";
    fs::write(dir.path().join("in.jsonl"), &rows).unwrap();
    recipe(
        dir.path(),
        "  - naive_grouper:\n  - naive_reverse_grouper:\n",
    );
    for way in WAYS {
        assert!(run(dir.path(), way) == rows, "{way:?}");
    }
    let found = ledger(dir.path());
    assert_eq!(
        (
            &found["merged"]["0"],
            &found["created"]["1"],
            &found["output"]
        ),
        (&json!(1999), &json!(1999), &json!(2000))
    );
}

#[test]
fn columns_become_rows_with_lists() {
    let dir = crate::harness::directory();
    let numbers = ListArray::from_iter_primitive::<Int32Type, _, _>(
        (0..300).map(|i| (i % 5 > 0).then(|| vec![Some(i), None])),
    );
    let columns: [(&str, ArrayRef); 4] = [
        (
            "text",
            Arc::new(StringArray::from_iter_values(
                (0..300).map(|i| format!("text {i}")),
            )),
        ),
        (
            "key",
            Arc::new(Int32Array::from_iter(
                (0..300).map(|i| (i % 7 > 0).then_some(i % 7)),
            )),
        ),
        (
            "score",
            Arc::new(Float64Array::from_iter_values(
                (0..300).map(|i| f64::from(i) / 3.0),
            )),
        ),
        ("numbers", Arc::new(numbers)),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(
        File::create(dir.path().join("in.parquet")).unwrap(),
        batch.schema(),
        None,
    )
    .unwrap();
    for start in (0..300).step_by(60) {
        writer.write(&batch.slice(start, 60)).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    let input = ["--dataset_path", "in.parquet"];
    recipe(
        dir.path(),
        "  - text_length_filter: {min_len: 7}\n  - key_value_grouper: {group_by_keys: [key]}\n",
    );
    let rows = run(dir.path(), &[&input[..], WAYS[1]].concat());
    let groups: Vec<Value> = rows
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(groups.len(), 7);
    let first = &groups[0];
    assert_eq!(
        (&first["text"][0], &first["key"][0], &first["numbers"][1]),
        (&json!("text 10"), &json!(3), &json!([17, null]))
    );
    assert_eq!(rows, run(dir.path(), &[&input[..], WAYS[0]].concat()));
    // And back to columns, with their original types.
    recipe(
        dir.path(),
        "  - key_value_grouper: {group_by_keys: [key]}\n  - naive_reverse_grouper:\n  - text_length_filter: {min_len: 7}\n",
    );
    for way in &WAYS[..4] {
        run_to_parquet(dir.path(), &[&input[..], way].concat());
        let file = File::open(dir.path().join("out.parquet")).unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap();
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        assert_eq!(
            batches.iter().map(RecordBatch::num_rows).sum::<usize>(),
            290
        );
        let types: Vec<String> = batches[0]
            .schema()
            .fields()
            .iter()
            .map(|f| format!("{} {}", f.name(), f.data_type()))
            .collect();
        assert!(
            types[0].starts_with("text Utf8")
                && types[1] == "key Int32"
                && types[2] == "score Float64",
            "{types:?}"
        );
    }
}

fn run_to_parquet(dir: &Path, more: &[&str]) {
    let output = djhost(
        dir,
        &[
            &[
                "run",
                "recipe.yaml",
                "--quiet",
                "--fresh",
                "--export_path",
                "out.parquet",
            ],
            more,
        ]
        .concat(),
    );
    assert!(
        output.status.success(),
        "{more:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_group_that_is_too_large_ends_the_job_with_its_name() {
    let dir = crate::harness::directory();
    let filler = "x".repeat(50_000);
    let rows: String = (0..60)
        .map(|i| {
            format!(
                "{{\"text\": \"{filler}\", \"key\": \"{}\"}}\n",
                if i < 10 { "small" } else { "large" }
            )
        })
        .collect();
    fs::write(dir.path().join("in.jsonl"), rows).unwrap();
    recipe(
        dir.path(),
        "  - key_value_grouper: {group_by_keys: [key]}\n",
    );
    for way in &WAYS[..3] {
        let output = djhost(
            dir.path(),
            &[
                &[
                    "run",
                    "recipe.yaml",
                    "--quiet",
                    "--fresh",
                    "--max_row_mb",
                    "1",
                ],
                *way,
            ]
            .concat(),
        );
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for part in [
            "one row of 50 rows with `key` = \"large\"",
            "in.jsonl",
            "Raise `max_row_mb`",
        ] {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
    }
    // With a higher limit the job continues.
    let output = djhost(
        dir.path(),
        &["run", "recipe.yaml", "--quiet", "--max_row_mb", "4"],
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(ledger(dir.path())["output"], 2);
}

#[test]
fn a_plan_warns_of_ops_that_get_no_rows() {
    let dir = crate::harness::directory();
    fs::write(
        dir.path().join("in.jsonl"),
        (0..10).map(|i| row(i) + "\n").collect::<String>(),
    )
    .unwrap();
    let planned = |process: &str| {
        recipe(dir.path(), process);
        let output = djhost(dir.path(), &["plan", "recipe.yaml"]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let note = "needs `text` as a string, but behind op 0 `naive_grouper` every field is a list";
    let plan = planned("  - naive_grouper:\n  - text_length_filter:\n");
    assert!(
        plan.contains(note) && plan.contains("naive_grouper  grouper, light"),
        "{plan}"
    );
    let plan = planned(
        "  - text_length_filter:\n  - naive_grouper:\n  - naive_reverse_grouper:\n  - text_length_filter:\n",
    );
    assert!(!plan.contains("every field is a list"), "{plan}");
}

#[test]
fn groupers_are_listed_as_such() {
    let list = djhost(Path::new("."), &["ops", "list", "--kind", "grouper"]);
    let list = String::from_utf8(list.stdout).unwrap();
    for name in [
        "naive_grouper",
        "key_value_grouper",
        "naive_reverse_grouper",
    ] {
        assert!(list.contains(&format!("  {name} ")), "{list}");
    }
    let shown =
        String::from_utf8(djhost(Path::new("."), &["ops", "show", "key_value_grouper"]).stdout)
            .unwrap();
    assert!(
        shown.contains("key_value_grouper  (grouper, light work per row)"),
        "{shown}"
    );
}
