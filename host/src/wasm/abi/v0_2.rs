//! The interfaces of contract 0.2 that components may import: the bindings.

wasmtime::component::bindgen!({
    path: "wit/since-v0.2",
    world: "services",
    imports: { default: trappable },
    with: { "djhost:op/models.model": crate::wasm::services::Handle },
});

pub(crate) use self::djhost::op::models;
