//! Models of words and of characters: each is known or unknown.

use crate::normalizer::Symbols;
use crate::trie::Trie;
use crate::{SPACE, width};

#[derive(Debug)]
pub(crate) struct Simple {
    pub trie: Trie,
    /// Whether to cut into words, not characters.
    pub words: bool,
}

impl Simple {
    /// Calls `visit` with start and end of each word or character, and whether it is unknown.
    pub(crate) fn encode(
        &self,
        text: &str,
        symbols: &Symbols,
        mut visit: impl FnMut(usize, usize, bool),
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
            visit(at, end, self.trie.get(&bytes[at..end]).is_none());
            at = end;
        }
    }
}
