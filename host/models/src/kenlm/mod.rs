//! Language models of n-grams: ARPA files, and binaries of KenLM (probing, trie, quantised, with
//! compressed pointers), which are mapped.
//!
//! Written from the formats. A probing binary has hash tables, one per length of n-grams, whose
//! keys are hashes of the words; a trie has sorted arrays of words with pointers into the next
//! array, packed to bits. An ARPA file becomes tables like those of a probing binary, in memory.

mod arpa;
mod bits;
mod build;
mod hash;
mod header;
mod layout;
mod model;
mod pointers;
mod probing;
mod quantised;
mod score;
mod sorted;
mod table;
#[cfg(test)]
mod tests;
mod trie;
mod vocabulary;

pub use model::Model;
pub(crate) use model::is_one;
