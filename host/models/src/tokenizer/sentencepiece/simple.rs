//! Models of words and of characters: each is known or unknown.

use super::normalizer::Symbols;
use super::trie::{NONE, Trie};
use super::{SPACE, width};

#[derive(Debug)]
pub(crate) struct Simple {
    pub trie: Trie,
    /// Whether to cut into words, not characters.
    pub words: bool,
}

impl Simple {
    /// Calls `visit` with start, end and number of each word or character; `NONE` is unknown.
    pub(crate) fn encode(
        &self,
        text: &str,
        symbols: &Symbols,
        mut visit: impl FnMut(usize, usize, u32),
    ) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let first = symbols
                .longest(&bytes[at..])
                .filter(|_| !self.words)
                .unwrap_or_else(|| width(bytes[at]));
            let end = if self.words {
                text[at + first..]
                    .find(SPACE)
                    .map_or(bytes.len(), |next| at + first + next)
            } else {
                at + first
            };
            visit(at, end, self.trie.get(&bytes[at..end]).unwrap_or(NONE));
            at = end;
        }
    }
}
