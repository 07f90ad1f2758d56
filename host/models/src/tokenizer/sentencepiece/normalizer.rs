//! Normalises a text before it is cut: replaces characters, tidies white space, makes spaces
//! visible.

use super::charsmap::Charsmap;
use super::trie::{NONE, Trie};
use super::{SPACE, too_long, width};

/// Finds the longest user-defined symbol at the start of a text: these are never changed or cut.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    trie: Option<Trie>,
    /// Whether a symbol starts with the byte.
    first: Vec<bool>,
}

/// Number of symbols starting at the same place that sentencepiece considers.
const MOST: usize = 64;

impl Symbols {
    pub(crate) fn new(symbols: &[(&[u8], u32)]) -> Result<Self, String> {
        if symbols.is_empty() {
            return Ok(Self::default());
        }
        let mut first = vec![false; 256];
        symbols
            .iter()
            .for_each(|(symbol, _)| first[usize::from(symbol[0])] = true);
        Ok(Self {
            trie: Some(Trie::new(symbols)?),
            first,
        })
    }

    /// Whether a symbol starts with the byte.
    #[inline(always)]
    fn begins(&self, byte: u8) -> bool {
        self.first.get(usize::from(byte)) == Some(&true)
    }

    /// The length of the longest symbol at the start of `text`.
    #[inline]
    pub(crate) fn longest(&self, text: &[u8]) -> Option<usize> {
        let trie = self
            .trie
            .as_ref()
            .filter(|_| text.first().is_some_and(|&byte| self.begins(byte)))?;
        let (mut node, mut found, mut matches) = (trie.root(), None, 0);
        for (at, &byte) in text.iter().enumerate() {
            let Some((next, value)) = trie.step(node, byte) else {
                break;
            };
            node = next;
            if value != NONE && matches < MOST {
                found = Some(at + 1);
                matches += 1;
            }
        }
        found
    }
}

#[derive(Debug)]
pub(crate) struct Normalizer {
    pub charsmap: Option<Charsmap>,
    /// Adds a space before (or after) the text.
    pub add_dummy_prefix: bool,
    /// Removes spaces at both ends, and all but one of a run.
    pub remove_extra_whitespaces: bool,
    /// Make spaces visible.
    pub escape_whitespaces: bool,
    /// Adds that space after the text.
    pub whitespace_as_suffix: bool,
}

impl Normalizer {
    /// Writes the normal form of `text` to `out`.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn normalize(
        &self,
        text: &str,
        symbols: &Symbols,
        out: &mut String,
    ) -> Result<(), String> {
        out.clear();
        let space = if self.escape_whitespaces { SPACE } else { " " };
        let mut at = 0;
        if self.remove_extra_whitespaces {
            while let Some((length, " ")) = self.prefix(&text[at..], symbols) {
                at += length;
            }
        }
        if at == text.len() {
            return Ok(());
        }
        out.try_reserve(text.len() + text.len() / 4)
            .map_err(too_long)?;
        if self.add_dummy_prefix && !self.whitespace_as_suffix {
            out.push_str(space);
        }
        let mut after_space = self.remove_extra_whitespaces;
        let bytes = text.as_bytes();
        while at < text.len() {
            let run = self.plain(&bytes[at..], symbols);
            if run > 0 {
                push(out, &text[at..at + run])?;
                at += run;
                after_space = false;
            }
            let Some((length, mut part)) = self.prefix(&text[at..], symbols) else {
                break;
            };
            at += length;
            if after_space {
                part = part.trim_start_matches(' ');
            }
            // Nothing, or spaces after a space.
            if part.is_empty() {
                continue;
            }
            // Most often it is a character.
            while let Some(end) = part.bytes().position(|byte| byte == b' ') {
                push(out, &part[..end])?;
                push(out, space)?;
                part = &part[end + 1..];
                after_space = part.is_empty();
            }
            if !part.is_empty() {
                push(out, part)?;
                after_space = false;
            }
            after_space &= self.remove_extra_whitespaces;
        }
        if self.remove_extra_whitespaces {
            out.truncate(out.trim_end_matches(space).len());
        }
        if self.add_dummy_prefix && self.whitespace_as_suffix {
            out.push_str(space);
        }
        Ok(())
    }

    /// Length of the run of unchanged ASCII characters other than spaces at the start of `text`.
    #[inline]
    fn plain(&self, text: &[u8], symbols: &Symbols) -> usize {
        let stays = |byte: u8| {
            byte < 0x80
                && byte != b' '
                && !symbols.begins(byte)
                && self.charsmap.as_ref().is_none_or(|map| map.is_plain(byte))
        };
        let run = text
            .iter()
            .position(|&byte| !stays(byte))
            .unwrap_or(text.len());
        // A rule may combine the last one with what follows.
        match text.get(run) {
            Some(0x80..) if self.charsmap.is_some() => run.saturating_sub(1),
            _ => run,
        }
    }

    /// The length of the first symbol, rule or character of `text`, and its replacement.
    #[inline]
    fn prefix<'a>(&'a self, text: &'a str, symbols: &Symbols) -> Option<(usize, &'a str)> {
        let bytes = text.as_bytes();
        if let Some(length) = symbols.longest(bytes) {
            return Some((length, text.get(..length)?));
        }
        if let Some((length, replacement)) =
            self.charsmap.as_ref().and_then(|map| map.longest(bytes))
            && text.is_char_boundary(length)
        {
            return Some((length, replacement));
        }
        let length = width(*bytes.first()?);
        Some((length, text.get(..length)?))
    }
}

/// Rules can expand a text enormously, so memory may not suffice.
#[inline(always)]
fn push(out: &mut String, part: &str) -> Result<(), String> {
    out.try_reserve(part.len()).map_err(too_long)?;
    out.push_str(part);
    Ok(())
}
