//! `djhost ops new` and `ops build`. `tests/languages` builds projects of all languages and kinds.

use std::fs;

use crate::harness::guest;
use crate::ops::project::{Project, djhost};
use crate::ops::text;

const KINDS: [&str; 4] = ["filter", "mapper", "deduplicator", "selector"];

/// One kind; `tests/languages` builds the others.
#[test]
fn a_project_in_rust_builds_and_runs_or_says_why_not() {
    let mut project = Project::new("rust", "filter");
    project.env = guest::beside_the_packs();
    let source = project.dir.join("src/lib.rs");
    let written = fs::read(&source).unwrap();
    fs::write(&source, "not Rust").unwrap();
    let ran = project.build();
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
    assert!(
        text(&ran.stderr).contains("build.sh ended with"),
        "{}",
        text(&ran.stderr)
    );
    fs::write(&source, written).unwrap();
    project.builds_and_runs();
}

#[test]
fn every_language_and_kind_is_written_or_refused_with_a_reason() {
    for language in ["rust", "python", "js", "ts", "c", "cpp", "zig"] {
        for kind in KINDS {
            if kind == "selector" && ["c", "cpp", "zig"].contains(&language) {
                let dir = tempfile::tempdir().unwrap();
                let ran = djhost(dir.path(), &["new", "a_selector", "--lang", language])
                    .output()
                    .unwrap();
                assert_eq!(ran.status.code(), Some(2));
                assert!(
                    text(&ran.stderr).contains("has no selectors"),
                    "{}",
                    text(&ran.stderr)
                );
                assert!(fs::read_dir(dir.path()).unwrap().next().is_none());
                continue;
            }
            let project = Project::new(language, kind);
            let contracts = ["wit/since-v0.1/op.wit", "wit/since-v0.2/op.wit"]
                .map(|path| fs::read(crate::ops::root().join(path)).unwrap());
            let places = ["sdk/wit".to_owned(), format!("sdk/{language}/wit")]
                .map(|place| project.dir.join(place).join("op.wit"));
            assert!(
                places
                    .iter()
                    .any(|place| fs::read(place).is_ok_and(|wit| contracts.contains(&wit))),
                "{language}: no interface"
            );
        }
    }
}

#[test]
fn mistakes_are_named_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("taken_filter")).unwrap();
    fs::write(dir.path().join("taken_filter/mine.txt"), "mine").unwrap();
    let cases: [(&[&str], &str); 8] = [
        (
            &["new", "Words-Filter", "--lang", "rust"],
            "did you mean `words_filter`?",
        ),
        (
            &["new", "words", "--lang", "rust"],
            "did you mean `words_filter`?",
        ),
        (
            &["new", "a_filter", "--lang", "pyhton"],
            "did you mean `python`?",
        ),
        (
            &["new", "a_filter", "--lang", "rust", "--kind", "maper"],
            "did you mean `mapper`?",
        ),
        (
            &["new", "a_filter", "--lang", "rust", "--kind", "mapper"],
            "name it `a_mapper`",
        ),
        (
            &["new", "text_length_filter", "--lang", "rust"],
            "there is a built-in operator",
        ),
        (
            &["new", "taken_filter", "--lang", "rust"],
            "nothing is overwritten",
        ),
        (&["build", "taken_filter"], "djhost-plugin.json"),
    ];
    for (args, part) in cases {
        let ran = djhost(dir.path(), args).output().unwrap();
        assert_eq!(
            ran.status.code(),
            Some(2),
            "{args:?}: {}",
            text(&ran.stderr)
        );
        assert!(
            text(&ran.stderr).contains(part),
            "`{part}` is not in: {}",
            text(&ran.stderr)
        );
    }
    let left: Vec<_> = fs::read_dir(dir.path().join("taken_filter"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(
        (left.len(), fs::read_dir(dir.path()).unwrap().count()),
        (1, 1),
        "{left:?}"
    );
}

#[test]
fn what_is_missing_is_named_with_the_command_that_installs_it() {
    // A directory without any tools but bash: everything else that the languages need is missing.
    let bin = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/bin/bash", bin.path().join("bash")).unwrap();
    let cases = [
        ("rust", "cargo is missing", "rustup.rs"),
        ("python", "Python 3.11 or later is missing", "python.org"),
        ("js", "Node 20 or later is missing", "nodejs.org"),
        ("zig", "Python 3.11 or later is missing", "python.org"),
    ];
    for (language, what, how) in cases {
        let ran = djhost(&Project::new(language, "filter").dir, &["build"])
            .env("PATH", bin.path())
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(2));
        let said = text(&ran.stderr);
        assert!(said.contains(what) && said.contains(how), "{said}");
    }
}
