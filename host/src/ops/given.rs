//! Where operators come from.

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::Result;

use crate::config::{ENV_PREFIXES, Need, expand_home, resolve};
use crate::wasm::{Registry, Replace, check_dirs, fetch_remote};

/// Where operators come from, after the environment was taken into account.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Directories with components, or single components.
    pub(crate) dirs: Vec<PathBuf>,
    /// Where these were named.
    pub(crate) place: String,
    /// Operators of plugins that take the place of built-in ones.
    pub(crate) replace: Vec<String>,
    /// Directories with models.
    pub(crate) models: Vec<String>,
}

/// Returns what the environment says: `DJHOST_PLUGINS`, `DJHOST_ALLOW_OVERRIDE`,
/// `DJHOST_MODEL_DIR`.
pub(crate) fn given() -> Result<Given> {
    const KEYS: [&str; 3] = ["PLUGINS", "ALLOW_OVERRIDE", "MODEL_DIR"];
    let is_meant = |name: &OsStr| {
        ENV_PREFIXES.iter().any(|prefix| {
            KEYS.iter()
                .any(|key| name == OsStr::new(&format!("{prefix}{key}")))
        })
    };
    let variables = std::env::vars_os().filter(|(name, _)| is_meant(name));
    let resolved = resolve(None, variables, &[], Need::Anything)?;
    let (place, config) = (resolved.place("plugins"), resolved.config);
    Ok(Given {
        place,
        dirs: config.plugins.0.iter().map(PathBuf::from).collect(),
        replace: config.allow_override.0,
        models: config.model_dir.0,
    })
}

impl Given {
    /// Returns `dirs` and `replace`, each as named at `place`, or where one is empty what the
    /// environment says, as for a recipe. Fails if a directory cannot be read.
    pub fn new(dirs: &[PathBuf], replace: &[String], place: &str) -> Result<Self> {
        let mut given = given()?;
        if !dirs.is_empty() {
            // No shell puts the home directory into `--plugins=~/ops`.
            let expanded = |dir: &PathBuf| match dir.to_str() {
                Some(text) => PathBuf::from(&*expand_home(text)),
                None => dir.clone(),
            };
            given.dirs = dirs.iter().map(expanded).collect();
            place.clone_into(&mut given.place);
        }
        given.dirs = fetch_remote(&given.dirs, &given.place)?;
        check_dirs(&given.dirs, &given.place)?;
        if !replace.is_empty() {
            given.replace = replace.to_vec();
        }
        Ok(given)
    }

    /// Returns whether there are plugins.
    pub fn has_plugins(&self) -> bool {
        !self.dirs.is_empty()
    }

    /// Loads all operators.
    pub(crate) fn load_all(&self) -> Result<Registry> {
        Registry::load(&self.dirs, Replace::These(&self.replace))
    }

    /// Loads these operators, and others in the same components.
    pub(crate) fn load(&self, names: &[&str]) -> Result<Registry> {
        Registry::load_for(&self.dirs, Replace::These(&self.replace), names)
    }
}
