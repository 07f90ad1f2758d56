//! `language_id_score_filter` with models that the `fasttext` package has just trained, of every kind of loss and quantised, against what the
//! package itself predicts.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::data_juicer::run;

const PACKAGES: [&str; 2] = ["fasttext-wheel==0.9.2", "numpy<2"];

/// A Python with the package.
fn python(may_install: bool) -> Result<PathBuf, String> {
    let venv = std::env::var_os("DJHOST_FASTTEXT_VENV")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("fasttext-venv"), PathBuf::from);
    let python = venv.join("bin/python");
    let works = || run(Command::new(&python).args(["-c", "import fasttext"]));
    if works().is_ok() {
        return Ok(python);
    }
    if !may_install {
        return Err("fastText is not installed; set `DJHOST_COMPAT=1` to install it into the target directory".to_owned());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).map_err(|e| format!("cannot make a Python environment: {e}"))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))
        .map_err(|e| format!("pip cannot install fastText: {e}"))?;
    works().map_err(|e| format!("fastText is installed and does not start: {e}"))?;
    Ok(python)
}

#[test]
fn fasttext_models_predict_what_fasttext_predicts() {
    let wish = std::env::var("DJHOST_COMPAT").unwrap_or_default();
    let python = match python(!wish.is_empty()) {
        Ok(python) => python,
        Err(why) if wish == "required" => panic!("{why}"),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "skipped: {why}");
            return;
        }
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let dir = tempfile::tempdir().unwrap();
    let mut train = Command::new(python);
    train.arg(here.join("compat/fasttext_models.py")).arg(here.join("parity/fixture.jsonl")).arg(dir.path());
    run(&mut train).unwrap();
    let predictions: HashMap<String, Vec<(String, f64)>> =
        serde_json::from_slice(&fs::read(dir.path().join("predictions.json")).unwrap()).unwrap();
    assert_eq!(predictions.len(), 6);
    for (model, expected) in predictions {
        let recipe = format!(
            "dataset_path: texts.jsonl\nexport_path: out.jsonl\nkeep_stats_in_res_ds: true\nprocess:\n  - language_id_score_filter: {{model: \
             {model}, min_score: 0}}\n"
        );
        fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
        let mut job = Command::new(env!("CARGO_BIN_EXE_djhost"));
        job.args(["run", "recipe.yaml", "--quiet", "--fresh", "--work_dir", "work", "--job_id", "job"]).current_dir(dir.path());
        run(job.env("XDG_STATE_HOME", dir.path().join("state"))).unwrap();
        let out = fs::read_to_string(dir.path().join("out.jsonl")).unwrap();
        let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), expected.len(), "{model}");
        let answers: std::collections::BTreeSet<String> = expected.iter().map(|(lang, score)| format!("{lang} {score:.6}")).collect();
        assert!(answers.len() >= 50, "{model} knows {} answers only", answers.len());
        for (row, (lang, score)) in rows.iter().zip(&expected) {
            let stats = &row["__dj__stats__"];
            assert_eq!(stats["lang"].as_str(), Some(lang.as_str()), "{model}, row {}", row["n"]);
            assert!(
                (stats["lang_score"].as_f64().unwrap() - score).abs() < 1e-5,
                "{model}, row {}: {score}, not {}",
                row["n"],
                stats["lang_score"]
            );
        }
    }
}
