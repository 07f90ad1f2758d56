//! C, C++ and Zig, by the Zig compiler from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use crate::alone::tests;
use crate::frame::{Language, repository, run, works};

pub(crate) static C: Language = Language {
    name: "C",
    prefix: "c",
    build: |dir| build(dir, "c"),
    built: OnceLock::new(),
};

pub(crate) static CPP: Language = Language {
    name: "C++",
    prefix: "cpp",
    build: |dir| build(dir, "cpp"),
    built: OnceLock::new(),
};

pub(crate) static ZIG: Language = Language {
    name: "Zig",
    prefix: "zig",
    build: |dir| build(dir, "zig"),
    built: OnceLock::new(),
};

/// The languages share the installed packages.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A virtual environment with the compiler and wasm-tools.
fn tools(dir: &Path) -> Result<PathBuf, String> {
    let venv = dir.with_file_name("zig-venv");
    let _guard = INSTALLING.lock().unwrap();
    let ready = || {
        works(Command::new(venv.join("bin/python")).args(["-m", "ziglang", "version"]))
            && works(Command::new(venv.join("bin/wasm-tools")).arg("--version"))
    };
    if !ready() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let pip = ["-m", "pip", "install", "--quiet", "-r"];
        run(Command::new(venv.join("bin/python"))
            .args(pip)
            .arg(repository("sdk/c/requirements.txt")))?;
    }
    Ok(venv)
}

fn build(dir: &Path, language: &str) -> Result<Vec<PathBuf>, String> {
    let venv = tools(dir)?;
    let path = format!(
        "{}:{}",
        venv.join("bin").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let sdk = repository("sdk").join(language);
    let mut components = Vec::new();
    for example in [
        "alnum_filter",
        "split_mapper",
        "prefix_deduplicator",
        "histogram_mapper",
        "fluency_filter",
    ] {
        let name = format!("{language}_{example}");
        let component = dir.join(format!("{name}.wasm"));
        let source = sdk.join(format!("examples/{name}.{language}"));
        run(Command::new(sdk.join("build.sh"))
            .arg(&component)
            .arg(source)
            .env("PATH", &path)
            .env("PYTHON", venv.join("bin/python")))?;
        components.push(component);
    }
    Ok(components)
}

mod c {
    super::tests!(super::C);
}

mod cpp {
    super::tests!(super::CPP);
}

mod zig {
    super::tests!(super::ZIG);
}
