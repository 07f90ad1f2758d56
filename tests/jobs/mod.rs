//! Whole jobs through the built program. A case is a folder: `recipe.yaml` (from `input.jsonl` to
//! `out.jsonl`), `input.jsonl`, `expected.jsonl`, `ledger.json` (where every row went), optionally
//! more arguments in `args`, one a line, and files that the recipe names.
//!
//! `DJHOST_TEST_BLESS=1 cargo test --release --test all jobs` writes the expected files; read the
//! difference before you commit it.

mod ahead;
mod analyze;
mod clusters;
mod corpora;
mod croissant;
mod expect;
mod explain;
mod find_rows;
mod formats;
mod groupers;
mod images;
mod in_pieces;
mod models;
mod pairs;
mod quarantine;
mod recipes;
mod reorder;
mod report;
#[cfg(target_os = "linux")]
mod seen;
mod validators;
mod wanted_stats;
mod web_archives;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The built program in `dir`.
fn djhost(dir: &Path, args: &[&str]) -> Output {
    command(dir).args(args).output().unwrap()
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .current_dir(dir)
        .env("XDG_STATE_HOME", dir.join("state"))
        .env("DJHOST_CACHE_DIR", crate::harness::cache());
    command
}

fn ledger(dir: &Path) -> Value {
    let summary: Value =
        serde_json::from_slice(&fs::read(dir.join("work/job/job_summary.json")).unwrap()).unwrap();
    assert_eq!(summary["status"], "completed");
    summary["ledger"].clone()
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jobs");
    let mut cases: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("recipe.yaml").is_file())
        .collect();
    cases.sort();
    assert!(cases.len() >= 20);
    cases
}

/// Copies what is in `from`, directories of files included.
fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(|file| file.unwrap().path()) {
        let to = to.join(file.file_name().unwrap());
        if file.is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&file, &to);
        } else {
            fs::copy(&file, to).unwrap();
        }
    }
}

/// Runs a case with `more` arguments; returns the export and the ledger.
fn run(case: &Path, more: &[&str]) -> (String, Value) {
    let dir = crate::harness::directory();
    copy(case, dir.path());
    let own = fs::read_to_string(case.join("args")).unwrap_or_default();
    let args: Vec<&str> = [
        "run",
        "recipe.yaml",
        "--quiet",
        "--work_dir",
        "work",
        "--job_id",
        "job",
    ]
    .into_iter()
    .chain(own.lines().flat_map(str::split_whitespace))
    .chain(more.iter().copied())
    .collect();
    let output = djhost(dir.path(), &args);
    assert!(
        output.status.success(),
        "{}: {}",
        case.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    (
        fs::read_to_string(dir.path().join("out.jsonl")).unwrap(),
        ledger(dir.path()),
    )
}

#[test]
fn every_case_gives_what_it_is_expected_to() {
    let update = std::env::var_os("DJHOST_TEST_BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let (export, ledger) = run(&case, &[]);
        if update {
            fs::write(case.join("expected.jsonl"), &export).unwrap();
            fs::write(case.join("ledger.json"), format!("{ledger:#}\n")).unwrap();
            continue;
        }
        let expected = fs::read_to_string(case.join("expected.jsonl")).unwrap();
        if export != expected {
            wrong.push(format!(
                "{}:\n--- expected\n{expected}--- found\n{export}",
                case.display()
            ));
        }
        let expected: Value =
            serde_json::from_slice(&fs::read(case.join("ledger.json")).unwrap()).unwrap();
        if ledger != expected {
            wrong.push(format!(
                "{}: ledger {ledger} instead of {expected}",
                case.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cut_and_stored_in_another_way_every_case_gives_the_same() {
    for case in cases() {
        let cut = [
            "--partition.mode",
            "manual",
            "--partition.num_of_partitions",
            "3",
            "--checkpoint.strategy",
            "every_op",
            "--np",
            "2",
        ];
        assert_eq!(run(&case, &[]), run(&case, &cut), "{}", case.display());
    }
}

/// Instances of packs go on from one partition to the next: each answer is compared with that of one
/// which has seen nothing.
#[test]
fn what_an_operator_has_seen_before_changes_nothing() {
    for case in cases() {
        let compared = [
            "--partition.mode",
            "manual",
            "--partition.num_of_partitions",
            "3",
            "--np",
            "1",
            "--determinism.check_ratio",
            "1",
            "--determinism.on_difference",
            "fail",
        ];
        assert_eq!(run(&case, &[]), run(&case, &compared), "{}", case.display());
    }
}

/// The names in `djhost ops list`.
fn ops() -> BTreeSet<String> {
    let output = djhost(Path::new("."), &["ops", "list"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let ops: BTreeSet<String> = text
        .lines()
        .filter(|l| l.starts_with("  "))
        .filter_map(|l| l.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    assert!(ops.contains("document_deduplicator"), "{text}");
    ops
}

#[test]
fn every_operator_has_a_case_or_runs_with_its_defaults() {
    let recipes: String = cases()
        .iter()
        .map(|c| fs::read_to_string(c.join("recipe.yaml")).unwrap())
        .collect();
    // Operators that need a network have their cases there.
    let recipes = recipes + include_str!("pairs.rs");
    let rows = "{\"text\": \"The quick brown fox jumps over the lazy dog\"}\n{\"text\": \"\"}\n{\"text\": \"Съешь же ещё этих мягких булок\"}\n";
    for op in ops()
        .into_iter()
        .filter(|op| !recipes.contains(&format!("- {op}:")))
    {
        let dir = crate::harness::directory();
        fs::write(dir.path().join("input.jsonl"), rows).unwrap();
        fs::write(
            dir.path().join("recipe.yaml"),
            format!("dataset_path: input.jsonl\nexport_path: out.jsonl\nprocess: [{op}: ]\n"),
        )
        .unwrap();
        let output = djhost(
            dir.path(),
            &[
                "run",
                "recipe.yaml",
                "--quiet",
                "--work_dir",
                "work",
                "--job_id",
                "job",
            ],
        );
        assert!(
            output.status.success(),
            "{op} has no case, and with its defaults: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(ledger(dir.path())["read"], 3, "{op}");
    }
}
