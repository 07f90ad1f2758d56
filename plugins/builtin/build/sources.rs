//! Where the sources of the packs are: beside this crate in a checkout, below `sources/` in the
//! archive of the published crate.
//!
//! Cargo puts no file from outside a crate into its archive, but it follows links. So `sources/`
//! links to the packs, to the SDK that they are written with, and to the workspace that has their
//! versions; their `Cargo.toml` is linked as `manifest.toml`, because cargo leaves out directories
//! with a manifest of their own.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The root of a workspace with `plugins/` and `sdk/rust`.
pub(crate) enum Sources {
    /// The checkout that this crate is in. Its files change.
    Checkout(PathBuf),
    /// A copy of what the archive has, made below the given directory.
    Archive(PathBuf),
}

impl Sources {
    /// Finds them. `out` is where the copy of an archive goes.
    pub(crate) fn find(out: &Path) -> Self {
        // Not that of compile time: a checkout may have been moved since.
        let here = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets this");
        let here = Path::new(&here);
        let checkout = here.ancestors().nth(2).filter(|root| {
            root.join("plugins/builtin").is_dir() && root.join("sdk/rust/Cargo.toml").is_file()
        });
        match checkout {
            Some(root) => Self::Checkout(root.to_owned()),
            None => {
                let root = out.join("sources");
                unpack(&here.join("sources"), &root).unwrap_or_else(|error| {
                    panic!("cannot copy the sources of the packs: {error}")
                });
                Self::Archive(root)
            }
        }
    }

    /// The root.
    pub(crate) fn root(&self) -> &Path {
        match self {
            Self::Checkout(root) | Self::Archive(root) => root,
        }
    }
}

/// Makes a workspace of the packs at `to`.
fn unpack(from: &Path, to: &Path) -> io::Result<()> {
    copy(from, to)?;
    let workspace = fs::read_to_string(from.join("workspace.toml"))?;
    fs::write(to.join("Cargo.toml"), packs_only(&workspace))?;
    fs::copy(from.join("workspace.lock"), to.join("Cargo.lock"))?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().expect("an entry has a name");
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if name == "manifest.toml" {
            let manifest = without_tests(&fs::read_to_string(&path)?);
            fs::write(to.join("Cargo.toml"), manifest)?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// A manifest without what tests need: the archive lacks crates of the host.
fn without_tests(manifest: &str) -> String {
    let mut kept = String::new();
    let mut in_tests = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_tests = line == "[dev-dependencies]";
        }
        if !in_tests {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// Of the manifest of the whole workspace what its members inherit, and members that are there.
fn packs_only(manifest: &str) -> String {
    let mut kept = String::from(
        "[workspace]\nresolver = \"3\"\nmembers = [\"sdk/rust\", \"plugins/*\"]\nexclude = [\"plugins/examples\"]\n\n",
    );
    let mut inherited = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inherited = line.starts_with("[workspace.");
        }
        if inherited {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}
