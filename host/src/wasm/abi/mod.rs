//! One module per version of the WIT contract. The host speaks the newest one, 0.2: its bindings,
//! and the translation between the guest's columns and Arrow's. A component of an older version is
//! called through a shim that moves columns from one version's records into the other's.

mod exports;
mod v0_1;
pub(crate) mod v0_2;

pub(crate) use exports::{Exports, Pre};
