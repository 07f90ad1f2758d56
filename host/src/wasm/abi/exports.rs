//! The exports of a component, whatever version of the contract it was built for, in the records of
//! the newest.

use wasmtime::Store;
use wasmtime::component::{InstancePre, ResourceAny};

use super::v0_2::types::{Batch, Column, Descriptor, OpError, Output, Signature, Wanted};
use super::{v0_1, v0_2};
use crate::wasm::sandbox::Guest;

/// A linked component.
pub(crate) enum Pre {
    V0_1(v0_1::OperatorPre<Guest>),
    V0_2(v0_2::OperatorPre<Guest>),
}

impl Pre {
    /// `version` is the one whose interface it exports, and one that the host runs. Fails if an
    /// export lacks or has another type.
    pub(crate) fn new(pre: InstancePre<Guest>, version: &str) -> wasmtime::Result<Self> {
        Ok(match version.starts_with("0.1.") {
            true => Self::V0_1(v0_1::OperatorPre::new(pre)?),
            false => Self::V0_2(v0_2::OperatorPre::new(pre)?),
        })
    }

    /// Makes an instance.
    pub(crate) fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<Exports> {
        Ok(match self {
            Self::V0_1(pre) => Exports::V0_1(pre.instantiate(store)?),
            Self::V0_2(pre) => Exports::V0_2(pre.instantiate(store)?),
        })
    }
}

/// What an instance exports. The functions are those of `ops` in the WIT.
pub(crate) enum Exports {
    V0_1(v0_1::Operator),
    V0_2(v0_2::Operator),
}

impl Exports {
    /// Whether what an operator can do is in its description, and not in its schema.
    pub(crate) fn is_typed(&self) -> bool {
        matches!(self, Self::V0_2(_))
    }

    pub(crate) fn describe(&self, store: &mut Store<Guest>) -> wasmtime::Result<Vec<Descriptor>> {
        match self {
            Self::V0_1(op) => v0_1::describe(op, store),
            Self::V0_2(op) => op.djhost_op_ops().call_describe(store),
        }
    }

    pub(crate) fn create(
        &self,
        store: &mut Store<Guest>,
        name: &str,
        params: &str,
        wanted: &Wanted,
    ) -> wasmtime::Result<Result<ResourceAny, OpError>> {
        match self {
            Self::V0_1(op) => v0_1::create(op, store, name, params, wanted),
            Self::V0_2(op) => op
                .djhost_op_ops()
                .op()
                .call_create(store, name, params, wanted),
        }
    }

    pub(crate) fn signature(
        &self,
        store: &mut Store<Guest>,
        op: ResourceAny,
    ) -> wasmtime::Result<Signature> {
        match self {
            Self::V0_1(exports) => v0_1::signature(exports, store, op),
            Self::V0_2(exports) => exports.djhost_op_ops().op().call_signature(store, op),
        }
    }

    /// Also returns the input, whose buffers are used again.
    pub(crate) fn process(
        &self,
        store: &mut Store<Guest>,
        op: ResourceAny,
        input: Batch,
    ) -> (Batch, wasmtime::Result<Result<Output, OpError>>) {
        match self {
            Self::V0_1(exports) => v0_1::process(exports, store, op, input),
            Self::V0_2(exports) => {
                let answer = exports.djhost_op_ops().op().call_process(store, op, &input);
                (input, answer)
            }
        }
    }

    pub(crate) fn select(
        &self,
        store: &mut Store<Guest>,
        op: ResourceAny,
        keys: Column,
    ) -> wasmtime::Result<Result<Vec<u8>, OpError>> {
        match self {
            Self::V0_1(exports) => v0_1::select(exports, store, op, keys),
            Self::V0_2(exports) => exports.djhost_op_ops().op().call_select(store, op, &keys),
        }
    }
}
