//! A browser, and scripts that drive it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::python::{Package, run};

const PLAYWRIGHT: Package = Package {
    name: "playwright",
    install: &["playwright==1.65.2"],
    works: "import playwright.sync_api",
    dir: env!("CARGO_TARGET_TMPDIR"),
};

/// Names of Chromium, as distributions have it.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

fn on_path() -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).flat_map(|dir| NAMES.map(|name| dir.join(name)));
    let found = places.into_iter().find(|place| place.is_file())?;
    Some(found.display().to_string())
}

/// The program, or nothing for Playwright's own. Fails the test if there is none.
fn chromium(python: &Path) -> Option<String> {
    static FOUND: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let find = || {
        if let Some(found) = on_path() {
            return Some(found);
        }
        let install = run(Command::new(python).args([
            "-m",
            "playwright",
            "install",
            "--with-deps",
            "chromium",
        ]));
        let Err(why) = install else {
            return None;
        };
        let debian = run(Command::new("apt-get").args([
            "install",
            "--yes",
            "--no-install-recommends",
            "chromium",
        ]));
        match (on_path(), debian) {
            (Some(found), _) => Some(found),
            (None, debian) => panic!(
                "there is no Chromium, and none can be installed: {why}; {}",
                debian.err().unwrap_or_default()
            ),
        }
    };
    FOUND.get_or_init(find).clone()
}

/// Runs `drive.py` with a task; returns its answer.
pub(crate) fn drive(task: &Value) -> Value {
    let python = PLAYWRIGHT.python();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/drive.py");
    let mut task = task.clone();
    task["chromium"] = chromium(&python).into();
    let answer = run(Command::new(&python).arg(script).arg(task.to_string()));
    let answer = answer.unwrap_or_else(|why| panic!("{task}: {why}"));
    serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer}"))
}
