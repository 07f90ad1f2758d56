//! Shingles: the overlapping runs of tokens of a text, which near-duplicate detection compares.

use crate::digest::SLACK;
use crate::simplify::Simplifier;
use djhost_sdk::Reject;
use djhost_sdk::models::Model;
use djhost_sdk::text::{blocks, lower_into, plain_pattern, word_hash};
use djhost_words::Words;
use regex::Regex;
use regex_syntax::hir::{Class, ClassUnicodeRange, HirKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How texts are cut into tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tokenization {
    /// At spaces.
    #[default]
    Space,
    /// At punctuation.
    Punctuation,
    /// Each character is a token.
    Character,
    /// Into the pieces of a sentencepiece model, which needs `tokenizer_model`. Not for simhash.
    Sentencepiece,
    /// Into words by the rules of `language`, as datatrove does. Not for simhash.
    Word,
}

/// By which hashes of shingles weigh their tokens: odd, without structure (digits of e).
const FACTOR: u64 = 0xb7e1_5162_8aed_2a6b;

/// Cuts texts into shingles. Reuses its buffers from text to text.
#[derive(Debug, Default)]
pub(crate) struct Shingles {
    tokenization: Tokenization,
    window: usize,
    lowercase: bool,
    ignore: Option<Regex>,
    model: Option<Model>,
    words: Option<Words>,
    simplifier: Option<Simplifier>,
    /// The ranges of Unicode's punctuation, sorted.
    punctuation: Vec<ClassUnicodeRange>,
    merge_short: bool,
    scratch: [String; 2],
    /// The tokens with their separators in shingles, so that each shingle is a slice of it.
    joined: String,
    /// Start and end of each token in `joined`.
    tokens: Vec<(u32, u32)>,
}

impl Shingles {
    /// # Errors
    /// A sentence that names the parameter and says what is valid.
    pub(crate) fn new(
        tokenization: Tokenization,
        window: usize,
        lowercase: bool,
        ignore: Option<&str>,
        merge_short: bool,
        model: Option<Model>,
    ) -> Result<Self, String> {
        if window == 0 {
            return Err("`window_size` is 0: it must be at least 1".into());
        }
        let punctuation = match tokenization {
            Tokenization::Punctuation => punctuation(),
            _ => Vec::new(),
        };
        // An empty pattern means no pattern, as in Python.
        let ignore = ignore
            .filter(|pattern| !pattern.is_empty())
            .map(|pattern| plain_pattern("ignore_pattern", pattern))
            .transpose()?;
        Ok(Self {
            tokenization,
            window,
            lowercase,
            ignore,
            punctuation,
            merge_short,
            model,
            ..Self::default()
        })
    }

    /// With the words of a language for tokens.
    pub(crate) fn of_words(self, words: Words) -> Self {
        Self {
            words: Some(words),
            ..self
        }
    }

    /// Of texts that are simplified as datatrove does.
    pub(crate) fn simplified(self) -> Self {
        Self {
            simplifier: Some(Simplifier::new()),
            ..self
        }
    }

    /// Cuts `text`.
    ///
    /// # Errors
    /// When the text cannot be cut.
    pub(crate) fn cut(&mut self, text: &str) -> Result<Cut<'_>, Reject> {
        let [lower, kept] = &mut self.scratch;
        let mut text = text;
        if let Some(simplifier) = &mut self.simplifier {
            text = simplifier.simplify(text);
        }
        if self.lowercase {
            lower.clear();
            lower_into(text, lower);
            text = lower;
        }
        if let Some(ignore) = &self.ignore {
            kept.clear();
            let mut done = 0;
            for found in ignore.find_iter(text) {
                kept.push_str(&text[done..found.start()]);
                done = found.end();
            }
            kept.push_str(&text[done..]);
            text = kept;
        }
        self.joined.clear();
        self.tokens.clear();
        let mut push = |token: &str, separator: &str| {
            if !self.tokens.is_empty() {
                self.joined.push_str(separator);
            }
            let start = self.joined.len() as u32;
            self.joined.push_str(token);
            self.tokens.push((start, self.joined.len() as u32));
        };
        match (self.tokenization, &self.model) {
            (_, Some(model)) => {
                let pieces = model.pieces(text)?;
                pieces.iter().flatten().for_each(|piece| push(piece, ""));
            }
            (Tokenization::Word, _) => {
                let words = self.words.iter_mut().flat_map(|words| words.cut(text));
                words.for_each(|&(start, end)| push(&text[start as usize..end as usize], " "));
            }
            (Tokenization::Space, _) => words(text, &mut self.joined, &mut self.tokens),
            (Tokenization::Punctuation, _) => text
                .split(|c| is_in(&self.punctuation, c))
                .for_each(|part| push(part, " ")),
            (Tokenization::Character | Tokenization::Sentencepiece, _) => {
                text.char_indices()
                    .for_each(|(at, c)| push(&text[at..at + c.len_utf8()], ""));
            }
        }
        let whole = self.joined.len();
        self.joined.extend([' '; SLACK]);
        Ok(Cut {
            bytes: self.joined.as_bytes(),
            whole: (self.tokens.len() < self.window && !self.merge_short).then_some(whole),
            tokens: &self.tokens,
            window: self.window,
        })
    }
}

