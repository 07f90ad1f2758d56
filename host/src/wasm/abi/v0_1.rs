//! Contract 0.1: the bindings, and the translation of every record to the host's own types, with
//! every field checked.

mod from_guest;
mod to_guest;

wasmtime::component::bindgen!({ path: "wit/since-v0.1", world: "operator" });

pub(crate) use self::djhost::op::types;
pub(crate) use self::from_guest::{describe, flags, reply, signature};
pub(crate) use self::to_guest::{Buffers, batch_bytes, column, column_bytes};
