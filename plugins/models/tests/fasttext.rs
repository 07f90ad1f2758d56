//! Models that the `fasttext` package trains give its labels and scores.
//!
//! It is installed only if `DJHOST_COMPAT` is set: `1` installs it and skips the test where that is not possible, `required` fails then. Once
//! installed it is used without being asked for.

use djhost_models::fasttext::{Model, Scratch};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn install(may_install: bool) -> Result<PathBuf, String> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fasttext-venv");
    let python = venv.join("bin/python");
    let works = || run(Command::new(&python).args(["-c", "import fasttext"]));
    if works().is_ok() {
        return Ok(python);
    }
    if !may_install {
        return Err("fastText is not installed; set `DJHOST_COMPAT=1` to install it into the target directory".to_owned());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).map_err(|e| format!("cannot make a Python environment: {e}"))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "fasttext-wheel"]))
        .map_err(|e| format!("pip cannot install fastText: {e}"))?;
    works().map_err(|e| format!("fastText is installed and does not start: {e}"))?;
    Ok(python)
}

#[test]
fn models_of_all_kinds_predict_what_fasttext_predicts() {
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
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fasttext-models");
    std::fs::create_dir_all(&dir).unwrap();
    run(Command::new(&python).arg(here.join("tests/train.py")).arg(here.join("../../tests/parity/fixture.jsonl")).arg(&dir)).unwrap();
    let found: Value = serde_json::from_str(&std::fs::read_to_string(dir.join("answers.json")).unwrap()).unwrap();
    let texts = found["texts"].as_array().unwrap();
    let models = found["answers"].as_object().unwrap();
    assert_eq!(models.len(), 32);
    let mut scratch = Scratch::default();
    let mut differ = Vec::new();
    for (name, answers) in models {
        let model = Model::open(dir.join(name).to_str().unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let got = model.predict(text.as_str().unwrap().as_bytes(), &mut scratch);
            let same = match (got, expected.as_array()) {
                (Some((label, score)), Some(e)) => {
                    let apart = (score - e[1].as_f64().unwrap()).abs();
                    // Two labels may be as likely to seven digits, which is what the sums of single precision are good for.
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
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), models.len() * texts.len(), differ[..differ.len().min(10)].join("\n"));
}