/// The shingles of a text.
#[derive(Debug)]
pub(crate) struct Cut<'a> {
    /// The shingles are slices of it. [`SLACK`] more bytes follow the last one.
    pub(crate) bytes: &'a [u8],
    /// The length of a text with fewer tokens than the window if it counts as a shingle.
    whole: Option<usize>,
    tokens: &'a [(u32, u32)],
    window: usize,
}

impl Cut<'_> {
    /// Where the shingles are in the bytes. A text with fewer tokens than the window has one, the
    /// whole text, or none if short documents are to be merged.
    pub(crate) fn shingles(&self) -> impl Iterator<Item = Range<usize>> {
        let last = self.tokens.get(self.window - 1..).unwrap_or_default();
        let long = self.tokens.iter().zip(last);
        self.whole
            .map(|whole| 0..whole)
            .into_iter()
            .chain(long.map(|(first, last)| first.0 as usize..last.1 as usize))
    }

    /// A hash of each shingle, made from those of its tokens, so that the work does not grow with
    /// the window. Not mixed: it needs to go through another hash function. `tokens` is a buffer.
    pub(crate) fn hashes(&self, tokens: &mut Vec<u64>, out: &mut Vec<u64>) {
        tokens.clear();
        let token =
            |&(start, end): &(u32, u32)| word_hash(&self.bytes[start as usize..end as usize]);
        tokens.extend(self.tokens.iter().map(token));
        let push = |hash: u64, token: &u64| hash.wrapping_mul(FACTOR).wrapping_add(*token);
        out.clear();
        if tokens.len() < self.window {
            out.extend(self.whole.map(|_| tokens.iter().fold(0, push)));
            return;
        }
        let (first, later) = tokens.split_at(self.window);
        let gone = first
            .iter()
            .fold(1u64, |power, _| power.wrapping_mul(FACTOR));
        let mut hash = first.iter().fold(0, push);
        out.push(hash);
        out.extend(later.iter().zip(tokens.iter()).map(|(new, old)| {
            hash = push(hash, new).wrapping_sub(old.wrapping_mul(gone));
            hash
        }));
    }
}

