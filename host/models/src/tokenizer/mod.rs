//! Tokenizers: `tokenizer.json` of Hugging Face, and `.model` of sentencepiece.

use crate::{Info, Kind};

/// A tokenizer.
#[derive(Debug)]
pub struct Model {
    bytes: u64,
}

impl Model {
    pub(crate) fn read(_: &[u8]) -> Result<Self, String> {
        Err("tokenizers are not read yet".into())
    }

    /// The ids of the tokens of a text. With `special` also those that the tokenizer puts around a
    /// text: what a `tokenizer.json` says, start and end of a sentence for sentencepiece.
    ///
    /// # Errors
    /// When the tokenizer cannot cut the text; with the reason.
    pub fn encode(&self, _text: &str, _special: bool) -> Result<Vec<u32>, String> {
        Ok(Vec::new())
    }

    /// The number of the tokens that [`encode`](Self::encode) returns.
    ///
    /// # Errors
    /// As for `encode`.
    pub fn count(&self, _text: &str, _special: bool) -> Result<u32, String> {
        Ok(0)
    }

    /// The pieces that a text is cut into, as the tokenizer writes them (`▁the`): those of
    /// sentencepiece's `encode_as_pieces`, or the tokens of a `tokenizer.json` without special ones
    /// around.
    ///
    /// # Errors
    /// As for `encode`.
    pub fn pieces(&self, _text: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    /// The text of some tokens. Special ones are written, too; ids that the tokenizer does not have
    /// are left out.
    ///
    /// # Errors
    /// When the tokenizer cannot write them.
    pub fn decode(&self, _tokens: &[u32]) -> Result<String, String> {
        Ok(String::new())
    }

    pub(crate) fn info(&self) -> Info {
        Info {
            kind: Kind::Tokenizer,
            bytes: self.bytes,
            resident: 0,
            vocabulary: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }
}
