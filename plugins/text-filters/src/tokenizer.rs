//! Splits texts into words by a sentencepiece model, or at spaces without one.

use crate::special_table::SPECIAL;
use crate::words;
use djhost_sdk::prelude::*;
use djhost_sdk::text::lower_into;
use djhost_sentencepiece::SentencePiece;

/// Cuts texts into words.
#[derive(Default)]
pub(crate) struct Tokenizer(Option<SentencePiece>);

impl Tokenizer {
    /// With `tokenization` words are the pieces of the model.
    ///
    /// # Errors
    /// When the model cannot be read.
    pub(crate) fn new(tokenization: bool, model: &str) -> Result<Self, String> {
        tokenization
            .then(|| SentencePiece::of_parameter(model, "`tokenization: true`"))
            .transpose()
            .map(Self)
    }

    /// The number of words.
    pub(crate) fn count(&mut self, text: &str) -> Result<usize, Reject> {
        let Some(model) = &mut self.0 else {
            return Ok(words::count(text));
        };
        let mut count = 0;
        model
            .pieces(text, |piece| {
                count += usize::from(piece.contains(|c| !SPECIAL.has(c as u32)))
            })
            .map_err(Reject)?;
        Ok(count)
    }

    /// A number of words that the text has at least, found at its beginning; None for the pieces of a
    /// model.
    pub(crate) fn count_at_least(&self, text: &str) -> Option<usize> {
        let beginning = &text[..text.floor_char_boundary(crate::BEGINNING)];
        self.0.is_none().then(|| words::count(beginning))
    }

    /// Whether words are the pieces of a model.
    pub(crate) fn has_model(&self) -> bool {
        self.0.is_some()
    }

    /// Writes the text in lower case to `lower`, and calls `visit` with each word, stripped of
    /// special characters, and its position in `lower`.
    #[inline]
    pub(crate) fn lower_words(
        &mut self,
        text: &str,
        lower: &mut String,
        mut visit: impl FnMut(&[u8], usize, usize),
    ) -> Result<(), Reject> {
        lower.clear();
        let Some(model) = &mut self.0 else {
            lower_into(text, lower);
            let bytes = lower.as_bytes();
            words::each(lower, |start, end| visit(&bytes[start..end], start, end));
            return Ok(());
        };
        let cut = model.pieces(text, |piece| {
            let start = lower.len();
            lower_into(piece, lower);
            let piece = &lower[start..];
            let word = piece.trim_start_matches(|c| SPECIAL.has(c as u32));
            let start = start + piece.len() - word.len();
            let word = word.trim_end_matches(|c| SPECIAL.has(c as u32));
            if !word.is_empty() {
                visit(word.as_bytes(), start, start + word.len());
            }
        });
        cut.map_err(Reject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_must_be_named() {
        let refused = |model: &str| Tokenizer::new(true, model).err().unwrap();
        assert!(refused("").starts_with("`tokenization: true` needs `tokenizer_model`"));
        assert!(
            refused("/does/not/exist")
                .starts_with("`tokenizer_model`: `/does/not/exist`: cannot read it")
        );
        assert!(
            refused("Cargo.toml")
                .starts_with("`tokenizer_model`: `Cargo.toml`: this is not a sentencepiece model")
        );
        assert!(Tokenizer::new(false, "/does/not/exist").is_ok());
    }
}
