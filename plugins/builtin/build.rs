//! Builds the packs as components and puts them where `src/lib.rs` includes them.
//!
//! A separate cargo builds the packs for `wasm32-wasip2`, all in one call so that shared crates are
//! compiled once. It uses its own target directory, because the outer cargo holds the lock of the
//! other one while it waits.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[path = "build/guest.rs"]
mod guest;
#[path = "build/sources.rs"]
mod sources;

use guest::TARGET;
use sources::Sources;

include!("table.rs");

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=table.rs");
    require_target();
    let sources = Sources::find(&out);
    let plugins = sources.root().join("plugins");
    let target_dir = guest::target_dir(&out);
    build(sources.root(), &target_dir);
    let mut list = String::from("&[\n");
    for (pack, _) in PACKS {
        let component = guest::component(&target_dir, &format!("djhost-{pack}"));
        if let Sources::Checkout(_) = sources {
            replay_inputs(&plugins, pack, &component);
            publish(&plugins, pack, &component);
        }
        list += &format!(
            "    include_bytes!({:?}),\n",
            component.display().to_string()
        );
    }
    // Without the siblings (this crate alone, from a registry) the list is empty: the host then
    // runs only what `--plugins` names.
    list += "]\n";
    fs::write(out.join("packs.rs"), list).expect("OUT_DIR is writable");
    let list = examples(&plugins.join("examples"));
    fs::write(out.join("examples.rs"), list).expect("OUT_DIR is writable");
    if let Sources::Checkout(_) = sources {
        println!(
            "cargo::rerun-if-changed={}",
            plugins.join("examples").display()
        );
    }
}

/// Generates a list of the name and the text of each file in `plugins/examples`.
fn examples(dir: &Path) -> String {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
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

/// Builds all packs.
fn build(root: &Path, target_dir: &Path) {
    let mut cargo = guest::cargo_build(root, target_dir);
    cargo.arg("--lib").args(
        PACKS
            .iter()
            .flat_map(|(pack, _)| ["--package".to_owned(), format!("djhost-{pack}")]),
    );
    let status = cargo
        .status()
        .unwrap_or_else(|error| panic!("failed to start cargo for the operators: {error}"));
    assert!(
        status.success(),
        "failed to build the operators for {TARGET}; the messages are above"
    );
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
