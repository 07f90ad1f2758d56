//! How components are built: the packs by this crate's build script, and what tests build by
//! `tests/harness`. One directory and one set of flags, so that what they share is compiled once.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rust's name of what guests are.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// How guests are compiled, whatever the profile of the host. Measured: fat LTO and one codegen
/// unit for small components, SIMD for the kernels.
const PROFILE: [(&str, &str); 7] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "false"),
];

/// Where guests are built, in the target directory that `inside` (`OUT_DIR`,
/// `CARGO_TARGET_TMPDIR`) is in. Not that directory itself: the outer cargo holds its lock while it
/// waits for us.
pub(crate) fn target_dir(inside: &Path) -> PathBuf {
    inside
        .ancestors()
        .find(|dir| dir.join("CACHEDIR.TAG").exists())
        .unwrap_or(inside)
        .join("guests")
}

/// The component of the package `name` that a build in `target_dir` makes.
pub(crate) fn component(target_dir: &Path, name: &str) -> PathBuf {
    let file = format!("{}.wasm", name.replace('-', "_"));
    target_dir.join(TARGET).join("release").join(file)
}

/// `cargo build` for guests in the package or workspace at `dir`.
pub(crate) fn cargo_build(dir: &Path, target_dir: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--target", TARGET, "--target-dir"]);
    cargo.arg(target_dir).current_dir(dir);
    // What the outer cargo sets for the host must not reach the guests.
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
    ] {
        cargo.env_remove(name);
    }
    cargo.env("RUSTFLAGS", rust_flags()).envs(PROFILE);
    cargo
}

/// What cargo takes from `RUSTFLAGS`.
pub(crate) fn rust_flags() -> String {
    // Paths of this machine would get into panic messages, and make the components differ from
    // machine to machine.
    let cargo_home = env::var_os("CARGO_HOME").map_or_else(
        || Path::new(&env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    format!(
        "-Ctarget-feature=+simd128 --remap-path-prefix={}=cargo",
        cargo_home.display()
    )
}
