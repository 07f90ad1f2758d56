//! `validators`: what the first rows must be like. A case is a folder of `tests/jobs/validators`:
//! `recipe.yaml`, the dataset, and `expected.txt`: what the program says of it, or that it ran.

use std::fs;
use std::path::Path;

#[test]
fn rows_that_are_not_as_demanded_end_the_run_before_any_work() {
    let bless = std::env::var_os("DJHOST_TEST_BLESS").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jobs/validators");
    let cases = fs::read_dir(root).unwrap().map(|case| case.unwrap().path());
    let mut cases: Vec<_> = cases.collect();
    cases.sort();
    assert!(cases.len() >= 7);
    let mut wrong = Vec::new();
    for case in cases {
        let dir = crate::harness::directory();
        super::copy(&case, dir.path());
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
        let got = match ran.status.code() {
            Some(0) if exports => "the job is done\n".to_owned(),
            Some(2) if !exports => said,
            code => format!("{said}exit code {code:?}, with an export: {exports}\n"),
        };
        let expected = case.join("expected.txt");
        if bless {
            fs::write(&expected, &got).unwrap();
        }
        let want = fs::read_to_string(&expected).unwrap_or_default();
        if got != want {
            wrong.push(format!(
                "--- {}\nexpected:\n{want}\ngot:\n{got}",
                case.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn columns_are_checked_as_rows_of_json_are() {
    let dir = crate::harness::directory();
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
