//! Contract 0.2: the bindings, and the translation of every record to the host's own types, with
//! every field checked.

mod describe;
mod from_guest;
mod to_guest;

/// What operators export.
mod operator {
    wasmtime::component::bindgen!({ path: "wit/since-v0.2", world: "operator" });
}

/// What components may import.
mod services {
    wasmtime::component::bindgen!({
        path: "wit/since-v0.2",
        world: "services",
        imports: { default: trappable },
        with: { "djhost:op/models.model": crate::wasm::services::Handle },
    });
}

pub(crate) use self::describe::{NO_TRAITS, describe, needs_of};
pub(crate) use self::from_guest::{flags, reply, signature};
pub(crate) use self::operator::djhost::op::types;
pub(crate) use self::operator::{Operator, OperatorPre};
pub(crate) use self::services::djhost::op::models;
pub(crate) use self::to_guest::{Buffers, batch_bytes, column, column_bytes};
