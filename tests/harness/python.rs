//! Python packages to compare results with, each in its own environment in the target directory.
//!
//! They are installed on first use; a test whose package cannot be installed fails.
//! `DJHOST_TEST_VENVS` names another directory for the environments.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A Python package that a test needs.
pub(crate) struct Package {
    /// For messages, and for the name of the environment.
    pub(crate) name: &'static str,
    /// What pip installs.
    pub(crate) install: &'static [&'static str],
    /// Python code that runs once the package is installed.
    pub(crate) works: &'static str,
    /// Where tests of this crate may write: `CARGO_TARGET_TMPDIR`.
    pub(crate) dir: &'static str,
}

impl Package {
    /// The Python with the package. Fails the test if it cannot be installed.
    pub(crate) fn python(&self) -> PathBuf {
        self.installed().unwrap_or_else(|why| panic!("{why}"))
    }

    fn installed(&self) -> Result<PathBuf, String> {
        let name = self.name;
        let dir = std::env::var_os("DJHOST_TEST_VENVS")
            .map_or_else(|| PathBuf::from(self.dir), PathBuf::from);
        let venv = dir.join(format!("{name}-venv"));
        let python = venv.join("bin/python");
        let works = || run(Command::new(&python).args(["-c", self.works]));
        // Tests of one suite start at once: one of them installs, and the others wait for it.
        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let lock = File::create(dir.join(format!("{name}-venv.lock")))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|e| format!("{}: {e}", dir.display()))?;
        if works().is_ok() {
            return Ok(python);
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            .map_err(|e| format!("cannot make a Python environment: {e}"))?;
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet"])
            .args(self.install))
        .map_err(|e| format!("pip cannot install {name}: {e}"))?;
        works().map_err(|e| format!("{name} is installed and does not start: {e}"))?;
        drop(lock);
        Ok(python)
    }
}

/// Runs a command to its end; returns its output, or its error message.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{}: {e}", command.get_program().display()))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(stderr.into_owned())
    }
}
