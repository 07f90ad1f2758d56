//! Sentencepiece models: reads `.model` files and cuts texts into the same pieces as the
//! `sentencepiece` package (0.2.3).
//!
//! Supports all four kinds of models (unigram, BPE, word, character) and their features:
//! normalisation by the model's table, white space rules, user-defined symbols, unused pieces,
//! bytes for unknown characters, and runs of unknown characters as one piece.
//!
//! By hand: `kitoken` 0.10 cuts 3 of the 632 fixture texts differently with a unigram model, 1 with
//! a BPE model (it makes a piece of a lone space and loses a combining mark), reads no models of
//! words or characters, and is slower (natively 2.2 against 8.7 MB/s, and 3.4 against 10.6).

mod bpe;
mod charsmap;
mod model;
mod normalizer;
mod pairs;
mod proto;
mod simple;
#[cfg(test)]
mod tests;
mod trie;
mod unigram;

pub use model::SentencePiece;

/// Checks a character table that is part of another kind of file.
///
/// # Errors
/// When it is damaged.
pub fn check_charsmap(table: &[u8]) -> Result<(), String> {
    charsmap::Charsmap::read(table).map(drop)
}

/// The replacement for a space in pieces.
pub(crate) const SPACE: &str = "\u{2581}";

/// The message for a file that ends too early or lies about sizes.
pub(crate) fn damaged(what: &str) -> String {
    format!("the file is damaged or was cut off ({what}): get it again")
}

/// The message for a text that memory does not suffice for.
pub(crate) fn too_long(error: std::collections::TryReserveError) -> String {
    format!(
        "the text does not fit into the memory of the operator ({error}): raise `op_limits.memory_mb`"
    )
}

/// The length of a character in bytes, by its first one.
#[inline(always)]
pub(crate) fn width(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}
