//! `validators`: what the first rows must be like. A case is a folder of `tests/jobs/validators`:
//! `recipe.yaml`, the dataset, and `expected.txt`: what the program says of it, or that it ran.

use std::fs;

use crate::harness::cases::every_case;
use crate::harness::directory;

#[test]
fn rows_that_are_not_as_demanded_end_the_run_before_any_work() {
    every_case("tests/jobs/validators", 7, |case| {
        let dir = directory();
        super::copy(case, dir.path());
        let args = ["run", "recipe.yaml", "--quiet", "--work_dir", "work"];
        let ran = super::djhost(dir.path(), &args);
        let said = String::from_utf8(ran.stderr).unwrap();
        let said = said.replace(&format!("{}/", dir.path().display()), "");
        // Not how to go on with a job that was begun.
        let said: String = said
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("job `"))
            .collect();
        let exports = dir.path().join("out.jsonl").exists();
        match ran.status.code() {
            Some(0) if exports => "the job is done\n".to_owned(),
            Some(2) if !exports => said,
            code => format!("{said}exit code {code:?}, with an export: {exports}\n"),
        }
    });
}

#[test]
fn columns_are_checked_as_rows_of_json_are() {
    let dir = directory();
    let rows = "{\"text\": \"a\", \"n\": 1}\n{\"text\": \"b\", \"n\": null}\n";
    fs::write(dir.path().join("rows.jsonl"), rows).unwrap();
    let convert = "dataset_path: rows.jsonl\nexport_path: rows.parquet\nprocess: []\n";
    fs::write(dir.path().join("convert.yaml"), convert).unwrap();
    let converted = super::djhost(dir.path(), &["run", "convert.yaml", "--quiet"]);
    assert!(converted.status.success(), "{converted:?}");
    let recipe = "dataset_path: rows.parquet\nexport_path: out.parquet\nvalidators:\n  - {type: required_fields, required_fields: [text, n], field_types: {text: int}}\nprocess: []\n";
    fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
    for command in ["plan", "run"] {
        let ran = super::djhost(dir.path(), &[command, "recipe.yaml"]);
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{said}");
        for part in [
            "rows.parquet:1: text: expected `int`, got the text `a`",
            "rows.parquet:2: n: is absent or null in 1 of 2 rows looked at",
            "recipe.yaml:4: validators[0]",
        ] {
            assert!(said.contains(part), "`{part}` is not in:\n{said}");
        }
    }
}
