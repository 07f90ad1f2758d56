//! Which components a run compiles.

use std::fs;

use crate::harness::Case;

const RECIPE: &str = "process:\n  - text_length_filter: {min_len: 3}\n";
const INPUT: &str = "{\"text\":\"long enough\"}\n{\"text\":\"no\"}\n";

/// A case with a cache of compiled components of its own.
fn case() -> Case {
    let mut case = Case::with_input(INPUT);
    case.env.push(("DJHOST_CACHE_DIR".into(), case.path("cache").display().to_string()));
    case
}

/// How many components have been compiled.
fn compiled(case: &Case) -> usize {
    fs::read_dir(case.path("cache/components")).unwrap().count()
}

fn filters() -> djhost_builtin_ops::Pack {
    djhost_builtin_ops::packs().find(|pack| pack.operators.contains(&"text_length_filter")).unwrap()
}

#[test]
fn a_start_compiles_the_packs_of_the_recipe() {
    let case = case();
    case.run(RECIPE).ok();
    assert_eq!(compiled(&case), 1);
}

#[test]
fn a_copy_of_a_pack_is_the_pack() {
    let mut case = case();
    case.write("plugins/one.wasm", filters().component);
    case.write("plugins/two.wasm", djhost_builtin_ops::packs().find(|pack| pack.name == "selectors").unwrap().component);
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    let ran = case.run(RECIPE).ok();
    assert_eq!(ran.summary["components"][0]["source"], "plugins/one.wasm");
    assert_eq!(ran.summary["components"][0]["interruptible"], false);
    // The engine of the packs compiled it, and nothing else.
    case.args.clear();
    fs::remove_dir_all(case.path("work")).unwrap();
    case.run(RECIPE).ok();
    assert_eq!(compiled(&case), 1);
}

#[test]
fn a_plugin_that_replaces_an_operator_is_noted() {
    let mut case = case();
    let mut other = filters().component.to_vec();
    // A custom section at the end: another component with the same operators.
    other.extend([0, 3, 1, b'x', 0]);
    case.write("plugins/other.wasm", other);
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    let ran = case.run(RECIPE).ok();
    assert!(ran.stderr.contains("operator `text_length_filter` of plugins/other.wasm replaces the built-in one"), "{}", ran.stderr);
    assert_eq!(ran.summary["components"][0]["interruptible"], true);
    assert_eq!(compiled(&case), 1);
}
