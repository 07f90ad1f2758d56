//! Contract 0.1: the bindings, and the translation of every record to the host's own types, checked field by field.

mod from_guest;
mod to_guest;

wasmtime::component::bindgen!({ path: "wit/since-v0.1", world: "operator" });

pub(in crate::op) use self::djhost::op::types;
pub(in crate::op) use from_guest::{describe, flags, reply, signature};
pub(in crate::op) use to_guest::{Buffers, batch_bytes, column, column_bytes};
