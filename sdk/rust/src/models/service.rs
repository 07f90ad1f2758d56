//! The host's service, from within a component.

use super::{Element, Tensor, TensorData, TensorInfo};
use crate::Texts;

/// Generated from the WIT.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "wit/models", world: "services" });
}

use bindings::djhost::op::models as wit;

/// A handle to a model in the host.
#[derive(Debug)]
pub(super) struct Handle(wit::Model);

/// The parameters that have a model.
pub(super) fn lent() -> Vec<String> {
    wit::lent()
}

fn texts_out(texts: Texts) -> wit::Texts {
    let (offsets, data, _) = texts.into_parts();
    wit::Texts { offsets, data }
}

/// The first failure of a call with one text.
fn first(failed: Vec<wit::Failure>) -> Result<(), String> {
    match failed.into_iter().next() {
        Some(failure) => Err(failure.reason),
        None => Ok(()),
    }
}

impl Handle {
    pub(super) fn open(parameter: &str) -> Result<Self, String> {
        wit::Model::open(parameter).map(Self)
    }

    pub(super) fn score(
        &self,
        sentences: Texts,
        begin: bool,
        end: bool,
    ) -> Result<Vec<f64>, String> {
        self.0.score(&texts_out(sentences), begin, end)
    }

    pub(super) fn labels(&self) -> Result<Vec<String>, String> {
        let labels = self.0.labels()?;
        let labels = Texts::new(labels.offsets, labels.data, None)?;
        Ok(labels.iter().flatten().map(str::to_owned).collect())
    }

    pub(super) fn classify(&self, text: Texts, k: u32) -> Result<Vec<(u32, f32)>, String> {
        let ranked = self.0.classify(&texts_out(text), k)?;
        Ok(ranked.ids.into_iter().zip(ranked.scores).collect())
    }

    pub(super) fn count(&self, text: Texts, special: bool) -> Result<u32, String> {
        let counts = self.0.count(&texts_out(text), special)?;
        first(counts.failed)?;
        Ok(counts.values.first().copied().unwrap_or_default())
    }

    pub(super) fn encode(&self, text: Texts, special: bool) -> Result<Vec<u32>, String> {
        let lists = self.0.encode(&texts_out(text), special)?;
        first(lists.failed)?;
        Ok(lists.ids)
    }

    pub(super) fn pieces(&self, text: Texts) -> Result<Texts, String> {
        let lists = self.0.pieces(&texts_out(text))?;
        first(lists.failed)?;
        // SAFETY: by the contract every value from the host is UTF-8, and the host collects them
        // from strings.
        Ok(unsafe { Texts::new_unchecked(lists.values.offsets, lists.values.data, None) })
    }

    pub(super) fn decode(&self, ids: &[u32]) -> Result<String, String> {
        let decoded = self.0.decode(&[0, ids.len() as u32], ids)?;
        first(decoded.failed)?;
        String::from_utf8(decoded.values.data).map_err(|_| "the host sent no UTF-8".into())
    }

    pub(super) fn inputs(&self) -> Vec<TensorInfo> {
        self.0.info().inputs.into_iter().map(info_in).collect()
    }

    pub(super) fn outputs(&self) -> Vec<TensorInfo> {
        self.0.info().outputs.into_iter().map(info_in).collect()
    }

    pub(super) fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        let inputs: Vec<wit::Tensor> = inputs.into_iter().map(tensor_out).collect();
        let outputs = self.0.run(&inputs)?;
        Ok(outputs.into_iter().map(tensor_in).collect())
    }

    pub(super) fn contains(&self, texts: Texts) -> Result<Vec<bool>, String> {
        self.0.contains(&texts_out(texts))
    }

    pub(super) fn occurrences(&self, texts: Texts, most: u32) -> Result<Vec<u32>, String> {
        self.0.occurrences(&texts_out(texts), most)
    }
}

fn tensor_out(tensor: Tensor) -> wit::Tensor {
    wit::Tensor {
        name: tensor.name,
        shape: tensor.shape,
        data: match tensor.data {
            TensorData::F32(values) => wit::TensorData::F32(values),
            TensorData::I64(values) => wit::TensorData::Int64(values),
            TensorData::U8(values) => wit::TensorData::Uint8(values),
        },
    }
}

fn tensor_in(tensor: wit::Tensor) -> Tensor {
    Tensor {
        name: tensor.name,
        shape: tensor.shape,
        data: match tensor.data {
            wit::TensorData::F32(values) => TensorData::F32(values),
            wit::TensorData::Int64(values) => TensorData::I64(values),
            wit::TensorData::Uint8(values) => TensorData::U8(values),
        },
    }
}

fn info_in(info: wit::TensorInfo) -> TensorInfo {
    TensorInfo {
        name: info.name,
        element: match info.element {
            wit::ElementType::F32 => Element::F32,
            wit::ElementType::Int64 => Element::I64,
            wit::ElementType::Uint8 => Element::U8,
        },
        shape: info.shape,
    }
}
