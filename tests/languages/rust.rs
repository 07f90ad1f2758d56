//! Rust, by cargo.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::alone::tests;
use crate::frame::{Language, repository, run};

pub(crate) static RUST: Language = Language {
    name: "Rust",
    prefix: "rust",
    build,
    built: OnceLock::new(),
};

/// Everything it needs is installed, or this test could not have been built.
fn build(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([
            "build",
            "--release",
            "--quiet",
            "--target",
            "wasm32-wasip2",
            "--target-dir",
        ])
        .arg(dir);
    cargo
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_INCREMENTAL", "false");
    run(cargo.current_dir(repository("sdk/rust/examples")))?;
    let built = dir.join("wasm32-wasip2/release/djhost_rust_examples.wasm");
    let component = dir.join("rust_ops.wasm");
    std::fs::copy(&built, &component).map_err(|e| format!("{}: {e}", built.display()))?;
    Ok(vec![component])
}

tests!(RUST);
