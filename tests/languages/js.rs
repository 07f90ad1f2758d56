//! JavaScript and TypeScript, by jco.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use crate::alone::tests;
use crate::frame::{Language, imports, repository, run, works};
use crate::shapes;

pub(crate) static JAVASCRIPT: Language = Language {
    name: "JavaScript",
    prefix: "js",
    build: |dir| build(dir, "js"),
    built: OnceLock::new(),
};

pub(crate) static TYPESCRIPT: Language = Language {
    name: "TypeScript",
    prefix: "ts",
    build: |dir| build(dir, "ts"),
    built: OnceLock::new(),
};

/// Both languages share the installed packages.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A copy of the SDK with its npm packages, so that the repository stays unchanged.
fn project(dir: &Path) -> Result<PathBuf, String> {
    let project = dir.with_file_name("npm");
    let _guard = INSTALLING.lock().unwrap();
    std::fs::create_dir_all(&project).map_err(|e| e.to_string())?;
    run(Command::new("cp")
        .arg("-R")
        .arg(repository("sdk/js/."))
        .arg(&project))?;
    if !works(
        Command::new("node")
            .arg(project.join("build.js"))
            .arg("--help"),
    ) {
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&project))?;
    }
    Ok(project)
}

fn build(dir: &Path, language: &str) -> Result<Vec<PathBuf>, String> {
    let project = project(dir)?;
    let component = dir.join("ops.wasm");
    let examples = project.join(format!("examples/{language}/ops.{language}"));
    run(Command::new("node")
        .arg(project.join("build.js"))
        .arg(examples)
        .arg("-o")
        .arg(&component))?;
    Ok(vec![component])
}

#[test]
fn every_type_and_every_failure_crosses() {
    let component = TYPESCRIPT.shapes();
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages/npm");
    // Next to the examples, so that it finds the SDK.
    let source = project.join("examples/ts/all_types.ts");
    std::fs::copy(repository("tests/languages/shapes/all_types.ts"), &source).unwrap();
    run(Command::new("node")
        .arg(project.join("build.js"))
        .arg(source)
        .arg("-o")
        .arg(&component))
    .unwrap();
    shapes::check("ts", component);
}

#[test]
fn only_operators_that_ask_for_models_import_them() {
    let all = &JAVASCRIPT.components()[0];
    let models = serde_json::json!(["djhost:op/models@0.2.0"]);
    assert!(imports(all).iter().all(|of_op| *of_op == models));
    let alone = all.with_file_name("alone.wasm");
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages/npm");
    let source = project.join("examples/js/alone.js");
    let module = "import { component } from \"djhost-sdk\";\nimport { alnumFilter } from \"./alnum_filter.js\";\n";
    std::fs::write(
        &source,
        format!("{module}export const ops = component(alnumFilter);\n"),
    )
    .unwrap();
    run(Command::new("node")
        .arg(project.join("build.js"))
        .arg(source)
        .arg("-o")
        .arg(&alone))
    .unwrap();
    assert_eq!(imports(&alone), [serde_json::json!([])]);
}

/// Including its types: `npm test` begins with the TypeScript compiler.
#[test]
fn the_sdks_own_tests_pass() {
    JAVASCRIPT.components();
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages/npm");
    run(Command::new("npm")
        .args(["test", "--silent"])
        .current_dir(project))
    .unwrap();
}

mod javascript {
    super::tests!(super::JAVASCRIPT);
}

mod typescript {
    super::tests!(super::TYPESCRIPT);
}
