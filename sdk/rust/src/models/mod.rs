//! Models that the host lends: language models of KenLM, classifiers of fastText, tokenizers,
//! networks in ONNX, and lists of domains, URLs or words. They stay in the host, once for all
//! instances.
//!
//! An operator says at a parameter that it takes a model, and of which kind; the recipe names the
//! file. [`Model::open`] gets it by the parameter's name, in [`prepare`](crate::TextFilter::prepare):
//!
//! ```
//! use djhost_sdk::models::{Lend, Model, lend};
//! use djhost_sdk::prelude::*;
//!
//! /// Keeps texts of few tokens.
//! #[derive(Default, Serialize, Deserialize, JsonSchema)]
//! #[serde(default)]
//! struct BriefFilter {
//!     /// The tokenizer: a `tokenizer.json`.
//!     #[schemars(extend("format" = "model", "x-model" = {"kind": "tokenizer"}))]
//!     tokenizer: String,
//!     #[serde(skip)]
//!     model: Option<Model>,
//! }
//!
//! impl TextFilter for BriefFilter {
//!     const NAME: &'static str = "brief_filter";
//!     const STAT: Stat = Stat::integer("tokens");
//!
//!     fn prepare(&mut self) -> Result<(), String> {
//!         self.model = Some(Model::open("tokenizer")?);
//!         Ok(())
//!     }
//!
//!     fn stat(&mut self, text: &str) -> Result<f64, Reject> {
//!         let model = self.model.as_ref().ok_or_else(|| Reject("no tokenizer".into()))?;
//!         model.count(text, false).map(f64::from)
//!     }
//!
//!     fn range(&self) -> (f64, f64) {
//!         (0.0, 3.0)
//!     }
//! }
//!
//! // In a unit test a double takes the model's place.
//! struct Words;
//! impl Lend for Words {
//!     fn encode(&self, text: &str, _special: bool) -> Result<Vec<u32>, String> {
//!         Ok(text.split(' ').map(|word| word.len() as u32).collect())
//!     }
//! }
//! let _lent = lend("tokenizer", Words);
//! let mut runner = Runner::new(djhost_sdk::operator!(BriefFilter), "{}").unwrap();
//! assert_eq!(runner.filter(&["to be", "or not to be"]).keep, [true, false]);
//! ```
//!
//! `x-model` may also have `file`, the name that is looked for in the user's model directories where
//! the recipe names none, `when`, a flag without which no model is needed, `optional: true`, and
//! `published`, an address for messages (`wit/README.md`).

#[cfg(not(target_family = "wasm"))]
mod double;
#[cfg(target_family = "wasm")]
mod service;

#[cfg(not(target_family = "wasm"))]
use double as service;
#[cfg(not(target_family = "wasm"))]
pub use double::{Lend, Lent, lend};

use crate::{Reject, Texts};

/// Texts that one call passes to the host at most.
const MOST_TEXTS: usize = 4096;
/// Bytes that one call passes to the host at most, if it is more than one text.
const MOST_BYTES: usize = 1 << 20;

/// A model that the recipe lends to the operator.
#[derive(Debug)]
pub struct Model(service::Handle);

/// A tensor for a network in ONNX, or from one.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The name of the input or output.
    pub name: String,
    /// Its size in each dimension.
    pub shape: Vec<u32>,
    /// The values in row-major order: as many as the product of `shape`.
    pub data: TensorData,
}

/// The values of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum TensorData {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// Bytes.
    U8(Vec<u8>),
}

/// What a network in ONNX takes or gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name of the input or output.
    pub name: String,
    /// The type of its values.
    pub element: Element,
    /// Its size in each dimension; None where any is allowed, as that of the batch.
    pub shape: Vec<Option<u32>>,
}

/// The type of the values of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit floats.
    F32,
    /// 64-bit integers.
    I64,
    /// Bytes.
    U8,
}

impl Model {
    /// The model of a parameter.
    ///
    /// # Errors
    /// When the recipe lends none for it. The host says so before, unless the parameter's model is
    /// optional or needs a flag.
    pub fn open(parameter: &str) -> Result<Self, String> {
        service::Handle::open(parameter)
            .map(Self)
            .map_err(|error| format!("`{parameter}`: {error}"))
    }

    /// The model of a parameter that may have none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_if_lent(parameter: &str) -> Result<Option<Self>, String> {
        if service::lent().iter().any(|lent| lent == parameter) {
            Self::open(parameter).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The logarithm to base 10 of the probability that a language model of KenLM gives to a whole
    /// sentence, whose words are separated by white space.
    ///
    /// # Errors
    /// When it is a model of another kind.
    pub fn score(&self, sentence: &str) -> Result<f64, Reject> {
        let scores = self.scores(std::iter::once(sentence))?;
        Ok(scores[0])
    }

    /// [`score`](Self::score) of several sentences, in fewer calls.
    ///
    /// # Errors
    /// When it is a model of another kind.
    pub fn scores<'a>(&self, sentences: impl Iterator<Item = &'a str>) -> Result<Vec<f64>, Reject> {
        let mut scores = Vec::new();
        in_batches(sentences, |batch| {
            scores.extend(self.0.score(batch, true, true)?);
            Ok(())
        })?;
        Ok(scores)
    }

    /// The labels of a classifier of fastText, without their prefix: `en` for `__label__en`.
    ///
    /// # Errors
    /// When it is a model of another kind.
    pub fn labels(&self) -> Result<Vec<String>, String> {
        self.0.labels()
    }

