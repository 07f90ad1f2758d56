//! Lends operators that run natively the models that their parameters name, as the host does.

use djhost_inference::{Kind, Model};
use djhost_sdk::Entry;
use djhost_sdk::models::{Lend, Lent, lend};
use serde_json::Value;
use std::path::Path;

/// Lends `operator` the models that `params` name.
pub(crate) fn lend_models(operator: Entry, params: &str) -> Vec<Lent> {
    let schema = (operator.describe)().params_schema;
    let schema: Value = serde_json::from_str(&schema).expect("a schema is JSON");
    let params: Value = serde_json::from_str(params).expect("parameters are JSON");
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .filter(|(_, property)| property["format"] == "model")
        .filter_map(|(name, property)| {
            let path = params[name].as_str().filter(|path| !path.is_empty())?;
            let kind: Kind = property["x-model"]["kind"].as_str()?.parse().unwrap();
            let model = Model::open(Path::new(path), Some(kind));
            Some(lend(
                name,
                Native(model.unwrap_or_else(|error| panic!("{error}"))),
            ))
        })
        .collect()
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

    fn decode(&self, ids: &[u32]) -> Result<String, String> {
        match &self.0 {
            Model::Tokenizer(model) => model.decode(ids),
            _ => Err(ANOTHER.into()),
        }
    }
}
