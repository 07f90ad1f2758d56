//! Splits texts into words by a sentencepiece model, or at spaces without one.

use crate::special_table::SPECIAL;
use crate::words;
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;
use djhost_sdk::text::lower_into;

/// Cuts texts into words.
#[derive(Default)]
pub(crate) struct Tokenizer(Option<Model>);

impl Tokenizer {
    /// With `tokenization` words are the pieces of the model that is lent for `tokenizer_model`.
    ///
    /// # Errors
    /// When none is lent.
    pub(crate) fn new(tokenization: bool) -> Result<Self, String> {
        tokenization
            .then(|| Model::open("tokenizer_model"))
            .transpose()
            .map(Self)
    }

    /// The number of words.
    pub(crate) fn count(&mut self, text: &str) -> Result<usize, Reject> {
        let Some(model) = &self.0 else {
            return Ok(words::count(text));
        };
        let pieces = model.pieces(text)?;
        let is_word = |piece: &&str| piece.contains(|c| !SPECIAL.has(c as u32));
        Ok(pieces.iter().flatten().filter(is_word).count())
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
        let Some(model) = &self.0 else {
            lower_into(text, lower);
            let bytes = lower.as_bytes();
            words::each(lower, |start, end| visit(&bytes[start..end], start, end));
            return Ok(());
        };
        for piece in model.pieces(text)?.iter().flatten() {
            let start = lower.len();
            lower_into(piece, lower);
            let piece = &lower[start..];
            let word = piece.trim_start_matches(|c| SPECIAL.has(c as u32));
            let start = start + piece.len() - word.len();
            let word = word.trim_end_matches(|c| SPECIAL.has(c as u32));
            if !word.is_empty() {
                visit(word.as_bytes(), start, start + word.len());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::models::{Lend, lend};

    struct Halves;

    impl Lend for Halves {
        fn pieces(&self, text: &str) -> Result<Vec<String>, String> {
            let (first, second) = text.split_at(text.len() / 2);
            Ok(vec![first.into(), "--".into(), second.into()])
        }
    }

    #[test]
    fn words_are_the_pieces_of_a_model_that_is_lent() {
        let _lent = lend("tokenizer_model", Halves);
        let mut tokenizer = Tokenizer::new(true).unwrap();
        assert_eq!(tokenizer.count("ABcd").unwrap(), 2);
        let (mut lower, mut words) = (String::new(), Vec::new());
        tokenizer
            .lower_words("ABcd", &mut lower, |word, start, end| {
                words.push((word.to_owned(), start, end))
            })
            .unwrap();
        let after = "ab--".len();
        assert_eq!(
            words,
            [(b"ab".to_vec(), 0, 2), (b"cd".to_vec(), after, after + 2)]
        );
    }

    #[test]
    fn without_the_wish_no_model_is_opened() {
        assert!(Tokenizer::new(true).is_err());
        assert!(!Tokenizer::new(false).unwrap().has_model());
    }
}
