//! Components that tests build: beside the packs, so that the tools that they share are there
//! already, but without the packs' optimisation of the whole program, as a plain `cargo build` makes
//! them.

use std::path::{Path, PathBuf};

#[path = "../../plugins/builtin/build/guest.rs"]
mod packs;

/// Where all are built.
fn target_dir() -> PathBuf {
    packs::target_dir(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// Builds the package `name` of the repository, in `dir`, with the versions of its lock file; gives
/// its component.
pub(crate) fn build(dir: &str, name: &str) -> PathBuf {
    let target_dir = target_dir();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let output = packs::cargo_build(&dir, &target_dir)
        .args(["--locked", "--quiet"])
        .env("CARGO_PROFILE_RELEASE_LTO", "false")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cannot build {}: {}",
        dir.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    packs::component(&target_dir, name)
}

/// For the cargo of a project: where and how packs are built, so that the dependencies of the SDK are
/// there already.
pub(crate) fn beside_the_packs() -> Vec<(String, PathBuf)> {
    vec![
        ("CARGO_TARGET_DIR".into(), target_dir()),
        ("RUSTFLAGS".into(), packs::rust_flags().into()),
    ]
}
