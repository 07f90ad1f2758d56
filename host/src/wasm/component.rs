//! Loads a component: checks, compiles and links it.

use std::borrow::Cow;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::abi::Pre;
use super::cache;
use super::compile::compile;
use super::contract::{Descriptor, Limits};
use super::engine::Runtime;
use super::grants::Grants;
use super::inspect::{Inspected, inspect};
use super::instance::Bare;
use super::services::service;
use crate::error::UserError;
use crate::rundir::own_files::open_regular;

/// Largest component in bytes; an interpreter with its library has about ten million.
const MAX_COMPONENT: u64 = 512 << 20;

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

/// A component that was checked, compiled and linked.
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
    comes_with_djhost: bool,
    runtime: Arc<Runtime>,
    pre: Pre,
}

impl LoadedComponent {
    pub(crate) fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    pub(crate) fn pre(&self) -> &Pre {
        &self.pre
    }

    /// The services of the host that it imports.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.imports
            .iter()
            .map(String::as_str)
            .filter(|import| service(import).is_some())
    }

    /// Whether it is a built-in pack, wherever it comes from.
    pub(crate) fn comes_with_djhost(&self) -> bool {
        self.comes_with_djhost
    }

    /// Whether its calls end at their time limit. True for all but most of the built-in packs.
    pub fn is_interruptible(&self) -> bool {
        self.runtime.interruptible
    }
}

/// A component before loading.
#[derive(Clone)]
pub(crate) struct Found {
    /// Where it comes from.
    pub(crate) source: Source,
    /// SHA-256 of its bytes, in hex.
    pub(crate) digest: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// The pack that it is, if it comes with djhost.
    pack: Option<&'static str>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    /// Embedded in the program.
    Embedded(&'static [u8]),
    File(PathBuf),
}

impl Found {
    /// A pack embedded in the program.
    pub(crate) fn embedded(name: &'static str, bytes: &'static [u8]) -> Self {
        Self {
            pack: Some(name),
            source: Source::Builtin(name.into()),
            digest: hex::encode(Sha256::digest(bytes)),
            size: bytes.len() as u64,
            content: Content::Embedded(bytes),
        }
    }

    /// A file that contained `bytes` when it was examined. Does not keep them, since there may be
    /// many files: reads them again if it must compile.
    pub(crate) fn file(path: PathBuf, bytes: &[u8]) -> Self {
        let content = Content::File(path.clone());
        Self {
            pack: None,
            source: Source::File(path),
            digest: hex::encode(Sha256::digest(bytes)),
            size: bytes.len() as u64,
            content,
        }
    }

    /// The same component under another source.
    pub(crate) fn named(self, source: Source) -> Self {
        Self { source, ..self }
    }

    /// Returns its bytes, after checking them against the digest.
    fn bytes(&self) -> Result<Cow<'static, [u8]>, UserError> {
        match &self.content {
            Content::Embedded(bytes) => Ok(Cow::Borrowed(*bytes)),
            Content::File(path) => {
                let bytes = read_file(path)?;
                if hex::encode(Sha256::digest(&bytes)) != self.digest {
                    return Err(UserError::new(
                        path.display().to_string(),
                        "this plugin changed while it was loaded",
                    )
                    .hint("try again"));
                }
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

/// The pack whose calls end at their time limit although it comes with djhost: the pages of a crawl are
/// made by anyone, and what one of them costs an extractor nobody knows.
const TIMED: &str = "html";

/// The result of loading: the component and its operators.
pub(crate) type Loaded = (Arc<LoadedComponent>, Vec<Descriptor>);

/// Compiles a component, or reads it from the cache, and asks it for its operators. `inspected` is
/// the result of an earlier inspection, if any. A pack that comes with djhost is compiled in this
/// process, and its calls are not interrupted, but for [`TIMED`].
///
/// # Errors
/// The user's: not a component, too much to compile, another contract, no answer.
pub(crate) fn load(found: Found, inspected: Option<Inspected>) -> Result<Loaded> {
    let place = found.source.to_string();
    let inspected = match inspected {
        Some(inspected) => inspected,
        None => inspect(&found.bytes()?, &place)?,
    };
    let runtime = match found.pack {
        Some(pack) if pack != TIMED => Runtime::trusted()?,
        _ => Runtime::guarded()?,
    };
    let user = |message: String| UserError::new(&place, message);
    let compile = || {
        let bytes = found.bytes()?;
        if found.pack.is_some() {
            Ok(runtime.engine.precompile_component(&bytes)?)
        } else {
            compile(&runtime.engine, &bytes)
        }
    };
    let component = cache::load(&runtime.engine, &found.digest, compile).map_err(|e| {
        match e.downcast::<UserError>() {
            Ok(error) => error,
            Err(error) => user(format!("this component cannot be compiled: {error:#}")),
        }
    })?;
    let pre = runtime
        .linker
        .instantiate_pre(&component)
        .and_then(|pre| Pre::new(pre, &inspected.wit_version))
        .map_err(|e| {
            user(format!(
                "this component does not fit the djhost contract {}: {e:#}",
                inspected.wit_version
            ))
        })?;
    let bare = Bare::new(
        &runtime,
        &pre,
        &place,
        Limits::LOADING,
        &Grants::default(),
        0,
    )
    .map_err(|e| user(format!("this component cannot be started: {e:#}")))?;
    let descriptors = bare
        .describe()
        .map_err(|e| user(format!("this component cannot be used: {e:#}")))?;
    let loaded = LoadedComponent {
        source: found.source,
        digest: found.digest,
        bytes: found.size,
        wit_version: inspected.wit_version,
        imports: inspected.imports,
        comes_with_djhost: found.pack.is_some(),
        runtime,
        pre,
    };
    Ok((Arc::new(loaded), descriptors))
}

/// Reads a component's file. Errors are the user's.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, UserError> {
    let place = || path.display().to_string();
    let wrong =
        |e: std::io::Error| UserError::new(place(), format!("this plugin cannot be read: {e}"));
    let too_large = |size: u64| {
        UserError::new(
            place(),
            format!("this plugin has {size} bytes; {MAX_COMPONENT} are allowed"),
        )
    };
    let file = open_regular(path).map_err(wrong)?;
    let size = file.metadata().map_err(wrong)?.len();
    if size > MAX_COMPONENT {
        return Err(too_large(size));
    }
    // It may grow during the read.
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(MAX_COMPONENT + 1)
        .read_to_end(&mut bytes)
        .map_err(wrong)?;
    if bytes.len() as u64 > MAX_COMPONENT {
        Err(too_large(bytes.len() as u64))
    } else {
        Ok(bytes)
    }
}
