//! What the examples do not cover: round trips of every type of the contract, rejected rows,
//! failures, whole columns, a selector. For SDKs that translate at run time.

use std::path::PathBuf;

use serde_json::Value;

use crate::frame::Language;
use crate::harness::Case;

const ROWS: &str = r#"{"text":"a","any":{"x":[1,"é",null]},"num":1.5,"int":3,"flag":true,"list":["a","","é"],"nums":[1,2.5],"ints":[1,-9007199254740991],"blob":"00ff","blobs":["00","","ff01"],"vec":[0.5,-1.25]}
{"text":"reject","any":null}
{"text":"least","any":"s","num":0,"int":-9007199254740991,"flag":false,"list":[],"nums":[],"ints":[],"blob":"","blobs":[],"vec":[1.5]}
{"text":"fail","any":[],"int":5}
{"text":"drop","int":7}
{"text":"","any":1,"int":6}
{"text":"é日本","any":false,"int":1}
"#;

/// Runs the operators of `shapes/`, which are in `component`.
pub(crate) fn check(prefix: &str, component: PathBuf) {
    let mut case = Case::with_input(ROWS);
    case.write("plugins/shapes.wasm", std::fs::read(component).unwrap());
    case.args = [
        "--plugins",
        "plugins",
        "--keep_stats_in_res_ds",
        "true",
        "--max_quarantine_ratio",
        "1.0",
    ]
    .map(str::to_owned)
    .to_vec();
    let ops = [
        "types_mapper:",
        "failing_filter:",
        "columns_filter:",
        "top_selector: {n: 2}",
    ];
    let process: String = ops
        .iter()
        .map(|op| format!("  - {prefix}_{op}\n"))
        .collect();
    let ran = case.run(&format!("process:\n{process}")).ok();

    let rows: Vec<Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let texts: Vec<&str> = rows
        .iter()
        .map(|row| row["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["a", "é日本"], "{prefix}");
    for row in &rows {
        for field in [
            "any", "num", "int", "flag", "list", "ints", "blob", "blobs", "vec",
        ] {
            assert_eq!(row["w"][field], row[field], "{prefix} {field}: {row}");
        }
    }
    assert_eq!(rows[0]["w"]["nums"], serde_json::json!([1.0, 2.5]));
    assert_eq!(rows[1]["w"]["nums"], Value::Null);
    assert_eq!(
        rows[1]["__dj__stats__"],
        serde_json::json!({format!("{prefix}_length"): 3, format!("{prefix}_first"): "é"})
    );

    let reasons: Vec<&str> = ran
        .quarantine
        .iter()
        .map(|entry| entry["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons.len(), 2, "{prefix}: {reasons:?}");
    assert_eq!(reasons[0], "rejected by name");
    assert!(
        reasons[1].contains("Error: failed by name"),
        "{prefix}: {}",
        reasons[1]
    );
}

impl Language {
    /// Where this language's component with these operators is built, once its tools are installed.
    pub(crate) fn shapes(&self) -> PathBuf {
        self.components()[0].with_file_name("shapes.wasm")
    }
}
