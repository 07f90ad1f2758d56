//! The recipes in `configs/recipes` with rows of their own, each on those. `meta.expect` says what becomes
//! of each row: `kept`, or why it is dropped.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn djhost(state: &Path, args: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(args)
        .current_dir(root)
        .env("XDG_STATE_HOME", state)
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .output()
        .unwrap()
}

fn rows(path: &Path) -> Vec<Value> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn is_kept(row: &Value) -> bool {
    row["meta"]["expect"]
        .as_str()
        .expect("every row says what is expected")
        == "kept"
}

#[test]
fn every_recipe_keeps_what_it_should() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = fs::read_dir(root.join("configs/recipes"))
        .unwrap()
        .map(|e| {
            e.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    // The recipes of web corpora have a crawl (`corpora.rs`).
    names.retain(|name| {
        root.join(format!("configs/data/recipes/{name}.jsonl"))
            .exists()
    });
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let recipe = format!("configs/recipes/{name}.yaml");
        let dir = crate::harness::directory();
        let planned = djhost(dir.path(), &["plan", &recipe]);
        assert!(
            planned.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&planned.stderr)
        );
        let at = |file: &str| dir.path().join(file).to_string_lossy().into_owned();
        let ran = djhost(
            dir.path(),
            &[
                "run",
                &recipe,
                "--quiet",
                "--work_dir",
                &at("work"),
                "--export_path",
                &at("out.jsonl"),
            ],
        );
        assert!(
            ran.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        // By the expectation, because the recipe changes the text.
        let input = rows(&root.join(format!("configs/data/recipes/{name}.jsonl")));
        let output = rows(&dir.path().join("out.jsonl"));
        let wrong: Vec<&Value> = output.iter().filter(|row| !is_kept(row)).collect();
        assert!(wrong.is_empty(), "{name} keeps {wrong:#?}");
        let expected = input.iter().filter(|row| is_kept(row)).count();
        assert_eq!(output.len(), expected, "{name} keeps {output:#?}");
        assert!(expected >= 2 && expected < input.len());
    }
}

#[test]
fn a_directory_of_lists_that_is_not_there_means_the_lists_that_ship() {
    let rows = "{\"text\": \"this is what we are and what they were\"}\n{\"text\": \"zebra quagga okapi\"}\n";
    let case = crate::harness::Case::with_input(rows);
    let recipe = |dir: &str| {
        let stop = dir.replace("WORDS", "stopwords");
        let flagged = dir.replace("WORDS", "flagged_words");
        format!(
            "process:\n  - stopwords_filter: {{min_ratio: 0.3{stop}}}\n  - flagged_words_filter: {{max_ratio: 0.5{flagged}}}\n"
        )
    };
    let shipped = case.run(&recipe("")).ok();
    let missing = case.run(&recipe(", WORDS_dir: ./assets")).ok();
    assert_eq!(missing.text(), shipped.text());
    assert_eq!(missing.text().lines().count(), 1);
    let note =
        "stopwords_dir: there is no `./assets`, into which Data-Juicer would download its lists";
    assert!(missing.stderr.contains(note), "{}", missing.stderr);
    // One that is there must have lists.
    std::fs::create_dir(case.path("assets")).unwrap();
    case.run(&recipe(", WORDS_dir: ./assets"))
        .failed(2, &["put a file there whose name contains `stopwords`"]);
}
