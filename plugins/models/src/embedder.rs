//! Vectors of texts.

use crate::pooling::Pooling;
use crate::text_network::TextNetwork;
use djhost_sdk::models::{TensorData, TensorInfo};
use djhost_sdk::prelude::*;

/// A sentence model: texts to vectors.
pub(crate) struct Embedder {
    network: TextNetwork,
    output: String,
    pooling: Pooling,
    normalize: bool,
    width: u32,
}

impl Embedder {
    /// Opens the models of the parameters `tokenizer` and `model`, and tries them.
    ///
    /// # Errors
    /// When they do not fit each other or the parameters.
    pub(crate) fn open(pooling: Pooling, normalize: bool, max_length: u32) -> Result<Self, String> {
        let network = TextNetwork::open(max_length)?;
        let output = output(&network.outputs(), pooling)?;
        let tried = network.try_longest(&output)?;
        let TensorData::F32(values) = &tried.data else {
            return Err(format!("`model`: the output `{output}` has no floats"));
        };
        let vector = pooling
            .pool(values, &tried.shape[1..], normalize)
            .map_err(|wrong| format!("`model`: {wrong}"))?;
        if vector.is_empty() {
            return Err("`model`: the network gives vectors without numbers".into());
        }
        Ok(Self {
            network,
            output,
            pooling,
            normalize,
            width: vector.len() as u32,
        })
    }

    /// The numbers of a vector, at least 1.
    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    /// The vectors of texts, or why one has none.
    pub(crate) fn vectors<'a>(
        &self,
        texts: impl ExactSizeIterator<Item = &'a str>,
    ) -> Vec<Result<Vec<f32>, Reject>> {
        let mut vectors: Vec<Result<Vec<f32>, Reject>> = Vec::new();
        vectors.resize_with(texts.len(), || {
            Err(Reject("the network gave no vector".into()))
        });
        self.network.run_all(texts, &self.output, |row, answer| {
            vectors[row] = answer.and_then(|(values, shape)| {
                let vector = self.pooling.pool(values, shape, self.normalize);
                vector.map_err(Reject)
            });
        });
        vectors
    }
}

/// The output to use: the one with the vectors of tokens, or of texts, by its name in exports of
/// `transformers` and `sentence-transformers`, or else the first one.
fn output(outputs: &[TensorInfo], pooling: Pooling) -> Result<String, String> {
    let names: &[&str] = match pooling {
        Pooling::None => &["sentence_embedding", "pooler_output"],
        _ => &["last_hidden_state", "token_embeddings"],
    };
    let named = names
        .iter()
        .find_map(|name| outputs.iter().find(|output| output.name == *name));
    match named.or(outputs.first()) {
        Some(output) => Ok(output.name.clone()),
        None => Err("`model`: the network has no output of floats".into()),
    }
}
