//! Tokenizers of Hugging Face: `tokenizer.json` files.

mod check;
#[cfg(test)]
mod tests;

use tokenizers::Tokenizer;

pub(crate) const NO_TOKENIZER: &str = "this is not a `tokenizer.json` that is known";

/// A tokenizer.
#[derive(Debug)]
pub(crate) struct HfTokenizer(Tokenizer);

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
        Ok(Self(tokenizer))
    }

    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.0.get_vocab_size(true)
    }

    pub(crate) fn count(&self, text: &str, special: bool) -> Result<usize, String> {
        let encoded = self.0.encode_fast(text, special).map_err(refused)?;
        Ok(encoded.len())
    }

    pub(crate) fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, String> {
        let encoded = self.0.encode_fast(text, special).map_err(refused)?;
        Ok(encoded.get_ids().to_vec())
    }

    pub(crate) fn pieces(&self, text: &str) -> Result<Vec<String>, String> {
        // The fast way leaves out the texts of tokens.
        let encoded = self.0.encode(text, false).map_err(refused)?;
        Ok(encoded.get_tokens().to_vec())
    }

    pub(crate) fn decode(&self, tokens: &[u32]) -> Result<String, String> {
        self.0.decode(tokens, false).map_err(refused)
    }
}

fn refused(error: tokenizers::Error) -> String {
    format!("the tokenizer refuses the text: {error}")
}
