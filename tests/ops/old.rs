//! A plugin written against version 0.1 of the contract still runs, with its original results.

use std::fs;

use serde_json::Value;

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
