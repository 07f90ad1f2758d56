//! Models trained by the `fasttext` package return its labels and scores.

#[path = "../../../tests/harness/python.rs"]
mod python;

use djhost_models::fasttext::{Model, Scratch};
use python::{Package, run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const PACKAGE: Package = Package {
    name: "fasttext",
    install: &["fasttext-wheel==0.9.2"],
    works: "import fasttext",
    dir: env!("CARGO_TARGET_TMPDIR"),
};

#[test]
fn models_of_all_kinds_predict_what_fasttext_predicts() {
    let python = PACKAGE.python();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fasttext-models");
    std::fs::create_dir_all(&dir).unwrap();
    run(Command::new(&python)
        .arg(here.join("tests/train.py"))
        .arg(here.join("../../tests/parity/fixture.jsonl"))
        .arg(&dir))
    .unwrap();
    let found: Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("answers.json")).unwrap()).unwrap();
    let texts = found["texts"].as_array().unwrap();
    let models = found["answers"].as_object().unwrap();
    assert_eq!(models.len(), 32);
    let mut scratch = Scratch::default();
    let mut differ = Vec::new();
    for (name, answers) in models {
        let model = Model::open(dir.join(name).to_str().unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let got = model.predict(text.as_str().unwrap().as_bytes(), &mut scratch);
            let same = match (got, expected.as_array()) {
                (Some((label, score)), Some(e)) => {
                    let apart = (score - e[1].as_f64().unwrap()).abs();
                    // Two labels may be equal to seven digits, which is the accuracy of sums in
                    // single precision.
                    apart < 1e-5 && (Some(label) == e[0].as_str() || apart < 1e-7 * score.max(0.1))
                }
                (None, None) => true,
                _ => false,
            };
            if !same {
                differ.push(format!("{name}: {got:?}, not {expected}: {text:.60}"));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {} differ:\n{}",
        differ.len(),
        models.len() * texts.len(),
        differ[..differ.len().min(10)].join("\n")
    );
}
