//! Python, by componentize-py.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::alone::tests;
use crate::frame::{Install, Language, not_installed, repository, run, works};

pub(crate) static PYTHON: Language = Language { name: "Python", prefix: "python", build, built: OnceLock::new() };

fn build(dir: &Path, install: Install) -> Result<Vec<PathBuf>, String> {
    let sdk = repository("sdk/python");
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    let ready = || works(Command::new(&python).args(["-c", "import componentize_py"]));
    if !ready() {
        if install == Install::No {
            return Err(not_installed("componentize-py"));
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(sdk.join("requirements.txt")))?;
    }
    let component = dir.join("python_ops.wasm");
    let examples = ["alnum_filter.py", "split_mapper.py", "prefix_deduplicator.py"].map(|name| sdk.join("examples").join(name));
    run(Command::new(&python).args(["-m", "djhost_sdk", "build"]).args(examples).arg("-o").arg(&component).env("PYTHONPATH", &sdk))?;
    Ok(vec![component])
}

tests!(PYTHON);
