//! What can be told of a component from its bytes, before anything of it is compiled or run.

use anyhow::Result;
use wasmparser::{Encoding, Parser, Payload};

use crate::error::UserError;

/// The interface whose version is the version of the contract that a component was built for.
const OPS: &str = "djhost:op/ops@";
/// The packages of WASI that operators may import.
const PACKAGES: [&str; 6] = ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];
/// The contract versions that this host runs.
pub(super) const SUPPORTED: &str = "0.1.x";

/// What a component asks for and offers.
#[derive(Debug, Clone)]
pub(super) struct Inspected {
    /// Version of the contract, for instance `0.1.0`.
    pub(super) wit_version: String,
    /// All imports at the top level.
    pub(super) imports: Vec<String>,
}

/// Reads the component's outer structure.
///
/// Errors (for the user, `place` being the file): not WebAssembly, a core module, not an operator, built for another contract version, an
/// import that the host does not have.
pub(super) fn inspect(bytes: &[u8], place: &str) -> Result<Inspected> {
    let bad = |message: String| UserError::new(place, message);
    if !bytes.starts_with(b"\0asm") {
        return Err(bad("this is not a WebAssembly file".into()).into());
    }
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0usize);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|e| bad(format!("this is not a valid WebAssembly component: {e}")))? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(bad("this is a core WebAssembly module, not a component".into())
                    .hint("build it for `wasm32-wasip2`, or wrap it with `wasm-tools component new`")
                    .into());
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(|e| bad(e.to_string()))?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(|e| bad(e.to_string()))?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    let Some(wit_version) = exports.iter().find_map(|e| e.strip_prefix(OPS)) else {
        let found = if exports.is_empty() { "nothing".to_owned() } else { format!("`{}`", exports.join("`, `")) };
        return Err(bad("this component is not a djhost operator".into())
            .hint(format!("it must export `{OPS}{SUPPORTED}`; it exports {found}"))
            .into());
    };
    if !wit_version.starts_with("0.1.") {
        return Err(bad(format!("this operator was built for version {wit_version} of the djhost contract"))
            .hint(format!("this djhost runs {SUPPORTED}; build the operator with a matching SDK, or use another djhost"))
            .into());
    }
    if let Some(import) = imports.iter().find(|i| !i.starts_with("wasi:") && !i.starts_with("djhost:op/types@0.1.")) {
        return Err(bad(format!("this operator imports `{import}`, which djhost does not have"))
            .hint("operators may import WASI 0.2 interfaces only")
            .into());
    }
    // All else of WASI's packages is linked; a version or interface that is not shows when the component is linked, by its name.
    if let Some(import) = imports.iter().find(|i| i.starts_with("wasi:") && !PACKAGES.iter().any(|p| i.starts_with(p))) {
        return Err(bad(format!("this operator imports `{import}`, which no grant gives"))
            .hint(format!(
                "operators may import of WASI 0.2 only `{}*`; files and variables come by `grants` in the recipe",
                PACKAGES.join("*`, `")
            ))
            .into());
    }
    Ok(Inspected { wit_version: wit_version.to_owned(), imports })
}
