//! Tokenizers trained by the `tokenizers` package return its tokens.

#[path = "../../../tests/harness/python.rs"]
mod python;

use djhost_models::huggingface::HfTokenizer;
use python::{Package, run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The version that Data-Juicer 1.6.1 uses with its transformers 4.57.1.
const PACKAGE: Package = Package {
    name: "tokenizers",
    install: &["tokenizers==0.22.2"],
    works: "import tokenizers",
    dir: env!("CARGO_TARGET_TMPDIR"),
};

#[test]
fn tokenizers_of_all_kinds_give_the_tokens_of_the_package() {
    let python = PACKAGE.python();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tokenizers-models");
    std::fs::create_dir_all(&dir).unwrap();
    let train = here.join("tests/train_tokenizers.py");
    run(Command::new(&python)
        .arg(train)
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
    let kinds = found["answers"].as_object().unwrap();
    assert_eq!(kinds.len(), 9);
    let mut differ = Vec::new();
    for (name, answers) in kinds {
        let tokenizer =
            HfTokenizer::open(&dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let ids: Vec<u32> = expected[0]
                .as_array()
                .unwrap()
                .iter()
                .map(|id| id.as_u64().unwrap() as u32)
                .collect();
            let got = tokenizer.encode(text).unwrap();
            let decoded = tokenizer.decode(&ids[..ids.len() / 2]).unwrap();
            if got != ids
                || Some(decoded.as_str()) != expected[1].as_str()
                || tokenizer.count(text).unwrap() != ids.len()
            {
                differ.push(format!(
                    "{name}: {} tokens, not {}, {decoded:.60?}: {text:.60?}",
                    got.len(),
                    ids.len()
                ));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {} differ:\n{}",
        differ.len(),
        kinds.len() * texts.len(),
        differ[..differ.len().min(30)].join("\n")
    );
}