/// Splits at spaces: appends the words to `joined`, separated by one space, and their positions to
/// `tokens`.
fn words(text: &str, joined: &mut String, tokens: &mut Vec<(u32, u32)>) {
    // Start of the word, end of what was copied, and number of bytes left out.
    let (mut word, mut copied, mut left_out) = (0, 0, 0);
    let mut end_word = |space: usize| {
        if space > word {
            tokens.push(((word - left_out) as u32, (space - left_out) as u32));
        } else {
            // The space before this one ended a word, or is the start: this one is superfluous.
            joined.push_str(&text[copied..space]);
            copied = (space + 1).min(text.len());
            left_out += 1;
        }
        word = space + 1;
    };
    blocks(text, |block| {
        let mut spaces = block.mask(|lanes| lanes.eq(b' '));
        while spaces != 0 {
            end_word(block.start + spaces.trailing_zeros() as usize);
            spaces &= spaces - 1;
        }
    });
    end_word(text.len());
    joined.push_str(&text[copied..]);
    // A space at the end.
    joined.truncate(tokens.last().map_or(0, |last| last.1 as usize));
}

/// The characters of Unicode's general category P.
fn punctuation() -> Vec<ClassUnicodeRange> {
    match regex_syntax::parse(r"\p{P}").map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => class.ranges().to_vec(),
        other => unreachable!("a class of characters is a class: {other:?}"),
    }
}

fn is_in(ranges: &[ClassUnicodeRange], c: char) -> bool {
    let after = ranges.partition_point(|range| range.start() <= c);
    after > 0 && c <= ranges[after - 1].end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shingles(
        tokenization: Tokenization,
        window: usize,
        ignore: Option<&str>,
        text: &str,
    ) -> Vec<String> {
        let mut shingles = Shingles::new(tokenization, window, true, ignore, false, None).unwrap();
        let cut = shingles.cut(text).unwrap();
        cut.shingles()
            .map(|range| String::from_utf8(cut.bytes[range].to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn words_are_what_spaces_separate() {
        assert_eq!(
            shingles(Tokenization::Space, 2, None, " A  b\nc d"),
            ["a b\nc", "b\nc d"]
        );
        assert_eq!(shingles(Tokenization::Space, 3, None, "a b"), ["a b"]);
        assert_eq!(shingles(Tokenization::Space, 1, None, "  "), [""]);
        assert_eq!(
            shingles(Tokenization::Space, 9, None, "   a   b c  "),
            ["a b c"]
        );
        for text in [
            "x  ".repeat(50),
            "word ".repeat(40),
            " ".repeat(64) + "é" + &" ".repeat(63) + "z",
        ] {
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            let expected: Vec<String> = words.windows(2).map(|two| two.join(" ")).collect();
            assert_eq!(shingles(Tokenization::Space, 2, None, &text), expected);
        }
    }

    #[test]
    fn equal_shingles_and_no_others_have_equal_hashes() {
        let text = "a b c d a b c e b a c b a b c";
        for window in [1, 2, 3, 15, 16] {
            let mut cutter =
                Shingles::new(Tokenization::Space, window, true, None, false, None).unwrap();
            let cut = cutter.cut(text).unwrap();
            let (mut tokens, mut hashes) = (Vec::new(), Vec::new());
            cut.hashes(&mut tokens, &mut hashes);
            let shingles: Vec<&[u8]> = cut.shingles().map(|range| &cut.bytes[range]).collect();
            assert_eq!(hashes.len(), shingles.len());
            for (a, first) in hashes.iter().zip(&shingles) {
                for (b, second) in hashes.iter().zip(&shingles) {
                    assert_eq!(a == b, first == second, "{window}");
                }
            }
        }
    }

    #[test]
    fn punctuation_leaves_empty_tokens() {
        assert_eq!(
            shingles(Tokenization::Punctuation, 2, None, "a, b。c+d."),
            ["a  b", " b c+d", "c+d "]
        );
    }

    #[test]
    fn characters_are_code_points() {
        assert_eq!(
            shingles(Tokenization::Character, 2, None, "Aé日b"),
            ["aé", "é日", "日b"]
        );
        assert_eq!(
            shingles(Tokenization::Character, 2, Some(r"\d+|é"), "A1é22b3c"),
            ["ab", "bc"]
        );
    }
}
