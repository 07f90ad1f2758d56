//! A plugin written against version 0.1 of the contract still runs, with its original results.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::guest::build;
use crate::ops::{ops, text};

#[test]
fn a_plugin_of_version_0_1_runs_as_it_did() {
    let plugin = build("tests/old-plugins/v0.1", "old-plugin");
    let dir = crate::harness::directory();
    fs::copy(plugin, dir.path().join("old.wasm")).unwrap();
    let plugins = dir.path().to_str().unwrap();

    let list = ops(&["list", "--json", "old_", "--plugins", plugins], "");
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let old: Vec<&Value> = list
        .as_array()
        .unwrap()
        .iter()
        .filter(|op| op["name"].as_str().unwrap().starts_with("old_"))
        .collect();
    assert_eq!(old.len(), 2, "{list:#}");
    assert!(
        old.iter()
            .all(|op| op["wit_version"].to_string().contains("0.1")),
        "{list:#}"
    );

    let rows = "{\"text\": \"ÄBC\", \"id\": 1}\n{\"text\": \"abc\", \"id\": 2}\n";
    let filtered = ops(
        &["run", "old_bytes_filter", "--stats", "--plugins", plugins],
        rows,
    );
    assert!(filtered.status.success(), "{}", text(&filtered.stderr));
    let kept: Vec<Value> = text(&filtered.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (
            kept[0]["id"].as_i64(),
            kept[0]["__dj__stats__"]["old_bytes"].as_i64()
        ),
        (Some(1), Some(4))
    );
    let none = ops(
        &[
            "run",
            "old_bytes_filter",
            "--params",
            r#"{"least": 5}"#,
            "--plugins",
            plugins,
        ],
        rows,
    );
    assert!(
        none.status.success() && none.stdout.is_empty(),
        "{}",
        text(&none.stderr)
    );
    let mapped = ops(&["run", "old_lower_mapper", "--plugins", plugins], rows);
    assert_eq!(
        text(&mapped.stdout),
        "{\"text\": \"Äbc\", \"id\": 1}\n{\"text\": \"abc\", \"id\": 2}\n",
        "{}",
        text(&mapped.stderr)
    );

    let checked = ops(
        &["check", dir.path().join("old.wasm").to_str().unwrap()],
        "",
    );
    assert!(
        checked.status.success(),
        "{}{}",
        text(&checked.stdout),
        text(&checked.stderr)
    );
}

/// What 0.1 says by keys of the schema, and 0.2 by types.
#[test]
fn what_schemas_of_version_0_1_say_still_holds() {
    let plugin = build("tests/old-plugins/v0.1-schema-keys", "old-schema-keys");
    let mut case = crate::harness::Case::with_input(concat!(
        "{\"text\": \"ab\", \"n\": 1}\n",
        "{\"text\": \"cB\", \"n\": 2}\n",
        "{\"text\": \"dc\", \"n\": 3}\n",
        "{\"text\": \"e\\u0001\", \"n\": 4}\n",
    ));
    case.write("plugins/old.wasm", fs::read(plugin).unwrap());
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    let run = |op: &str, params: &str| {
        let recipe = format!("process:\n  - {op}: {{{params}}}\n");
        let _ = fs::remove_dir_all(case.path("work"));
        let ran = case.run(&recipe).ok();
        ran.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect::<Vec<Value>>()
    };
    let numbers = |rows: &[Value]| rows.iter().map(|row| row["n"].clone()).collect::<Vec<_>>();

    let groups = run("old_first_letter_grouper", "");
    assert_eq!(numbers(&groups), [json!([1, 2]), json!([3]), json!([4])]);
    assert_eq!(
        numbers(&run("old_twice_mapper", "")),
        [1, 1, 2, 2, 3, 3, 4, 4]
    );
    let counted = run("old_once_deduplicator", "");
    assert_eq!(counted[0]["text"], "2 with it");
    assert_eq!(counted[2]["text"], "1 with it");
    // `b` and `c` differ in one bit, and the last one in more.
    assert_eq!(numbers(&run("old_near_deduplicator", "bits: 0")), [1, 3, 4]);
    assert_eq!(numbers(&run("old_near_deduplicator", "bits: 1")), [1, 4]);
    let newest = run(
        "old_newest_deduplicator",
        "keep: last, cluster_size_field: copies",
    );
    assert_eq!(numbers(&newest), [2, 3, 4]);
    assert_eq!(newest[0]["copies"], 2);
    assert_eq!(run("old_told_filter", "").len(), 4);
    assert_eq!(run("old_reasons_mapper", "").len(), 0);
    let why = Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(["dropped", "work/job", "--export", "why.jsonl"])
        .current_dir(case.path("."))
        .output()
        .unwrap();
    assert!(why.status.success(), "{}", text(&why.stderr));
    let rows = fs::read_to_string(case.path("why.jsonl")).unwrap();
    assert_eq!(rows.matches("it is old").count(), 4, "{rows}");
}
