//! The services of the host that components may import, each an interface of its own: one table
//! has their names, what grants them, and how they are linked.
//!
//! All of them are linked for every component, as WASI is, and give nothing by themselves. An
//! operator of a plugin that imports one without a grant is refused while planning
//! (`plan/grants.rs`).

mod models;

use wasmtime::component::Linker;

use super::grants::Grants;
use super::sandbox::Guest;

#[allow(unreachable_pub, reason = "the bindings export it again")]
pub use models::Handle;

/// A service.
pub(crate) struct Service {
    /// What it gives, for messages: `models lent by the host`.
    pub(crate) gives: &'static str,
    /// The interface without the last part of its version, as components import it.
    pub(crate) import: &'static str,
    /// The key below `grants` of an op that lets it run with the service, whatever it is given.
    pub(crate) grant: &'static str,
    /// What the recipe's owner can do to give it something of the service.
    pub(crate) how: &'static str,
    /// Whether an op has been given something of it.
    pub(crate) is_given: fn(&Grants) -> bool,
    link: fn(&mut Linker<Guest>) -> wasmtime::Result<()>,
}

/// All services.
pub(crate) const SERVICES: &[Service] = &[Service {
    gives: "models that the host lends",
    import: "djhost:op/models@0.2.",
    grant: "models",
    how: "name the model in a parameter that takes one",
    is_given: |grants| !grants.models.is_empty(),
    link: models::link,
}];

/// The service that `import` names.
pub(crate) fn service(import: &str) -> Option<&'static Service> {
    SERVICES
        .iter()
        .find(|service| import.starts_with(service.import))
}

/// Links all services.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    SERVICES
        .iter()
        .try_for_each(|service| (service.link)(linker))
}
