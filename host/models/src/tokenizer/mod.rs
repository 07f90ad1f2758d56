//! Tokenizers: `tokenizer.json` of Hugging Face, and `.model` of sentencepiece.

mod huggingface;
mod sentencepiece;

use crate::{Info, Kind};
use huggingface::HfTokenizer;
use sentencepiece::SentencePiece;

/// The largest tokenizers have 35 MB; a larger file would only take time.
const LARGEST: usize = 64 << 20;

/// A tokenizer.
#[derive(Debug)]
pub struct Model {
    tokenizer: Tokenizer,
    bytes: u64,
}

#[derive(Debug)]
enum Tokenizer {
    HuggingFace(Box<HfTokenizer>),
    SentencePiece(Box<SentencePiece>),
}

impl Model {
    /// Reads a tokenizer.
    ///
    /// # Errors
    /// When the file is damaged or is not a tokenizer.
    pub(crate) fn read(file: &[u8]) -> Result<Self, String> {
        let bytes = file.len();
        if bytes > LARGEST {
            return Err(format!(
                "it has {bytes} bytes: no tokenizer has more than {LARGEST}"
            ));
        }
        let is_json = file.trim_ascii_start().starts_with(b"{");
        let tokenizer = match is_json {
            true => Tokenizer::HuggingFace(Box::new(HfTokenizer::read(file)?)),
            false => Tokenizer::SentencePiece(Box::new(SentencePiece::read(file)?)),
        };
        Ok(Self {
            tokenizer,
            bytes: bytes as u64,
        })
    }

    /// The ids of the tokens of a text. With `special` also those that the tokenizer puts around a
    /// text: what a `tokenizer.json` says; start and end of a sentence for sentencepiece, as far as
    /// the model has them.
    ///
    /// # Errors
    /// When the tokenizer cannot cut the text; with the reason.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, String> {
        match &self.tokenizer {
            Tokenizer::HuggingFace(tokenizer) => tokenizer.encode(text, special),
            Tokenizer::SentencePiece(tokenizer) => tokenizer.encode(text, special),
        }
    }

    /// The number of the tokens that [`encode`](Self::encode) returns.
    ///
    /// # Errors
    /// As for `encode`.
    pub fn count(&self, text: &str, special: bool) -> Result<u32, String> {
        let count = match &self.tokenizer {
            Tokenizer::HuggingFace(tokenizer) => tokenizer.count(text, special)?,
            Tokenizer::SentencePiece(tokenizer) => tokenizer.count(text, special)?,
        };
        u32::try_from(count).map_err(|_| format!("the text has {count} tokens: cut it first"))
    }

    /// The pieces that a text is cut into, as the tokenizer writes them (`▁the`): those of
    /// sentencepiece's `encode_as_pieces`, or the tokens of a `tokenizer.json` without special ones
    /// around.
    ///
    /// # Errors
    /// As for `encode`.
    pub fn pieces(&self, text: &str) -> Result<Vec<String>, String> {
        match &self.tokenizer {
            Tokenizer::HuggingFace(tokenizer) => tokenizer.pieces(text),
            Tokenizer::SentencePiece(tokenizer) => {
                let mut pieces = Vec::with_capacity(text.len() / 4 + 2);
                tokenizer.pieces(text, |piece, _| pieces.push(piece.to_owned()))?;
                Ok(pieces)
            }
        }
    }

    /// Calls `visit` with each of the [`pieces`](Self::pieces), without a copy of each where the
    /// tokenizer allows it.
    ///
    /// # Errors
    /// As for `encode`.
    pub fn each_piece(&self, text: &str, mut visit: impl FnMut(&str)) -> Result<(), String> {
        match &self.tokenizer {
            Tokenizer::HuggingFace(tokenizer) => {
                tokenizer
                    .pieces(text)?
                    .iter()
                    .for_each(|piece| visit(piece));
                Ok(())
            }
            Tokenizer::SentencePiece(tokenizer) => tokenizer.pieces(text, |piece, _| visit(piece)),
        }
    }

    /// The text of some tokens. Special ones of a `tokenizer.json` are written, those of
    /// sentencepiece are not; ids that the tokenizer does not have are left out.
    ///
    /// # Errors
    /// When the tokenizer cannot write them.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, String> {
        match &self.tokenizer {
            Tokenizer::HuggingFace(tokenizer) => tokenizer.decode(tokens),
            Tokenizer::SentencePiece(tokenizer) => tokenizer.decode(tokens),
        }
    }

    pub(crate) fn info(&self) -> Info {
        let (resident, vocabulary) = match &self.tokenizer {
            // Measured: nine to ten times the file, mostly maps of strings.
            Tokenizer::HuggingFace(tokenizer) => (10 * self.bytes, tokenizer.len()),
            Tokenizer::SentencePiece(tokenizer) => (tokenizer.memory() as u64, tokenizer.len()),
        };
        Info {
            kind: Kind::Tokenizer,
            bytes: self.bytes,
            resident,
            vocabulary: Some(vocabulary as u64),
            inputs: Vec::new(),
            outputs: Vec::new(),
            runtime: None,
        }
    }
}
