//! Examines a component's bytes before any of it is compiled or run.

use wasmparser::{Encoding, Parser, Payload};

use super::bounds::{Bounds, Refused};
use super::services::{SERVICES, service};
use crate::error::UserError;
use crate::sanitize::printable;

/// The interface whose version is the contract version that a component was built for.
const OPS: &str = "djhost:op/ops@";
/// The packages of WASI that operators may import.
const PACKAGES: [&str; 6] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];
/// The contract versions that this host runs.
pub(crate) const SUPPORTED: &str = "0.1.x and 0.2.x";
const VERSIONS: [&str; 2] = ["0.1.", "0.2."];

/// What a component imports and offers.
#[derive(Debug, Clone)]
pub(crate) struct Inspected {
    /// Version of the contract, for instance `0.2.0`.
    pub(crate) wit_version: String,
    /// All imports at the top level.
    pub(crate) imports: Vec<String>,
}

/// Bound of imports or exports at the top level. Components for `wasm32-wasip2` have some 30.
const MAX_NAMES: usize = 1_000;

/// Reads the component's structure: imports, exports, and the amount of code to compile.
///
/// Errors (for the user, `place` being the file): not WebAssembly, a core module, too much to
/// compile, not an operator, built for another contract version, an import that the host does not
/// have.
pub(crate) fn inspect(bytes: &[u8], place: &str) -> Result<Inspected, UserError> {
    let bad = |message: String| UserError::new(place, message);
    if !bytes.starts_with(b"\0asm") {
        return Err(bad("this is not a WebAssembly file".into()));
    }
    let invalid = |e: wasmparser::BinaryReaderError| {
        bad(format!("this is not a valid WebAssembly component: {e}"))
    };
    let (mut imports, mut exports, mut bounds) = (Vec::new(), Vec::new(), Bounds::default());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        bounds.see(&payload).map_err(|refused| match refused {
            Refused::Invalid(error) => invalid(error),
            Refused::TooLarge(what) => bad(format!("this component {what}")).hint(
                "it is not compiled, as that could take all memory and time: make it simpler",
            ),
        })?;
        match payload {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if bounds.depth() == 0 => {
                return Err(
                    bad("this is a core WebAssembly module, not a component".into()).hint(
                        "build it for `wasm32-wasip2`, or wrap it with `wasm-tools component new`",
                    ),
                );
            }
            Payload::ComponentImportSection(section) if bounds.depth() == 0 => {
                for import in section {
                    imports.push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if bounds.depth() == 0 => {
                for export in section {
                    exports.push(export.map_err(invalid)?.name.name.to_owned());
                }
            }
            _ => {}
        }
        if imports.len().max(exports.len()) > MAX_NAMES {
            return Err(bad(format!(
                "this component has more than {MAX_NAMES} imports or exports"
            )));
        }
    }
    let Some(wit_version) = exports.iter().find_map(|e| e.strip_prefix(OPS)) else {
        let found = if exports.is_empty() {
            "nothing".to_owned()
        } else {
            printable(&format!("`{}`", exports.join("`, `")))
        };
        return Err(
            bad("this component is not a djhost operator".into()).hint(format!(
                "it must export `{OPS}{}x`; it exports {found}",
                VERSIONS[1]
            )),
        );
    };
    if !VERSIONS
        .iter()
        .any(|version| wit_version.starts_with(version))
    {
        return Err(bad(format!("this operator was built for version {} of the djhost contract", printable(wit_version)))
            .hint(format!("this djhost runs {SUPPORTED}; build the operator with a matching SDK, or use another djhost")));
    }
    if let Some(import) = imports.iter().find(|i| !is_known(i)) {
        return Err(bad(format!(
            "this operator imports `{}`, which djhost does not have",
            printable(import)
        ))
        .hint(format!(
            "operators may import interfaces of WASI 0.2, and of the host `{}x`",
            SERVICES
                .iter()
                .map(|s| s.import)
                .collect::<Vec<_>>()
                .join("x`, `")
        )));
    }
    // The other WASI packages are linked. Linking the component names a version or interface that
    // is missing.
    if let Some(import) = imports
        .iter()
        .find(|i| i.starts_with("wasi:") && !PACKAGES.iter().any(|p| i.starts_with(p)))
    {
        return Err(bad(format!("this operator imports `{}`, which no grant gives", printable(import))).hint(format!(
            "operators may import of WASI 0.2 only `{}*`; files and variables come by `grants` in the recipe",
            PACKAGES.join("*`, `")
        )));
    }
    Ok(Inspected {
        wit_version: wit_version.to_owned(),
        imports,
    })
}

/// Whether it is a name of WASI or of the contract. Linking tells whether there is such an interface.
fn is_known(import: &str) -> bool {
    import.starts_with("wasi:")
        || VERSIONS.iter().any(|version| {
            let types = import.strip_prefix("djhost:op/types@");
            types.is_some_and(|of| of.starts_with(version))
        })
        || service(import).is_some()
}