    /// The `k` best labels of a text, best first, with their probabilities; a label is its place in
    /// [`labels`](Self::labels). Fewer, if the model has fewer or knows nothing of the text.
    ///
    /// # Errors
    /// When it is a model of another kind.
    pub fn classify(&self, text: &str, k: u32) -> Result<Vec<(u32, f32)>, Reject> {
        self.0.classify(one(text), k).map_err(Reject)
    }

    /// The number of tokens of a text; `special` adds those that the model puts around it.
    ///
    /// # Errors
    /// When the tokenizer cannot take the text, or it is a model of another kind.
    pub fn count(&self, text: &str, special: bool) -> Result<u32, Reject> {
        self.0.count(one(text), special).map_err(Reject)
    }

    /// The ids of the tokens of a text.
    ///
    /// # Errors
    /// When the tokenizer cannot take the text, or it is a model of another kind.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, Reject> {
        self.0.encode(one(text), special).map_err(Reject)
    }

    /// The tokens of a text as the model writes them.
    ///
    /// # Errors
    /// When the tokenizer cannot take the text, or it is a model of another kind.
    pub fn pieces(&self, text: &str) -> Result<Texts, Reject> {
        self.0.pieces(one(text)).map_err(Reject)
    }

    /// The text that these tokens make.
    ///
    /// # Errors
    /// When the tokenizer cannot make one, or it is a model of another kind.
    pub fn decode(&self, ids: &[u32]) -> Result<String, Reject> {
        self.0.decode(ids).map_err(Reject)
    }

    /// The inputs of a network in ONNX, in its order; none for other kinds.
    pub fn inputs(&self) -> Vec<TensorInfo> {
        self.0.inputs()
    }

    /// The outputs of a network in ONNX, in its order; none for other kinds.
    pub fn outputs(&self) -> Vec<TensorInfo> {
        self.0.outputs()
    }

    /// Runs a network in ONNX once. The outputs are in its order.
    ///
    /// # Errors
    /// When inputs are missing or have other names, shapes or types than the model wants.
    pub fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        self.0.run(inputs)
    }

    /// Whether each of the texts is an entry of a list: a line of its file without white space around it,
    /// if it is not empty and does not begin with `#`. Entries of lists of the kinds `words` and
    /// `substrings` are without case and without all but the letters and digits of ASCII.
    ///
    /// # Errors
    /// When it is no list.
    pub fn contains<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<Vec<bool>, Reject> {
        let mut found = Vec::new();
        in_batches(texts, |batch| {
            found.extend(self.0.contains(batch)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// How often entries of a list of the kind `substrings` stand in the letters and digits of ASCII of
    /// each text, in lower case, also where they overlap; no further than `most`.
    ///
    /// # Errors
    /// When it is no such list.
    pub fn occurrences<'a>(
        &self,
        texts: impl Iterator<Item = &'a str>,
        most: u32,
    ) -> Result<Vec<u32>, Reject> {
        let mut found = Vec::new();
        in_batches(texts, |batch| {
            found.extend(self.0.occurrences(batch, most)?);
            Ok(())
        })?;
        Ok(found)
    }
}

fn one(text: &str) -> Texts {
    std::iter::once(text).collect()
}

/// Passes texts on in batches that the host takes.
fn in_batches<'a>(
    texts: impl Iterator<Item = &'a str>,
    mut call: impl FnMut(Texts) -> Result<(), String>,
) -> Result<(), Reject> {
    let mut batch = Texts::default();
    let (mut count, mut bytes) = (0, 0);
    for text in texts {
        if count > 0 && (count == MOST_TEXTS || bytes + text.len() > MOST_BYTES) {
            call(std::mem::take(&mut batch)).map_err(Reject)?;
            (count, bytes) = (0, 0);
        }
        batch.push(text);
        count += 1;
        bytes += text.len();
    }
    if count > 0 {
        call(batch).map_err(Reject)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lengths;

    impl Lend for Lengths {
        fn score(&self, sentence: &str) -> Result<f64, String> {
            Ok(-(sentence.len() as f64))
        }
    }

    #[test]
    fn batches_are_cut_and_no_text_is_lost() {
        let _lent = lend("model", Lengths);
        let model = Model::open("model").unwrap();
        let long = "x".repeat(MOST_BYTES + 1);
        let texts: Vec<String> = (0..MOST_TEXTS * 2 + 1)
            .map(|i| match i {
                7 => long.clone(),
                _ => "y".repeat(i % 5),
            })
            .collect();
        let scores = model.scores(texts.iter().map(String::as_str)).unwrap();
        let expected: Vec<f64> = texts.iter().map(|text| -(text.len() as f64)).collect();
        assert_eq!(scores, expected);
        assert_eq!(model.scores(std::iter::empty()).unwrap(), [0.0; 0]);
    }

    #[test]
    fn only_what_is_lent_can_be_opened() {
        let error = Model::open("model").unwrap_err();
        assert!(error.starts_with("`model`: the recipe lends"), "{error}");
        assert!(Model::open_if_lent("model").unwrap().is_none());
        let lent = lend("model", Lengths);
        let model = Model::open_if_lent("model").unwrap().unwrap();
        assert!(model.count("text", false).is_err(), "it has no tokens");
        drop(lent);
        assert!(Model::open("model").is_err());
    }
}
