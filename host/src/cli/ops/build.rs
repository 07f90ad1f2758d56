//! `djhost ops build`: looks for the tools of a project's language and runs the project's build
//! script.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::new::{Language, PROJECT_FILE};
use crate::error::{UserError, UserErrors, exit};
use crate::wasm::{Registry, Replace, Source};

/// Build the component of a project that `djhost ops new` wrote
///
/// Says what is missing and how to install it. Set PYTHON to use another Python than the one in the
/// project's .venv. Exit codes: 1 if the language's tool fails, 2 if something is missing.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct BuildArgs {
    /// The project's directory
    #[arg(default_value = ".")]
    dir: PathBuf,
}

#[derive(Deserialize)]
struct Project {
    name: String,
    lang: String,
}

pub(crate) fn run(args: &BuildArgs) -> Result<u8> {
    let project = read(&args.dir)?;
    let language = Language::read(
        &project.lang,
        &args.dir.join(PROJECT_FILE).display().to_string(),
    )?;
    let tools = Tools {
        dir: &args.dir,
        language,
    };
    let missing = tools.missing();
    if !missing.is_empty() {
        return Err(UserErrors(missing).into());
    }
    let mut script = tools.command("bash");
    script.arg("build.sh");
    if tools.needs_python() {
        script.env("PYTHON", tools.python());
    }
    let status = script
        .stdin(Stdio::null())
        .status()
        .context("cannot run bash")?;
    if !status.success() {
        crate::cli::complain(&format!(
            "{}: build.sh ended with {status}; what the tools printed is above",
            args.dir.display()
        ));
        return Ok(exit::FAILED);
    }
    let component = args.dir.join(format!("{}.wasm", project.name));
    let size = std::fs::metadata(&component)
        .with_context(|| format!("build.sh made no {}", component.display()))?
        .len();
    let registry = Registry::load(std::slice::from_ref(&component), Replace::All)?;
    let mut out = format!("{}: {}\n", component.display(), crate::term::bytes(size));
    for e in registry
        .iter()
        .filter(|e| e.component.source == Source::File(component.clone()))
    {
        out += &format!(
            "  {} {}: {}\n",
            e.descriptor.kind.as_str(),
            e.descriptor.name,
            e.descriptor.summary
        );
    }
    crate::cli::print(&out)?;
    Ok(exit::DONE)
}

fn read(dir: &Path) -> Result<Project, UserError> {
    let path = dir.join(PROJECT_FILE);
    let place = path.display().to_string();
    let hint = "`djhost ops build DIR` builds projects that `djhost ops new` wrote";
    let text = std::fs::read_to_string(&path)
        .map_err(|error| UserError::new(&place, error.to_string()).hint(hint))?;
    let project: Project = serde_json::from_str(&text).map_err(|error| {
        UserError::new(&place, error.to_string())
            .hint("it says, for instance, {\"name\": \"my_words_filter\", \"lang\": \"python\"}")
    })?;
    // The name becomes part of a path.
    if project.name.contains(['/', '\\']) {
        return Err(UserError::new(
            place,
            format!("`{}` is not the name of an operator", project.name),
        ));
    }
    Ok(project)
}

/// Tools that are missing.
#[derive(Default)]
struct Missing(Vec<UserError>);

impl Missing {
    /// Adds `what` unless it is there; `how` says how to install it. Returns whether it is there.
    fn need(&mut self, is_there: bool, what: &str, how: &str) -> bool {
        if !is_there {
            self.0
                .push(UserError::new("", format!("{what} is missing")).hint(how));
        }
        is_there
    }
}

/// The tools of a language as a project sees them.
struct Tools<'a> {
    dir: &'a Path,
    language: Language,
}

