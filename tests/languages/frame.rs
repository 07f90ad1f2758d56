//! What all languages share: directories, and running a tool.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::harness::Case;

/// An SDK with its examples.
pub(crate) struct Language {
    /// For messages.
    pub(crate) name: &'static str,
    /// Prefix of its operators' names: `python` for `python_alnum_filter`.
    pub(crate) prefix: &'static str,
    /// Installs the tools and builds the examples: one component or several, in the given
    /// directory, which is kept from run to run. The error says what is missing.
    pub(crate) build: fn(&Path) -> Result<Vec<PathBuf>, String>,
    /// The components, once they are built. Starts with `OnceLock::new()`.
    pub(crate) built: OnceLock<Result<Vec<PathBuf>, String>>,
}

impl Language {
    /// Its components. Fails the test if they cannot be built.
    pub(crate) fn components(&self) -> &[PathBuf] {
        let built = self.built.get_or_init(|| {
            let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join("languages")
                .join(self.prefix);
            std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
            (self.build)(&dir)
        });
        built
            .as_ref()
            .unwrap_or_else(|why| panic!("{}: {why}", self.name))
    }

    /// A case with this input whose `plugins` directory has the components of `languages`.
    pub(crate) fn case(languages: &[(&Self, &[PathBuf])], input: &str) -> Case {
        let mut case = Case::with_input(input);
        for (language, components) in languages {
            for (i, component) in components.iter().enumerate() {
                case.write(
                    &format!("plugins/{}_{i}.wasm", language.prefix),
                    std::fs::read(component).unwrap(),
                );
            }
        }
        case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
        case
    }
}

/// The services of the host that the operators of a component import, by operator: what `djhost ops list`
/// says.
pub(crate) fn imports(component: &Path) -> Vec<Value> {
    let dir = crate::harness::directory();
    std::fs::create_dir(dir.path().join("plugins")).unwrap();
    std::fs::copy(component, dir.path().join("plugins/alone.wasm")).unwrap();
    let listed = Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args([
            "ops",
            "list",
            "--json",
            "--pack",
            "alone.wasm",
            "--plugins",
            "plugins",
        ])
        .current_dir(dir.path())
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .output()
        .unwrap();
    let list: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert!(!list.is_empty(), "{listed:?}");
    list.into_iter().map(|op| op["imports"].clone()).collect()
}

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a command to its end. The error has the command and what it printed.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    // Variables that cargo sets for this test must not reach a tool that calls cargo or rustc.
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
    ] {
        command.env_remove(name);
    }
    let program = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let printed =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Err(format!(
        "{program} ended with {}: {}",
        output.status,
        printed.concat().trim()
    ))
}

/// Whether a command can be run and succeeds.
pub(crate) fn works(command: &mut Command) -> bool {
    run(command).is_ok()
}
