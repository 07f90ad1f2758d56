//! JavaScript and TypeScript, by jco.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use crate::alone::tests;
use crate::frame::{Install, Language, not_installed, repository, run, works};

pub(crate) static JAVASCRIPT: Language =
    Language { name: "JavaScript", prefix: "js", build: |dir, install| build(dir, install, "js"), built: OnceLock::new() };

pub(crate) static TYPESCRIPT: Language =
    Language { name: "TypeScript", prefix: "ts", build: |dir, install| build(dir, install, "ts"), built: OnceLock::new() };

/// Both languages share the installed packages.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A copy of the SDK with its npm packages, so that the repository stays as it is.
fn project(dir: &Path, install: Install) -> Result<PathBuf, String> {
    let project = dir.with_file_name("npm");
    let _guard = INSTALLING.lock().unwrap();
    std::fs::create_dir_all(&project).map_err(|e| e.to_string())?;
    run(Command::new("cp").arg("-R").arg(repository("sdk/js/.")).arg(&project))?;
    if !works(Command::new("node").arg(project.join("build.js")).arg("--help")) {
        if install == Install::No {
            return Err(not_installed("jco"));
        }
        run(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--silent"]).current_dir(&project))?;
    }
    Ok(project)
}

fn build(dir: &Path, install: Install, language: &str) -> Result<Vec<PathBuf>, String> {
    let project = project(dir, install)?;
    let component = dir.join("ops.wasm");
    let examples = project.join(format!("examples/{language}/ops.{language}"));
    run(Command::new("node").arg(project.join("build.js")).arg(examples).arg("-o").arg(&component))?;
    Ok(vec![component])
}

mod javascript {
    super::tests!(super::JAVASCRIPT);
}

mod typescript {
    super::tests!(super::TYPESCRIPT);
}
