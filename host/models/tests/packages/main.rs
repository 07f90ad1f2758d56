//! Models give what the Python packages give, which are installed: models that these train, and a
//! real one that one of them ships.

#[path = "../../../../tests/harness/python.rs"]
mod python;

mod fasttext;
mod kenlm;
mod onnx;
mod sentencepiece;
mod tokenizers;

use djhost_inference::Model;
use python::{Package, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const DIR: &str = env!("CARGO_TARGET_TMPDIR");

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a script of this directory with the texts of the fixture, a new directory, and more; returns
/// the directory.
fn train(package: &Package, script: &str, more: &[&Path]) -> PathBuf {
    let dir = Path::new(DIR).join(format!("{}-files", package.name));
    std::fs::create_dir_all(&dir).unwrap();
    run(Command::new(package.python())
        .arg(here().join("tests/packages").join(script))
        .arg(here().join("../../tests/parity/fixture.jsonl"))
        .arg(&dir)
        .args(more))
    .unwrap();
    dir
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    let values = value.as_array().unwrap().iter();
    values.map(|value| value.as_str().unwrap()).collect()
}

fn numbers(value: &Value) -> Vec<u32> {
    let values = value.as_array().unwrap().iter();
    values.map(|value| value.as_u64().unwrap() as u32).collect()
}

fn open(path: &Path) -> Model {
    Model::open(path, None).unwrap_or_else(|error| panic!("{error}"))
}

/// Fails with the first differences.
fn report(differ: &[String], of: usize) {
    assert!(
        differ.is_empty(),
        "{} of {of} differ:\n{}",
        differ.len(),
        differ[..differ.len().min(20)].join("\n")
    );
}
