//! Builds the sibling packs as components and puts them where `src/lib.rs` includes them.
//!
//! A separate cargo builds the packs for `wasm32-wasip2`, all in one call so that shared crates are
//! compiled once. It uses its own target directory, because the outer cargo holds the lock of the
//! other one while it waits.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";

include!("table.rs");

/// How guests are compiled, whatever the profile of the host. Measured: fat LTO and one codegen
/// unit for small components, SIMD for the kernels.
const PROFILE: [(&str, &str); 6] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "false"),
];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate has a parent")
        .to_owned();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=table.rs");
    let mut list = String::from("&[\n");
    if PACKS
        .iter()
        .all(|(pack, _)| plugins.join(pack).join("Cargo.toml").exists())
    {
        require_target();
        let built = build(&plugins, &out.join("guests"));
        for (pack, _) in PACKS {
            let component = built.join(format!("djhost_{}.wasm", pack.replace('-', "_")));
            replay_inputs(&plugins, pack, &component);
            publish(&plugins, pack, &component);
            list += &format!(
                "    include_bytes!({:?}),\n",
                component.display().to_string()
            );
        }
    }
    // Without the siblings (this crate alone, from a registry) the list is empty: the host then
    // runs only what `--plugins` names.
    list += "]\n";
    fs::write(out.join("packs.rs"), list).expect("OUT_DIR is writable");
    fs::write(out.join("examples.rs"), examples(&plugins.join("examples")))
        .expect("OUT_DIR is writable");
}

/// Generates a list of the name and the text of each file in `plugins/examples`.
fn examples(dir: &Path) -> String {
    println!("cargo::rerun-if-changed={}", dir.display());
    let Ok(entries) = fs::read_dir(dir) else {
        return "&[]\n".into();
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        list += &format!(
            "    ({name:?}, include_str!({:?})),\n",
            file.display().to_string()
        );
    }
    list + "]\n"
}

fn var(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// Adds the target if it is missing and rustup can.
fn require_target() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let installed = || {
        let output = Command::new(&rustc)
            .args(["--print", "target-libdir", "--target", TARGET])
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    };
    if installed().is_some_and(|dir| dir.exists()) {
        return;
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .status()
        .is_ok_and(|status| status.success());
    if !added || !installed().is_some_and(|dir| dir.exists()) {
        panic!(
            "the operators are built for {TARGET}, which is not installed; run:\n\n    rustup target add {TARGET}\n"
        );
    }
}

/// Builds all packs; returns the directory of the components.
fn build(plugins: &Path, target_dir: &Path) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([
            "build",
            "--release",
            "--lib",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(target_dir);
    cargo.current_dir(plugins.parent().expect("plugins/ has a parent"));
    cargo.args(
        PACKS
            .iter()
            .flat_map(|(pack, _)| ["--package".to_owned(), format!("djhost-{pack}")]),
    );
    // Variables that the outer cargo sets for the host must not reach the guests.
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
    ] {
        cargo.env_remove(name);
    }
    // Otherwise this machine's paths would get into panic messages, and the components would differ
    // from machine to machine.
    let cargo_home = env::var_os("CARGO_HOME")
        .map_or_else(|| Path::new(&var("HOME")).join(".cargo"), PathBuf::from);
    cargo.env(
        "RUSTFLAGS",
        format!(
            "-Ctarget-feature=+simd128 --remap-path-prefix={}=cargo",
            cargo_home.display()
        ),
    );
    cargo.envs(PROFILE);
    let status = cargo
        .status()
        .unwrap_or_else(|error| panic!("failed to start cargo for the operators: {error}"));
    assert!(
        status.success(),
        "failed to build the operators for {TARGET}; the messages are above"
    );
    target_dir.join(TARGET).join("release")
}

/// Tells cargo to rebuild when a source of the component changes.
fn replay_inputs(plugins: &Path, pack: &str, component: &Path) {
    let depends = fs::read_to_string(component.with_extension("d"))
        .expect("cargo writes a .d file beside each component");
    for line in depends.lines() {
        let Some((_, inputs)) = line.split_once(": ") else {
            continue;
        };
        // Spaces in paths are written as `\ `.
        for input in inputs.replace("\\ ", "\0").split_ascii_whitespace() {
            println!("cargo::rerun-if-changed={}", input.replace('\0', " "));
        }
    }
    let root = plugins.parent().expect("plugins/ has a parent");
    for manifest in [
        plugins.join(pack).join("Cargo.toml"),
        root.join("sdk/rust/Cargo.toml"),
        root.join("Cargo.toml"),
        root.join("Cargo.lock"),
    ] {
        println!("cargo::rerun-if-changed={}", manifest.display());
    }
}

/// Puts a copy into `plugins/dist/`, so that `--plugins plugins/` finds the components in a fresh
/// checkout. The next build restores a deleted copy.
fn publish(plugins: &Path, pack: &str, component: &Path) {
    let copy = plugins.join("dist").join(format!("{pack}.wasm"));
    let bytes = fs::read(component).expect("the component was just built");
    if fs::read(&copy).ok().as_deref() != Some(&bytes) {
        let written =
            fs::create_dir_all(plugins.join("dist")).and_then(|()| fs::write(&copy, bytes));
        // Cargo reruns this script if a watched file is newer than the script's last start, as a
        // file written now would be. So the copy gets the age of the pack's manifest.
        let aged = written.and_then(|()| {
            let age = fs::metadata(plugins.join(pack).join("Cargo.toml"))?.modified()?;
            fs::File::options()
                .write(true)
                .open(&copy)?
                .set_modified(age)
        });
        if let Err(error) = aged {
            println!(
                "cargo::warning=no copy of the operators in {}: {error}",
                copy.display()
            );
            return;
        }
    }
    println!("cargo::rerun-if-changed={}", copy.display());
}
