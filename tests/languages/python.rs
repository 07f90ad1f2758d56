//! Python, by componentize-py.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::alone::tests;
use crate::frame::{Language, imports, repository, run, works};
use crate::shapes;

pub(crate) static PYTHON: Language = Language {
    name: "Python",
    prefix: "python",
    build,
    built: OnceLock::new(),
};

fn build(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let sdk = repository("sdk/python");
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    let ready = || works(Command::new(&python).args(["-c", "import componentize_py"]));
    if !ready() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "-r"])
            .arg(sdk.join("requirements.txt")))?;
    }
    let component = dir.join("python_ops.wasm");
    let examples = [
        "alnum_filter.py",
        "split_mapper.py",
        "prefix_deduplicator.py",
        "histogram_mapper.py",
        "fluency_filter.py",
    ]
    .map(|name| sdk.join("examples").join(name));
    run(Command::new(&python)
        .args(["-m", "djhost_sdk", "build"])
        .args(examples)
        .arg("-o")
        .arg(&component)
        .env("PYTHONPATH", &sdk))?;
    Ok(vec![component])
}

tests!(PYTHON);

#[test]
fn every_type_and_every_failure_crosses() {
    let component = PYTHON.shapes();
    let python = component.with_file_name("venv").join("bin/python");
    let source = repository("tests/languages/shapes/all_types.py");
    let mut command = Command::new(python);
    run(command
        .args(["-m", "djhost_sdk", "build"])
        .arg(source)
        .arg("-o")
        .arg(&component)
        .env("PYTHONPATH", repository("sdk/python")))
    .unwrap();
    shapes::check("python", component);
}

/// What a component imports its recipe must grant: one whose operators ask for no model has no import of
/// them.
#[test]
fn only_operators_that_ask_for_models_import_them() {
    let all = &PYTHON.components()[0];
    let models = serde_json::json!(["djhost:op/models@0.2.0"]);
    assert!(imports(all).iter().all(|of_op| *of_op == models));
    let alone = all.with_file_name("alone.wasm");
    let python = all.with_file_name("venv").join("bin/python");
    run(Command::new(python)
        .args(["-m", "djhost_sdk", "build"])
        .arg(repository("sdk/python/examples/alnum_filter.py"))
        .arg("-o")
        .arg(&alone)
        .env("PYTHONPATH", repository("sdk/python")))
    .unwrap();
    assert_eq!(imports(&alone), [serde_json::json!([])]);
}

/// They need only Python itself.
#[test]
fn the_sdks_own_tests_pass() {
    run(Command::new("python3")
        .args(["-m", "unittest", "discover", "-s", "tests"])
        .current_dir(repository("sdk/python")))
    .unwrap();
}
