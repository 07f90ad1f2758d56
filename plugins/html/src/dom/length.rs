//! Lengths of texts, in characters.

use super::{Dom, Id};
use djhost_sdk::text::is_space;

/// Counts the characters of a text given in pieces, as if its words were joined by single spaces.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Words {
    chars: usize,
    space: bool,
}

impl Words {
    /// Adds a piece.
    pub(crate) fn add(&mut self, text: &str) {
        for &b in text.as_bytes() {
            if b >= 0x80 {
                return self.add_slowly(text);
            }
        }
        for &b in text.as_bytes() {
            if matches!(b, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f) {
                self.space = true;
            } else {
                self.chars += 1 + usize::from(self.space && self.chars > 0);
                self.space = false;
            }
        }
    }

    fn add_slowly(&mut self, text: &str) {
        for c in text.chars() {
            if is_space(c) {
                self.space = true;
            } else {
                self.chars += 1 + usize::from(self.space && self.chars > 0);
                self.space = false;
            }
        }
    }

    /// The characters so far.
    pub(crate) fn len(self) -> usize {
        self.chars
    }
}

impl Dom {
    /// The characters of the texts in `top` with single spaces between words.
    pub(crate) fn words_len(&self, top: Id) -> usize {
        let mut words = Words::default();
        self.texts(top).for_each(|text| words.add(text));
        words.len()
    }

    /// Whether that is at least `least`; stops when it is known.
    pub(crate) fn has_words_len(&self, top: Id, least: usize) -> bool {
        let mut words = Words::default();
        self.texts(top).any(|text| {
            words.add(text);
            words.len() >= least
        })
    }

    /// The characters of the texts in `top`, white space included.
    pub(crate) fn text_len(&self, top: Id) -> usize {
        self.texts(top).map(djhost_sdk::text::code_points).sum()
    }
}
