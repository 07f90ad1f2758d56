//! Rows may go on to the next step in memory, or be read from the checkpoint: nothing that a user
//! sees depends on how many of them do which.

use std::fs;
use std::path::Path;

use serde_json::Value;

const RECIPE: &str = "dataset_path: in.jsonl
export_path: out.jsonl
work_dir: work
np: 1
batch_size_kb: 16
max_quarantine_ratio: 0.9
partition: {mode: manual, num_of_partitions: 2}
keep_stats_in_res_ds: true
process:
  - whitespace_normalization_mapper:
  - clean_email_mapper:
  - text_length_filter: {min_len: 20}
  - specified_numeric_field_filter: {field_key: n, min_value: 3}
  - remove_long_words_mapper: {max_len: 12}
  - document_deduplicator:
  - clean_links_mapper:
  - text_length_filter: {min_len: 30}
";

/// Export, rows in quarantine, and ledger.
fn made(
    dir: &Path,
    job: &str,
    ahead: Option<&str>,
    strategy: &str,
) -> (String, Vec<String>, Value) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .args(["run", "recipe.yaml", "--quiet", "--job_id", job])
        .args(["--checkpoint.strategy", strategy])
        .current_dir(dir)
        .envs(ahead.map(|batches| ("DJHOST_TEST_AHEAD", batches)));
    let output = command.output().unwrap();
    assert!(
        output.status.code() == Some(4) || output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let job = dir.join("work").join(job);
    let mut rows: Vec<String> = fs::read_dir(job.join("quarantine"))
        .unwrap()
        .flat_map(|file| {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    rows.sort();
    let summary: Value =
        serde_json::from_slice(&fs::read(job.join("job_summary.json")).unwrap()).unwrap();
    let export = fs::read_to_string(dir.join("out.jsonl")).unwrap();
    (export, rows, summary["ledger"].clone())
}

#[test]
fn the_result_does_not_depend_on_where_rows_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let rows: String = (0..3000)
        .map(|i| {
            let n = if i % 97 == 5 { "[1]".to_owned() } else { i.to_string() };
            format!(
                "{{\"n\": {n}, \"text\": \"row  {}\u{a0}mail a{i}@example.org, a {}word and https://example.com/{i} {}\"}}\n",
                i % 1700,
                "long".repeat(i % 6),
                "more text ".repeat(i % 11),
            )
        })
        .collect();
    fs::write(dir.path().join("in.jsonl"), rows).unwrap();
    fs::write(dir.path().join("recipe.yaml"), RECIPE).unwrap();
    let expected = made(dir.path(), "disabled", None, "disabled");
    assert_eq!(expected.1.len(), 31, "{:?}", expected.1.first());
    // The row as it was then, with what earlier ops did.
    assert!(
        expected.1.iter().all(|row| !row.contains("example.org")),
        "{}",
        expected.1[0]
    );
    for ahead in [None, Some("0"), Some("1"), Some("2"), Some("7")] {
        for strategy in ["every_op", "every_n_ops"] {
            let job = format!("{strategy}_{}", ahead.unwrap_or("all"));
            let found = made(dir.path(), &job, ahead, strategy);
            assert_eq!(found.0, expected.0, "{job}");
            assert_eq!(found.1, expected.1, "{job}");
            assert_eq!(found.2, expected.2, "{job}");
        }
    }
}
