//! `text_embd_similarity_filter`

use crate::embedder::Embedder;
use crate::pooling::Pooling;
use djhost_sdk::prelude::*;
use serde_json::{Map, Value};

/// Keeps texts that are on average as similar to some given texts as asked for.
///
/// The similarity is the mean of the cosines between the vector of the text and those of the texts
/// in `valid_dataset`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TextEmbdSimilarityFilter {
    /// The sentence model: a network in ONNX.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "onnx",
        "published": "for instance https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (`onnx/model.onnx`)"
    }))]
    pub model: String,
    /// Its tokenizer: a `tokenizer.json`, or a directory with one.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer",
        "published": "for instance https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (`tokenizer.json`)"
    }))]
    pub tokenizer: String,
    /// The texts to compare with: rows with `text`, or one other field
    /// that is a text.
    pub valid_dataset: Vec<Map<String, Value>>,
    /// The least similarity.
    pub min_score: f64,
    /// The greatest similarity.
    pub max_score: f64,
    /// How the vectors of tokens become one.
    pub pooling: Pooling,
    /// The most tokens of a text, special ones included; the rest of the text is not seen.
    #[schemars(range(min = 1, max = 4096))]
    pub max_length: u32,
    /// The sentence model, and the mean of the given vectors.
    #[serde(skip)]
    models: Option<(Embedder, Vec<f64>)>,
}

impl Default for TextEmbdSimilarityFilter {
    fn default() -> Self {
        Self {
            model: String::new(),
            tokenizer: String::new(),
            valid_dataset: Vec::new(),
            min_score: 0.1,
            max_score: 1.0,
            pooling: Pooling::Mean,
            max_length: 256,
            models: None,
        }
    }
}

/// The text of a row: `text`, or the only text that it has.
fn text_of(row: &Map<String, Value>) -> Option<&str> {
    let mut texts = row.values().filter_map(Value::as_str);
    match (
        row.get("text").and_then(Value::as_str),
        texts.next(),
        texts.next(),
    ) {
        (Some(text), ..) | (None, Some(text), None) => Some(text),
        _ => None,
    }
}

/// The mean of the vectors of the given texts.
fn middle(embedder: &Embedder, rows: &[Map<String, Value>]) -> Result<Vec<f64>, String> {
    if rows.is_empty() {
        return Err("`valid_dataset`: give the texts to compare with, as in `valid_dataset: [{text: \"a good text\"}]`".into());
    }
    let texts = rows.iter().enumerate().map(|(at, row)| {
        text_of(row).ok_or_else(|| format!("`valid_dataset[{at}]`: it has no `text`"))
    });
    let texts: Vec<&str> = texts.collect::<Result<_, _>>()?;
    let mut middle: Vec<f64> = Vec::new();
    let vectors = embedder.vectors(texts.iter().copied());
    for (at, vector) in vectors.into_iter().enumerate() {
        let vector = vector.map_err(|Reject(why)| format!("`valid_dataset[{at}]`: {why}"))?;
        middle.resize(vector.len(), 0.0);
        for (sum, x) in middle.iter_mut().zip(vector) {
            *sum += f64::from(x) / texts.len() as f64;
        }
    }
    Ok(middle)
}

impl TextFilter for TextEmbdSimilarityFilter {
    const NAME: &'static str = "text_embd_similarity_filter";
    const STAT: Stat = Stat::float("text_embd_similarity");
    const COST: Cost = Cost::Heavy;

    fn prepare(&mut self) -> Result<(), String> {
        let embedder = Embedder::open(self.pooling, true, self.max_length)?;
        let middle = middle(&embedder, &self.valid_dataset)?;
        self.models = Some((embedder, middle));
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        let Some((embedder, middle)) = &self.models else {
            return Err(Reject("there is no model".into()));
        };
        let vector = embedder.vectors(std::iter::once(text)).pop();
        let vector = vector.unwrap_or_else(|| Err(Reject("the network gave no vector".into())))?;
        // The mean of the products is the product with the mean.
        Ok(vector
            .iter()
            .zip(middle)
            .map(|(a, b)| f64::from(*a) * b)
            .sum())
    }

    fn range(&self) -> (f64, f64) {
        // Rounding makes the same text a little more similar than 1.
        let max = if self.max_score >= 1.0 {
            f64::INFINITY
        } else {
            self.max_score
        };
        (self.min_score, max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_text_of_a_row_is_found() {
        let text = |row: Value| row.as_object().and_then(text_of).map(str::to_owned);
        assert_eq!(text(json!({"text": "a", "b": "c"})).as_deref(), Some("a"));
        assert_eq!(text(json!({"content": "a", "n": 1})).as_deref(), Some("a"));
        assert_eq!(text(json!({"content": "a", "title": "b"})), None);
        assert_eq!(text(json!({})), None);
    }
}
