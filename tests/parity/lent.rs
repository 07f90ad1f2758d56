//! Lends operators that run natively the models that their parameters name, as the host does.

use djhost_inference::{Kind, Model};
use djhost_sdk::Entry;
use djhost_sdk::models::{Element, Lend, Lent, Tensor, TensorData, TensorInfo, lend};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Lends `operator` the models that `params` name.
pub(crate) fn lend_models(operator: Entry, params: &str) -> Vec<Lent> {
    let schema = (operator.describe)().params_schema;
    let schema: Value = serde_json::from_str(&schema).expect("a schema is JSON");
    let params: Value = serde_json::from_str(params).expect("parameters are JSON");
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .filter(|(_, property)| property["format"] == "model")
        .filter_map(|(name, property)| {
            let about = &property["x-model"];
            let text = |name: &str| params[name].as_str().filter(|path| !path.is_empty());
            let by_other = || {
                let file = about["file"].as_str()?;
                text(file.strip_prefix('{')?.strip_suffix('}')?)
            };
            let path = text(name).or_else(by_other)?;
            let kind: Kind = about["kind"].as_str()?.parse().unwrap();
            let model = Model::open(&in_directory(Path::new(path), kind), Some(kind));
            Some(lend(
                name,
                Native(model.unwrap_or_else(|error| panic!("{error}"))),
            ))
        })
        .collect()
}

/// The model of a kind in a directory, or the file itself.
fn in_directory(path: &Path, kind: Kind) -> PathBuf {
    let inside = match kind {
        Kind::Onnx => "model.onnx",
        _ => "tokenizer.json",
    };
    match path.is_dir() {
        true => path.join(inside),
        false => path.to_owned(),
    }
}

struct Native(Model);

const ANOTHER: &str = "this is a model of another kind";

impl Lend for Native {
    fn score(&self, sentence: &str) -> Result<f64, String> {
        match &self.0 {
            Model::Kenlm(model) => Ok(model.score(sentence)),
            _ => Err(ANOTHER.into()),
        }
    }

    fn labels(&self) -> Result<Vec<String>, String> {
        match &self.0 {
            Model::Fasttext(model) => Ok(model.labels().to_vec()),
            _ => Err(ANOTHER.into()),
        }
    }

    fn classify(&self, text: &str, k: u32) -> Result<Vec<(u32, f32)>, String> {
        match &self.0 {
            Model::Fasttext(model) => Ok(model.classify(text, k)),
            _ => Err(ANOTHER.into()),
        }
    }

    fn count(&self, text: &str, special: bool) -> Result<u32, String> {
        match &self.0 {
            Model::Tokenizer(model) => model.count(text, special),
            _ => Err(ANOTHER.into()),
        }
    }

    fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, String> {
        match &self.0 {
            Model::Tokenizer(model) => model.encode(text, special),
            _ => Err(ANOTHER.into()),
        }
    }

    fn pieces(&self, text: &str) -> Result<Vec<String>, String> {
        match &self.0 {
            Model::Tokenizer(model) => model.pieces(text),
            _ => Err(ANOTHER.into()),
        }
    }

    fn contains(&self, text: &str) -> Result<bool, String> {
        match &self.0 {
            Model::List(list) => Ok(list.contains(text)),
            _ => Err(ANOTHER.into()),
        }
    }

    fn occurrences(&self, text: &str, most: u32) -> Result<u32, String> {
        match &self.0 {
            Model::List(list) => Ok(list.occurrences(text, most)),
            _ => Err(ANOTHER.into()),
        }
    }

    fn decode(&self, ids: &[u32]) -> Result<String, String> {
        match &self.0 {
            Model::Tokenizer(model) => model.decode(ids),
            _ => Err(ANOTHER.into()),
        }
    }

    fn inputs(&self) -> Vec<TensorInfo> {
        self.0.info().inputs.into_iter().map(about).collect()
    }

    fn outputs(&self) -> Vec<TensorInfo> {
        self.0.info().outputs.into_iter().map(about).collect()
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        let Model::Onnx(model) = &self.0 else {
            return Err(ANOTHER.into());
        };
        let inputs: Vec<djhost_inference::Tensor> = inputs.into_iter().map(to_network).collect();
        let outputs = model.run(&inputs)?;
        Ok(outputs.into_iter().map(from_network).collect())
    }
}

fn about(info: djhost_inference::TensorInfo) -> TensorInfo {
    TensorInfo {
        name: info.name,
        element: match info.element {
            djhost_inference::Element::F32 => Element::F32,
            djhost_inference::Element::I64 => Element::I64,
            djhost_inference::Element::U8 => Element::U8,
        },
        shape: info.shape,
    }
}

fn to_network(tensor: Tensor) -> djhost_inference::Tensor {
    djhost_inference::Tensor {
        name: tensor.name,
        shape: tensor.shape,
        data: match tensor.data {
            TensorData::F32(values) => djhost_inference::TensorData::F32(values),
            TensorData::I64(values) => djhost_inference::TensorData::I64(values),
            TensorData::U8(values) => djhost_inference::TensorData::U8(values),
        },
    }
}

fn from_network(tensor: djhost_inference::Tensor) -> Tensor {
    Tensor {
        name: tensor.name,
        shape: tensor.shape,
        data: match tensor.data {
            djhost_inference::TensorData::F32(values) => TensorData::F32(values),
            djhost_inference::TensorData::I64(values) => TensorData::I64(values),
            djhost_inference::TensorData::U8(values) => TensorData::U8(values),
        },
    }
}
