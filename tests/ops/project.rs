//! A project of `djhost ops new`, from creation to checked results. Also used by the tests of the
//! languages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A new project in a directory of its own.
pub(crate) struct Project {
    _parent: TempDir,
    pub(crate) dir: PathBuf,
    name: String,
    /// Environment variables for the build.
    pub(crate) env: Vec<(String, PathBuf)>,
}

/// `djhost ops …` in a directory.
pub(crate) fn djhost(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .arg("ops")
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null());
    command.env(
        "DJHOST_CACHE_DIR",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
    );
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
        "PYTHON",
    ] {
        command.env_remove(name);
    }
    command
}

fn good(output: Output) -> String {
    let printed =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        printed.concat()
    );
    String::from_utf8(output.stdout).unwrap()
}

impl Project {
    /// Written by `ops new`.
    pub(crate) fn new(language: &str, kind: &str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let name = format!("{language}_new_{kind}");
        good(
            djhost(
                parent.path(),
                &["new", &name, "--lang", language, "--kind", kind],
            )
            .output()
            .unwrap(),
        );
        let dir = parent.path().join(&name);
        for file in [
            "README.md",
            "build.sh",
            "test/input.jsonl",
            "test/expected.jsonl",
        ] {
            assert!(fs::metadata(dir.join(file)).unwrap().len() > 0, "{file}");
        }
        assert!(
            !fs::read_to_string(dir.join("README.md"))
                .unwrap()
                .contains('@'),
            "{language}: a placeholder was left"
        );
        Self {
            _parent: parent,
            dir,
            name,
            env: Vec::new(),
        }
    }

    /// `ops build` on it.
    pub(crate) fn build(&self) -> Output {
        djhost(&self.dir, &["build", "."])
            .envs(self.env.clone())
            .output()
            .unwrap()
    }

    /// Builds it; checks that the component keeps the contract and gives the project's expected
    /// results for its test data.
    pub(crate) fn builds_and_runs(&self) {
        let said = good(self.build());
        assert!(said.contains(&format!(" {}: ", self.name)), "{said}");
        let component = format!("{}.wasm", self.name);
        good(djhost(&self.dir, &["check", &component]).output().unwrap());
        let input = fs::File::open(self.dir.join("test/input.jsonl")).unwrap();
        let ran = good(
            djhost(&self.dir, &["run", &component])
                .stdin(input)
                .output()
                .unwrap(),
        );
        assert_eq!(
            ran,
            fs::read_to_string(self.dir.join("test/expected.jsonl")).unwrap(),
            "{}",
            self.name
        );
    }
}
