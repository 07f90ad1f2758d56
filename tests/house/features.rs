//! What `cargo run` has compiled, `cargo test --workspace` uses again. Cargo compiles a package once for
//! each set of features, and with it all that depends on it: `num-traits` twice is Arrow and Parquet twice.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::Command;

/// Packages that the tests build with more features, and why that costs little: none but the workspace
/// depends on them.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("lzma-rust2", "the host only unpacks; tests pack"),
    (
        "xxhash-rust",
        "`djhost-dedup` has hashes that the host has not",
    ),
];

/// The sets of features with which cargo builds each package, by name and version. Those of the
/// workspace itself are left out: tests need more of them than users.
fn built(args: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "--prefix", "none", "-f", "{p}|{f}"])
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo tree {args:?} failed; `cargo fetch` may help:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let line = line.trim_end_matches(" (*)");
        let (package, features) = line.split_once('|').expect("the format has a bar");
        if !package.contains(env!("CARGO_MANIFEST_DIR")) {
            let sets = found.entry(package.to_owned()).or_default();
            sets.insert(features.to_owned());
        }
    }
    found
}

#[test]
fn builds_are_made_once() {
    let run = built(&["-e", "normal,build"]);
    let tests = built(&["-e", "normal,build,dev", "--workspace"]);
    let (mut seen, mut differ) = (0, BTreeMap::new());
    for (package, features) in &run {
        let Some(in_tests) = tests.get(package) else {
            continue;
        };
        seen += 1;
        // Tests may have more: build scripts and what runs can have other features.
        if !features.is_subset(in_tests) {
            let name = package.split(' ').next().unwrap_or_default();
            differ.insert(name, format!("{package}: {features:?} and {in_tests:?}"));
        }
    }
    assert!(seen > 300, "{seen} packages are in both builds");
    for (known, _) in EXCEPTIONS {
        assert!(
            differ.remove(known).is_some(),
            "{known} is built with the same features now: it is no exception"
        );
    }
    let differ: Vec<String> = differ.into_values().collect();
    assert!(
        differ.is_empty(),
        "`cargo run` and `cargo test --workspace` build these with other features, so twice, and all that depends on them; name them with the \
         features that are missing under \"Not used by name\" in Cargo.toml:\n{}",
        differ.join("\n")
    );
}