impl Tools<'_> {
    /// Returns what is missing, each with the command that installs it.
    fn missing(&self) -> Vec<UserError> {
        let mut missing = Missing::default();
        missing.need(
            self.works("bash", &["-c", ":"]),
            "bash, which runs build.sh,",
            "install it with the system's package manager",
        );
        let setup = format!("in {}: {}", self.dir.display(), self.language.setup());
        match self.language {
            Language::Rust => self.check_rust(&mut missing, &setup),
            Language::JavaScript | Language::TypeScript => self.check_node(&mut missing, &setup),
            Language::Python | Language::C | Language::Cpp | Language::Zig => {
                self.check_python(&mut missing, &setup);
            }
        }
        missing.0
    }

    fn check_rust(&self, missing: &mut Missing, setup: &str) {
        if missing.need(
            self.works("cargo", &["--version"]),
            "cargo",
            "install Rust: https://rustup.rs",
        ) {
            let target = self.prints(
                "rustc",
                &["--print", "target-libdir", "--target", "wasm32-wasip2"],
            );
            let there = target.is_some_and(|dir| Path::new(dir.trim()).is_dir());
            missing.need(there, "Rust's target wasm32-wasip2", setup);
        }
    }

    fn check_node(&self, missing: &mut Missing, setup: &str) {
        let version = self.prints("node", &["--version"]);
        let major = version.as_deref().and_then(|v| {
            v.trim()
                .trim_start_matches('v')
                .split('.')
                .next()?
                .parse::<u32>()
                .ok()
        });
        if missing.need(
            major.is_some_and(|v| v >= 20),
            "Node 20 or later",
            "install it from https://nodejs.org",
        ) {
            let there = self.dir.join("node_modules/djhost-sdk").exists()
                && self.works("node", &["sdk/build.js", "--help"]);
            missing.need(there, "jco, the compiler for JavaScript,", setup);
        }
    }

    /// The tools for C, C++ and Zig are Python packages, too.
    fn check_python(&self, missing: &mut Missing, setup: &str) {
        let python = self.python();
        let recent = "import sys; sys.exit(sys.version_info < (3, 11))";
        if !missing.need(
            self.works(&python, &["-c", recent]),
            "Python 3.11 or later",
            "install it from https://python.org",
        ) {
            return;
        }
        let has = |module: &str| self.works(&python, &["-c", &format!("import {module}")]);
        if self.language == Language::Python {
            missing.need(
                has("componentize_py"),
                "componentize-py, the compiler for Python,",
                setup,
            );
        } else {
            missing.need(
                has("ziglang"),
                "ziglang, the compiler for C, C++ and Zig,",
                setup,
            );
            missing.need(
                self.works("wasm-tools", &["--version"]),
                "wasm-tools",
                setup,
            );
        }
    }

    fn needs_python(&self) -> bool {
        matches!(
            self.language,
            Language::Python | Language::C | Language::Cpp | Language::Zig
        )
    }

    /// Returns `PYTHON`, or else the project's Python, or else the system's.
    fn python(&self) -> String {
        let own = self.dir.join(".venv/bin/python");
        match std::env::var("PYTHON") {
            Ok(given) if !given.is_empty() => given,
            _ if own.is_file() => std::path::absolute(&own)
                .unwrap_or(own)
                .display()
                .to_string(),
            _ => "python3".into(),
        }
    }

    /// Returns a command that runs in the project. It also finds programs installed beside Python.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir);
        if let (true, Some(bin)) = (
            self.needs_python(),
            Path::new(&self.python())
                .parent()
                .filter(|p| p.is_absolute()),
        ) {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let paths = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path));
            command.env("PATH", std::env::join_paths(paths).unwrap_or(path.clone()));
        }
        // Variables that cargo sets for the program it runs would disturb the build of another
        // project.
        for name in [
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "CARGO_BUILD_TARGET",
        ] {
            command.env_remove(name);
        }
        command
    }

    fn prints(&self, program: &str, args: &[&str]) -> Option<String> {
        let output = self
            .command(program)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn works(&self, program: &str, args: &[&str]) -> bool {
        self.prints(program, args).is_some()
    }
}
