//! A component: checked, compiled and linked.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::abi::v0_1::{self, OperatorPre};
use super::contract::{Descriptor, Limits};
use super::engine::Runtime;
use super::grants::Grants;
use super::instance::Bare;
use super::sandbox::Guest;
use super::{cache, inspect};
use crate::error::UserError;

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

    /// Whether its calls end at their time limit: all but the built-in packs, wherever they come from.
    pub fn is_interruptible(&self) -> bool {
        self.runtime.interruptible
    }
}

/// A component that is not loaded yet.
#[derive(Clone)]
pub(super) struct Found {
    /// Where it comes from.
    pub(super) source: Source,
    /// Its bytes.
    pub(super) bytes: Cow<'static, [u8]>,
    /// SHA-256 of these, in hex.
    pub(super) digest: String,
}

impl Found {
    pub(super) fn new(source: Source, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        let bytes = bytes.into();
        Self { source, digest: hex::encode(Sha256::digest(&bytes)), bytes }
    }
}

/// Compiles a component, or reads it from the cache, and asks it for its operators. `trusted` is one of the packs that come with djhost, whose
/// calls are not interrupted.
///
/// # Errors
/// The user's: not a component, another contract, no answer.
pub(super) fn load(found: Found, trusted: bool) -> Result<(Arc<LoadedComponent>, Vec<Descriptor>)> {
    let Found { source, bytes, digest } = found;
    let bytes = &bytes[..];
    let place = source.to_string();
    let inspected = inspect::inspect(bytes, &place)?;
    let runtime = if trusted { Runtime::trusted()? } else { Runtime::guarded()? };
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
