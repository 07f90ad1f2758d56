//! Tokenizers of Hugging Face: `tokenizer.json` files.

mod check;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use tokenizers::{Model, OffsetReferential, OffsetType, PostProcessor, PreTokenizer, Tokenizer};

use crate::pool::Pool;

pub(crate) const NO_TOKENIZER: &str = "this is not a `tokenizer.json` that is known";

/// A longer piece is seldom met again.
const CACHED_BYTES: usize = 64;
/// What `cached` may grow to: some megabytes for each thread that counts.
const CACHED_PIECES: usize = 1 << 16;

/// Any text of some tokens.
const PROBE: &str = "Words, words and 3 words.";

/// A tokenizer.
#[derive(Debug)]
pub(crate) struct HfTokenizer {
    tokenizer: Tokenizer,
    /// The numbers of tokens of pieces between which no token reaches, mostly words: counting makes
    /// no tokens of those that it knows.
    cached: Pool<Cache>,
    /// Whether the tokens of pieces and what the last step adds are all: a file may also have a
    /// template that repeats the text.
    adds_up: bool,
}

type Cache = HashMap<Box<str>, u32, foldhash::fast::RandomState>;

impl HfTokenizer {
    /// Reads the content of a `tokenizer.json`.
    ///
    /// # Errors
    /// When it is not a tokenizer.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        check::file(bytes)?;
        let mut tokenizer =
            Tokenizer::from_bytes(bytes).map_err(|error| format!("{NO_TOKENIZER}: {error}"))?;
        // All tokens of a text and no others, whatever the file says.
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| error.to_string())?;
        check::added_tokens(&tokenizer)?;
        let mut this = Self {
            tokenizer,
            cached: Pool::default(),
            adds_up: true,
        };
        for special in [false, true] {
            let whole = this.encode(PROBE, special).map(|tokens| tokens.len());
            this.adds_up &= this.count(PROBE, special) == whole;
        }
        Ok(this)
    }

    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    pub(crate) fn count(&self, text: &str, special: bool) -> Result<usize, String> {
        if !self.adds_up {
            return Ok(self.encode(text, special)?.len());
        }
        // The steps of `Tokenizer::encode_fast`, but for the last.
        let tokenizer = &self.tokenizer;
        let mut pieces = tokenizer
            .get_added_vocabulary()
            .extract_and_normalize(tokenizer.get_normalizer(), text);
        if let Some(cutter) = tokenizer.get_pre_tokenizer() {
            cutter.pre_tokenize(&mut pieces).map_err(refused)?;
        }
        let added = match tokenizer.get_post_processor() {
            Some(processor) if special => processor.added_tokens(false),
            _ => 0,
        };
        self.cached.with(
            |_| true,
            |cached| {
                let mut total = added;
                for (piece, _, tokens) in
                    pieces.get_splits(OffsetReferential::Normalized, OffsetType::None)
                {
                    total += match tokens {
                        Some(tokens) => tokens.len(),
                        None => self.count_piece(piece, cached)?,
                    };
                }
                Ok(total)
            },
        )
    }

    fn count_piece(&self, piece: &str, cached: &mut Cache) -> Result<usize, String> {
        let count = || -> Result<usize, String> {
            let tokens = self.tokenizer.get_model().tokenize(piece);
            Ok(tokens.map_err(refused)?.len())
        };
        if piece.len() > CACHED_BYTES {
            return count();
        }
        if let Some(&known) = cached.get(piece) {
            return Ok(known as usize);
        }
        let counted = count()?;
        if cached.len() == CACHED_PIECES {
            cached.clear();
        }
        cached.insert(piece.into(), counted as u32);
        Ok(counted)
    }

    pub(crate) fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, String> {
        let encoded = self.tokenizer.encode_fast(text, special).map_err(refused)?;
        Ok(encoded.get_ids().to_vec())
    }

    pub(crate) fn pieces(&self, text: &str) -> Result<Vec<String>, String> {
        // The fast way leaves out the texts of tokens.
        let encoded = self.tokenizer.encode(text, false).map_err(refused)?;
        Ok(encoded.get_tokens().to_vec())
    }

    pub(crate) fn decode(&self, tokens: &[u32]) -> Result<String, String> {
        self.tokenizer.decode(tokens, false).map_err(refused)
    }
}

fn refused(error: tokenizers::Error) -> String {
    format!("the tokenizer refuses the text: {error}")
}
