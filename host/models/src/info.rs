//! What a host wants to know about a model.

use crate::{Element, Kind};

/// What a model is, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The kind.
    pub kind: Kind,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// How much memory the model takes at most, in bytes: what was loaded, and the part of the file
    /// that is mapped. However many threads use the model, it takes this once.
    pub resident: u64,
    /// The number of words (KenLM, fastText) or tokens (tokenizers).
    pub vocabulary: Option<u64>,
    /// The inputs of a network in ONNX, in its order.
    pub inputs: Vec<TensorInfo>,
    /// The outputs of a network in ONNX, in its order.
    pub outputs: Vec<TensorInfo>,
    /// The version of ONNX Runtime that computes a network; None: this crate does.
    pub runtime: Option<String>,
}

/// An input or output of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name.
    pub name: String,
    /// The type of the numbers as a [`Tensor`](crate::Tensor) has them.
    pub element: Element,
    /// The size in each dimension; None: any.
    pub shape: Vec<Option<u32>>,
}
