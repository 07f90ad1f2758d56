//! What one use of an operator may see in addition to its batch and parameters. Without grants it
//! sees nothing.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::models::Lent;

/// A directory that a guest may read recursively. Links that lead out of it are refused when the
/// guest follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedDir {
    /// The path under which the guest opens it.
    pub guest: String,
    /// The directory, absolute.
    pub host: PathBuf,
    /// Its path with links resolved; None if it has none.
    pub leads_to: Option<PathBuf>,
    /// The part of the recipe that grants it, for messages; empty: another name of the one before.
    pub why: String,
}

/// A model that an operator may use through the host.
#[derive(Clone)]
pub struct GrantedModel {
    /// The parameter by which the guest opens it.
    pub parameter: String,
    /// Where it was fetched from, if it was; of the hub, at which commit.
    pub address: Option<String>,
    /// The model, shared with all others that use it.
    pub model: Arc<Lent>,
}

impl GrantedModel {
    /// Where the user has it: an address or a path.
    pub(crate) fn place(&self) -> String {
        match &self.address {
            Some(address) => address.clone(),
            None => self.model.path.display().to_string(),
        }
    }
}

impl PartialEq for GrantedModel {
    fn eq(&self, other: &Self) -> bool {
        self.parameter == other.parameter && self.model.digest == other.model.digest
    }
}

impl Eq for GrantedModel {}

impl fmt::Debug for GrantedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.parameter, self.place())
    }
}

/// All grants of one use of an operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Directories, each guest path once.
    pub dirs: Vec<GrantedDir>,
    /// Files and directories of the host that are granted by their content, absolute.
    pub sources: Vec<PathBuf>,
    /// Environment variables; the values may be secret.
    pub env: Vec<(String, String)>,
    /// Models, each parameter once, in the order of their names.
    pub models: Vec<GrantedModel>,
}

impl Grants {
    /// Adds a directory, unless its guest path is taken.
    pub fn add_dir(&mut self, guest: impl Into<String>, host: PathBuf, why: impl Into<String>) {
        let guest = guest.into();
        if !self.dirs.iter().any(|d| d.guest == guest) {
            self.dirs.push(GrantedDir {
                guest,
                leads_to: leads_to(&host),
                host,
                why: why.into(),
            });
        }
    }
}

/// Where `dir`, an absolute path, leads if it contains links.
fn leads_to(dir: &Path) -> Option<PathBuf> {
    let real = std::fs::canonicalize(dir).ok()?;
    // Links above the working directory surprise nobody.
    let here = std::env::current_dir().ok()?;
    let written = match dir.strip_prefix(&here) {
        Ok(below) => std::fs::canonicalize(&here).ok()?.join(below),
        Err(_) => dir.to_owned(),
    };
    // Only the system resolves `..`, so a path with it differs, too: showing where it leads does
    // no harm.
    (real != written).then_some(real)
}

impl fmt::Display for Grants {
    /// Everything but the values of variables, and models, which have lines of their own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leads = |d: &GrantedDir| match &d.leads_to {
            Some(real) => format!(
                ", which leads to `{}`",
                real.to_string_lossy().escape_debug()
            ),
            None => String::new(),
        };
        let dirs: Vec<String> = self
            .dirs
            .iter()
            .filter(|d| !d.why.is_empty())
            .map(|d| format!("`{}`{} ({})", d.guest.escape_debug(), leads(d), d.why))
            .collect();
        let env: Vec<String> = self
            .env
            .iter()
            .map(|(name, _)| format!("`{}`", name.escape_debug()))
            .collect();
        match (dirs.is_empty(), env.is_empty()) {
            (true, true) => f.write_str("no files, network or environment"),
            (false, true) => write!(f, "may read {}; no network or environment", dirs.join(", ")),
            (true, false) => write!(
                f,
                "sees the variables {}; no files or network",
                env.join(", ")
            ),
            (false, false) => write!(
                f,
                "may read {}; sees the variables {}; no network",
                dirs.join(", "),
                env.join(", ")
            ),
        }
    }
}
