//! `SECURITY.md` says which test shows what: each of these tests is there.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The texts between backticks, with lines joined.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(|q| q.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// `a::{b, c}` as `a::b` and `a::c`.
fn spread(name: &str) -> Vec<String> {
    match name.split_once('{') {
        Some((path, names)) => names
            .trim_end_matches('}')
            .split(',')
            .map(|n| format!("{path}{}", n.trim()))
            .collect(),
        None => vec![name.to_owned()],
    }
}

/// The names of the tests of a file.
fn tests_of(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let after = text
        .split("#[test]")
        .skip(1)
        .filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
    after.map(|(name, _)| name.to_owned()).collect()
}

fn is_there(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let dir = PathBuf::from(ROOT).join("tests").join(parts[0]);
    let (module, test) = match parts[1..] {
        ["*"] => return dir.join("mod.rs").is_file(),
        [module, test] => (module, test),
        _ => return false,
    };
    let tests = tests_of(&dir.join(module).with_extension("rs"));
    match test.split_once('*') {
        Some((start, _)) => tests.iter().any(|t| t.starts_with(start)),
        None => tests.iter().any(|t| t == test),
    }
}

#[test]
fn the_tests_that_it_names_are_there() {
    let text = fs::read_to_string(Path::new(ROOT).join("SECURITY.md")).unwrap();
    let named = |name: &String| name.starts_with("sandbox::") || name.starts_with("hostile::");
    // `…` means the names of all tests of a program.
    let names: Vec<String> = quoted(&text)
        .iter()
        .flat_map(|q| spread(q))
        .filter(named)
        .filter(|n| !n.contains('…'))
        .collect();
    assert!(names.len() > 15, "only {names:?}");
    let missing: Vec<&String> = names.iter().filter(|name| !is_there(name)).collect();
    assert!(
        missing.is_empty(),
        "SECURITY.md names tests that are not there: {missing:?}"
    );
    assert!(!is_there("sandbox::answers::no_such_test") && !is_there("sandbox::nowhere::*"));
}
