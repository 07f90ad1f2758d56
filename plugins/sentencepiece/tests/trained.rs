//! Models that the `sentencepiece` package trains give its pieces.
//!
//! It is installed only if `DJHOST_COMPAT` is set: `1` installs it and skips the test where that is not possible, `required` fails then. Once
//! installed it is used without being asked for.

use djhost_sentencepiece::SentencePiece;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn install(may_install: bool) -> Result<PathBuf, String> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sentencepiece-venv");
    let python = venv.join("bin/python");
    let works = || run(Command::new(&python).args(["-c", "from sentencepiece import sentencepiece_model_pb2"]));
    if works().is_ok() {
        return Ok(python);
    }
    if !may_install {
        return Err("sentencepiece is not installed; set `DJHOST_COMPAT=1` to install it into the target directory".to_owned());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).map_err(|e| format!("cannot make a Python environment: {e}"))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "sentencepiece==0.2.3", "protobuf"]))
        .map_err(|e| format!("pip cannot install sentencepiece: {e}"))?;
    works().map_err(|e| format!("sentencepiece is installed and does not start: {e}"))?;
    Ok(python)
}

#[test]
fn models_of_all_kinds_give_the_pieces_of_sentencepiece() {
    let wish = std::env::var("DJHOST_COMPAT").unwrap_or_default();
    let python = match install(!wish.is_empty()) {
        Ok(python) => python,
        Err(why) if wish == "required" => panic!("{why}"),
        Err(why) => {
            // Not captured by the test harness, as `eprintln!` would be.
            let _ = writeln!(std::io::stderr(), "skipped: {why}");
            return;
        }
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sentencepiece-models");
    std::fs::create_dir_all(&dir).unwrap();
    run(Command::new(&python).arg(here.join("tests/train.py")).arg(here.join("../../tests/parity/fixture.jsonl")).arg(&dir)).unwrap();
    let found: Value = serde_json::from_str(&std::fs::read_to_string(dir.join("answers.json")).unwrap()).unwrap();
    let texts: Vec<&str> = found["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let models = found["answers"].as_object().unwrap();
    assert_eq!(models.len(), 28);
    let (mut differ, mut pieces) = (Vec::new(), 0);
    for (name, answers) in models {
        let mut model = SentencePiece::open(dir.join(name).to_str().unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let expected: Vec<&str> = expected.as_array().unwrap().iter().map(|piece| piece.as_str().unwrap()).collect();
            let mut got = Vec::new();
            model.pieces(text, |piece| got.push(piece.to_owned())).unwrap();
            pieces += got.len();
            if got != expected {
                let at = got.iter().zip(&expected).position(|(a, b)| a != b).unwrap_or(got.len().min(expected.len()));
                let around = |pieces: &[String]| format!("{:?}", &pieces[at.saturating_sub(2)..(at + 4).min(pieces.len())]);
                let expected: Vec<String> = expected.iter().map(|&piece| piece.into()).collect();
                differ.push(format!("{name}: piece {at}: {}, not {}: {text:.60?}", around(&got), around(&expected)));
            }
        }
    }
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), models.len() * texts.len(), differ[..differ.len().min(30)].join("\n"));
    println!("{pieces} pieces of {} models", models.len());
}
