//! `djhost ops lock`

use std::path::PathBuf;

use anyhow::Result;

use crate::error::exit;
use crate::op::lock_plugins;

/// Pin the components of plugin directories: a run with other ones is refused
///
/// Writes `plugins.lock` with the digest of each component into the directory.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LockArgs {
    /// Directory with operator components (*.wasm), searched recursively; may be given several times
    #[arg(long = "plugins", value_name = "DIR", required = true)]
    dirs: Vec<PathBuf>,
}

pub(super) fn run(args: &LockArgs) -> Result<u8> {
    for dir in &args.dirs {
        let (path, count) = lock_plugins(dir)?;
        crate::cli::print(&format!("{count} components pinned in {}\n", path.display()))?;
    }
    Ok(exit::DONE)
}
