//! `djhost ops lock`: pins the components of plugin directories.

use std::path::PathBuf;

use anyhow::Result;

use super::Plugins;
use crate::error::{UserError, exit};
use crate::term::counted;
use crate::wasm::lock_plugins;

/// Pin the components of plugin directories, so that a run with other ones is refused
///
/// Writes the digest of each component to `plugins.lock` in the directory.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LockArgs {
    /// Directory with operator components (*.wasm), searched recursively; may be given several
    /// times [default: those of DJHOST_PLUGINS]
    #[arg(long = "plugins", value_name = "DIR")]
    dirs: Vec<PathBuf>,
}

pub(crate) fn run(args: &LockArgs) -> Result<u8> {
    let dirs = Plugins {
        dirs: args.dirs.clone(),
        ..Plugins::default()
    }
    .given()?
    .dirs;
    if dirs.is_empty() {
        return Err(UserError::new("--plugins", "no directory is given")
            .hint("`djhost ops lock --plugins DIR`, or set DJHOST_PLUGINS")
            .into());
    }
    for dir in &dirs {
        let (path, count) = lock_plugins(dir)?;
        crate::cli::print(&format!(
            "{} pinned in {}\n",
            counted(count as u64, "component"),
            path.display()
        ))?;
    }
    Ok(exit::DONE)
}
