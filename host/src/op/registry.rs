//! All operators that a recipe may name: those embedded in the program, and those of the components in the plugin directories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::abi::v0_1::{self, OperatorPre};
use super::contract::{Descriptor, Limits};
use super::engine::Runtime;
use super::grants::Grants;
use super::instance::Bare;
use super::sandbox::Guest;
use super::{cache, inspect, pool::OpPool};
use crate::error::{UserError, did_you_mean};

/// Where a component comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Embedded in the program; the name of the pack.
    Builtin(String),
    /// A file.
    File(PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Builtin(name) => write!(f, "built-in {name}"),
            Source::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A component, checked, compiled and linked.
pub struct LoadedComponent {
    /// Where it comes from.
    pub source: Source,
    /// SHA-256 of its bytes, in hex.
    pub digest: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The contract version that it was built for.
    pub wit_version: String,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    runtime: Arc<Runtime>,
    pre: OperatorPre<Guest>,
}

impl LoadedComponent {
    pub(super) fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    pub(super) fn pre(&self) -> &OperatorPre<Guest> {
        &self.pre
    }

    /// Whether its calls end at their time limit: all but the built-in packs.
    pub fn is_interruptible(&self) -> bool {
        self.runtime.interruptible
    }
}

/// One operator that recipes may name.
#[derive(Clone)]
pub struct OpEntry {
    /// What it says of itself.
    pub descriptor: Descriptor,
    /// The component that has it.
    pub component: Arc<LoadedComponent>,
}

/// The operators by name.
#[derive(Default)]
pub struct Registry {
    ops: BTreeMap<String, OpEntry>,
    notes: Vec<String>,
}

impl Registry {
    /// Loads the built-in packs, then every `.wasm` file under `dirs` (recursively, in the order of their names). An operator of a file
    /// replaces a built-in one of the same name, with a note; two files with the same operator are an error.
    pub fn load(dirs: &[PathBuf]) -> Result<Self> {
        let mut wanted: Vec<(Source, Vec<u8>)> = Vec::new();
        for path in find_components(dirs)? {
            let size = std::fs::metadata(&path).map_or(0, |m| m.len());
            if size > MAX_COMPONENT {
                return Err(UserError::new(
                    path.display().to_string(),
                    format!("this plugin has {size} bytes; {MAX_COMPONENT} are allowed"),
                )
                .into());
            }
            let bytes =
                std::fs::read(&path).map_err(|e| UserError::new(path.display().to_string(), format!("this plugin cannot be read: {e}")))?;
            wanted.push((Source::File(path), bytes));
        }
        wanted.extend(builtin());
        // Compiling uses all cores; from the cache it is a read.
        let loaded: Vec<Result<(Arc<LoadedComponent>, Vec<Descriptor>)>> =
            wanted.into_par_iter().map(|(s, b)| load_component(s, &b)).collect();
        let mut registry = Self::default();
        let mut errors = Vec::new();
        for result in loaded {
            match result {
                Ok((component, descriptors)) => descriptors.into_iter().for_each(|d| {
                    errors.extend(registry.add(d, &component).err());
                }),
                Err(error) => match error.downcast::<UserError>() {
                    Ok(user) => errors.push(user),
                    Err(other) => return Err(other),
                },
            }
        }
        if errors.is_empty() { Ok(registry) } else { Err(crate::error::UserErrors(errors).into()) }
    }

    fn add(&mut self, descriptor: Descriptor, component: &Arc<LoadedComponent>) -> Result<(), UserError> {
        let name = descriptor.name.clone();
        // Files come first, built-ins last.
        if let Some(other) = self.ops.get(&name) {
            return match &component.source {
                Source::Builtin(_) => {
                    if other.component.digest != component.digest {
                        self.notes.push(format!("operator `{name}` of {} replaces the built-in one", other.component.source));
                    }
                    Ok(())
                }
                Source::File(path) if other.component.digest == component.digest => {
                    self.notes.push(format!("{} is the same component as {}", path.display(), other.component.source));
                    Ok(())
                }
                Source::File(path) => {
                    Err(UserError::new(path.display().to_string(), format!("operator `{name}` is also in {}", other.component.source))
                        .hint("remove one of the two, or name a narrower `--plugins` directory"))
                }
            };
        }
        self.ops.insert(name, OpEntry { descriptor, component: Arc::clone(component) });
        Ok(())
    }

    /// The operator called `name`; an unknown one is the user's error at `place`, with the nearest name.
    pub fn get(&self, name: &str, place: &str) -> Result<&OpEntry, UserError> {
        self.ops.get(name).ok_or_else(|| {
            let error = UserError::new(place, format!("there is no operator `{name}`"));
            match did_you_mean(name, self.ops.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`? `djhost ops list` shows all {}", self.ops.len())),
                None => error.hint(format!("`djhost ops list` shows all {}; more come with `--plugins DIR`", self.ops.len())),
            }
        })
    }

    /// All operators in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &OpEntry> {
        self.ops.values()
    }

    /// What the user should know of how the operators were found.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The pool of one use of an operator. `params` is the full object for `create`; see [`OpPool`].
    pub fn pool(
        &self,
        entry: &OpEntry,
        params: &serde_json::Map<String, serde_json::Value>,
        limits: Limits,
        grants: Grants,
        seed: u64,
        place: &str,
    ) -> Result<OpPool> {
        OpPool::new(Arc::clone(&entry.component), entry.descriptor.clone(), params, limits, grants, seed, place)
    }
}

fn load_component(source: Source, bytes: &[u8]) -> Result<(Arc<LoadedComponent>, Vec<Descriptor>)> {
    let place = source.to_string();
    let inspected = inspect::inspect(bytes, &place)?;
    let runtime = match source {
        Source::Builtin(_) => Runtime::trusted()?,
        Source::File(_) => Runtime::guarded()?,
    };
    let digest = hex(&Sha256::digest(bytes));
    let user = |message: String| UserError::new(&place, message);
    let component = cache::load(&runtime.engine, bytes, &digest).map_err(|e| user(format!("this component cannot be compiled: {e:#}")))?;
    let pre = runtime
        .linker
        .instantiate_pre(&component)
        .and_then(OperatorPre::new)
        .map_err(|e| user(format!("this component does not fit the djhost contract {}: {e:#}", inspected.wit_version)))?;
    let bare = Bare::new(&runtime, &pre, &place, Limits::LOADING, &Grants::default(), 0)
        .map_err(|e| user(format!("this component cannot be started: {e:#}")))?;
    let descriptors = bare.describe().map_err(|e| user(format!("this component cannot be used: {e:#}")))?;
    let descriptors = v0_1::describe(descriptors).map_err(user)?;
    let loaded = LoadedComponent {
        source,
        digest,
        bytes: bytes.len() as u64,
        wit_version: inspected.wit_version,
        imports: inspected.imports,
        runtime,
        pre,
    };
    Ok((Arc::new(loaded), descriptors))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(64), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

#[cfg(feature = "builtin-ops")]
fn builtin() -> impl Iterator<Item = (Source, Vec<u8>)> {
    djhost_builtin_ops::packs().iter().map(|p| (Source::Builtin(p.name.to_owned()), p.component.to_vec()))
}

#[cfg(not(feature = "builtin-ops"))]
fn builtin() -> impl Iterator<Item = (Source, Vec<u8>)> {
    std::iter::empty()
}

/// Bytes of a component; an interpreter with its library has some ten million.
const MAX_COMPONENT: u64 = 512 << 20;
/// Depth to which plugin directories are searched.
const MAX_DEPTH: usize = 8;

/// The `.wasm` files under `dirs`, in the order of their names; a file stands for itself.
pub(super) fn find_components(dirs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for dir in dirs {
        let place = || format!("--plugins {}", dir.display());
        let meta = std::fs::metadata(dir).map_err(|e| UserError::new(place(), format!("this directory cannot be read: {e}")))?;
        if meta.is_file() {
            found.push(dir.clone());
            continue;
        }
        let before = found.len();
        walk(dir, 0, &mut found).with_context(place)?;
        if found.len() == before {
            tracing::warn!("no `.wasm` file under {}", dir.display());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(dir).map_err(|e| UserError::new(dir.display().to_string(), format!("this directory cannot be read: {e}")))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let hidden = name.to_string_lossy().starts_with('.');
        // `target` holds what cargo makes on the way to a component: core modules and copies.
        let kind = entry.file_type()?;
        if kind.is_dir() && !hidden && name != "target" && name != "node_modules" && depth < MAX_DEPTH {
            walk(&path, depth + 1, found)?;
        } else if !hidden && path.extension().is_some_and(|e| e == "wasm") && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}
