//! Models of sentencepiece: reads `.model` files and cuts texts into the same pieces as the
//! `sentencepiece` package (0.2.3).
//!
//! All four kinds of models (unigram, BPE, word, character) and their features: normalisation by
//! the model's table, white space rules, user-defined symbols, unused pieces, bytes for unknown
//! characters, and runs of unknown characters as one piece.
//!
//! By hand: `kitoken` 0.10 cuts 3 of the 632 fixture texts differently with a unigram model, 1 with
//! a BPE model (it makes a piece of a lone space and loses a combining mark), reads no models of
//! words or characters, and is slower (2.2 against 8.7 MB/s, and 3.4 against 10.6).

mod bpe;
mod charsmap;
mod decode;
mod model;
mod normalizer;
mod pairs;
mod parse;
mod simple;
#[cfg(test)]
mod tests;
mod trie;
mod unigram;

pub(crate) use model::SentencePiece;

/// Checks a character table that is part of another kind of file.
///
/// # Errors
/// When it is damaged.
pub(crate) fn check_charsmap(table: &[u8]) -> Result<(), String> {
    charsmap::Charsmap::read(table).map(drop)
}

/// The replacement for a space in pieces.
const SPACE: &str = "\u{2581}";

/// The message for a text that memory does not suffice for.
fn too_long(error: std::collections::TryReserveError) -> String {
    format!("the text does not fit into memory ({error}): cut it first")
}

/// The length of a character in bytes, by its first one.
#[inline(always)]
fn width(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}
