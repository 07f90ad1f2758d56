//! Models trained by the `sentencepiece` package return its pieces.

#[path = "../../../tests/harness/python.rs"]
mod python;

use djhost_sentencepiece::SentencePiece;
use python::{Package, run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const PACKAGE: Package = Package {
    name: "sentencepiece",
    install: &["sentencepiece==0.2.3", "protobuf"],
    works: "from sentencepiece import sentencepiece_model_pb2",
    dir: env!("CARGO_TARGET_TMPDIR"),
};

#[test]
fn models_of_all_kinds_give_the_pieces_of_sentencepiece() {
    let python = PACKAGE.python();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sentencepiece-models");
    std::fs::create_dir_all(&dir).unwrap();
    run(Command::new(&python)
        .arg(here.join("tests/train.py"))
        .arg(here.join("../../tests/parity/fixture.jsonl"))
        .arg(&dir))
    .unwrap();
    let found: Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("answers.json")).unwrap()).unwrap();
    let texts: Vec<&str> = found["texts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    let models = found["answers"].as_object().unwrap();
    assert_eq!(models.len(), 28);
    let (mut differ, mut pieces) = (Vec::new(), 0);
    for (name, answers) in models {
        let mut model = SentencePiece::open(dir.join(name).to_str().unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let expected: Vec<&str> = expected
                .as_array()
                .unwrap()
                .iter()
                .map(|piece| piece.as_str().unwrap())
                .collect();
            let mut got = Vec::new();
            model
                .pieces(text, |piece| got.push(piece.to_owned()))
                .unwrap();
            pieces += got.len();
            if got != expected {
                let at = got
                    .iter()
                    .zip(&expected)
                    .position(|(a, b)| a != b)
                    .unwrap_or(got.len().min(expected.len()));
                let around = |pieces: &[String]| {
                    format!(
                        "{:?}",
                        &pieces[at.saturating_sub(2)..(at + 4).min(pieces.len())]
                    )
                };
                let expected: Vec<String> = expected.iter().map(|&piece| piece.into()).collect();
                differ.push(format!(
                    "{name}: piece {at}: {}, not {}: {text:.60?}",
                    around(&got),
                    around(&expected)
                ));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {} differ:\n{}",
        differ.len(),
        models.len() * texts.len(),
        differ[..differ.len().min(30)].join("\n")
    );
    println!("{pieces} pieces of {} models", models.len());
}
