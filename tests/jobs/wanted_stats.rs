//! Filters need not compute stats that no one reads: rows, counts and stats are the same as if they
//! did.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{djhost, ledger};

const FILTERS: &str = "  - alphanumeric_filter: {min_ratio: 0.5}\n  - average_line_length_filter: {min_len: 12}\n  \
     - character_repetition_filter: {rep_len: 4, max_ratio: 0.4}\n  - maximum_line_length_filter: {min_len: 15}\n  \
     - text_length_filter: {min_len: 20}\n  - word_repetition_filter: {rep_len: 2, max_ratio: 0.3}\n  \
     - words_num_filter: {min_num: 4}\n";

/// Texts of few words and many, some of which each of the filters drops.
fn input() -> String {
    let mut rows = String::new();
    for row in 0..600u32 {
        let mut text = String::new();
        for word in 0..row % 43 {
            let mixed = (row * 31 + word).wrapping_mul(0x9e37_79b9) >> 16;
            let end = [" ", " ", ". ", "\\n"][(mixed % (1 + row % 4)) as usize];
            write!(text, "w{:x}é{end}", mixed % (2 + row * row)).unwrap();
        }
        if row % 11 == 0 {
            text.push_str(&"=-".repeat(40));
        }
        writeln!(rows, r#"{{"text": "{text}", "n": {row}}}"#).unwrap();
    }
    rows
}

/// Runs the filters and `more` ops in `dir`; returns the export.
fn run(dir: &Path, kept: bool, more: &str) -> String {
    fs::write(dir.join("in.jsonl"), input()).unwrap();
    let recipe = format!(
        "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\nkeep_stats_in_res_ds: {kept}\nreorder: false\n\
         partition: {{mode: manual, num_of_partitions: 3}}\ncheckpoint: {{enabled: true, strategy: every_op}}\n\
         process:\n{FILTERS}{more}"
    );
    fs::write(dir.join("recipe.yaml"), recipe).unwrap();
    let output = djhost(dir, &["run", "recipe.yaml", "--quiet", "--job_id", "job"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    fs::read_to_string(dir.join("out.jsonl")).unwrap()
}

fn without_stats(export: &str) -> Vec<Value> {
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        row.as_object_mut().unwrap().remove("__dj__stats__");
        row
    };
    export.lines().map(row).collect()
}

#[test]
fn rows_and_counts_are_those_of_a_run_that_keeps_stats() {
    let [with, without] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let kept = run(with.path(), true, "");
    let rows = run(without.path(), false, "");
    assert!(!rows.contains("__dj__stats__"));
    assert_eq!(without_stats(&kept), without_stats(&rows));
    let counts = ledger(with.path());
    assert_eq!(counts, ledger(without.path()));
    let dropped = counts["dropped"].as_object().unwrap();
    assert!(dropped.len() >= 6, "{counts}");

    // What was made without stats is of no use to a run that keeps them.
    assert_eq!(run(without.path(), true, ""), kept);
    let first: Value = serde_json::from_str(kept.lines().next().unwrap()).unwrap();
    let stats = first["__dj__stats__"].as_object().unwrap();
    assert_eq!(stats.len(), 7, "{stats:?}");
}

#[test]
fn stats_that_a_later_op_reads_are_computed() {
    let reads = "  - specified_numeric_field_filter: {field_key: __dj__stats__.char_rep_ratio, min_value: 0.1}\n  \
         - topk_specified_field_selector: {field_key: __dj__stats__.num_words, topk: 50}\n";
    let again = format!("{reads}  - word_repetition_filter: {{rep_len: 2, max_ratio: 0.3}}\n");
    let [with, without] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let kept = without_stats(&run(with.path(), true, &again));
    assert_eq!(kept.len(), 50);
    assert_eq!(kept, without_stats(&run(without.path(), false, &again)));
    assert_eq!(ledger(with.path()), ledger(without.path()));
}
