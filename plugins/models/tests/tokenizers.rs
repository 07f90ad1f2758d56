//! Tokenizers that the `tokenizers` package trains give its tokens.
//!
//! It is installed only if `DJHOST_COMPAT` is set: `1` installs it and skips the test where that is not possible, `required` fails then. Once
//! installed it is used without being asked for.

use djhost_models::huggingface::HfTokenizer;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn install(may_install: bool) -> Result<PathBuf, String> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tokenizers-venv");
    let python = venv.join("bin/python");
    let works = || run(Command::new(&python).args(["-c", "import tokenizers"]));
    if works().is_ok() {
        return Ok(python);
    }
    if !may_install {
        return Err("tokenizers is not installed; set `DJHOST_COMPAT=1` to install it into the target directory".to_owned());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).map_err(|e| format!("cannot make a Python environment: {e}"))?;
    // The version that Data-Juicer 1.6.1 has with its transformers 4.57.1.
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "tokenizers==0.22.2"]))
        .map_err(|e| format!("pip cannot install tokenizers: {e}"))?;
    works().map_err(|e| format!("tokenizers is installed and does not start: {e}"))?;
    Ok(python)
}

#[test]
fn tokenizers_of_all_kinds_give_the_tokens_of_the_package() {
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
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tokenizers-models");
    std::fs::create_dir_all(&dir).unwrap();
    let train = here.join("tests/train_tokenizers.py");
    run(Command::new(&python).arg(train).arg(here.join("../../tests/parity/fixture.jsonl")).arg(&dir)).unwrap();
    let found: Value = serde_json::from_str(&std::fs::read_to_string(dir.join("answers.json")).unwrap()).unwrap();
    let texts: Vec<&str> = found["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let kinds = found["answers"].as_object().unwrap();
    assert_eq!(kinds.len(), 9);
    let mut differ = Vec::new();
    for (name, answers) in kinds {
        let tokenizer = HfTokenizer::open(&dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let ids: Vec<u32> = expected[0].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
            let got = tokenizer.encode(text).unwrap();
            let decoded = tokenizer.decode(&ids[..ids.len() / 2]).unwrap();
            if got != ids || Some(decoded.as_str()) != expected[1].as_str() || tokenizer.count(text).unwrap() != ids.len() {
                differ.push(format!("{name}: {} tokens, not {}, {decoded:.60?}: {text:.60?}", got.len(), ids.len()));
            }
        }
    }
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), kinds.len() * texts.len(), differ[..differ.len().min(30)].join("\n"));
}
