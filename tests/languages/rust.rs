//! Rust, by cargo.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::alone::tests;
use crate::frame::Language;
use crate::harness::guest;

pub(crate) static RUST: Language = Language {
    name: "Rust",
    prefix: "rust",
    build,
    built: OnceLock::new(),
};

/// Everything it needs is installed, or this test could not have been built.
fn build(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let built = guest::build("sdk/rust/examples", "djhost-rust-examples");
    let component = dir.join("rust_ops.wasm");
    std::fs::copy(&built, &component).map_err(|e| format!("{}: {e}", built.display()))?;
    Ok(vec![component])
}

tests!(RUST);
