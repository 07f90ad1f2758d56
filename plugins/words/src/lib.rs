//! Words and sentences, as datatrove gets them from spaCy's blank tokenizer of a language.
//!
//! A text is cut at white space. Of each piece, affixes are cut off until none is left ([`affixes`]),
//! an address stays whole ([`address`]), what is left is cut at infixes, and some strings are cut as a
//! table says ([`specials`]).

mod address;
mod affixes;
mod class;
#[allow(missing_docs, reason = "the generated names say what they are")]
pub mod classes;
mod language;
mod sentences;
mod specials;

pub use class::Classes;
pub use language::Language;

use affixes::Affixes;
use classes::{PREFIX, SUFFIX};
use djhost_sdk::text::is_space;
use specials::Specials;

/// Start and end of a word, in bytes.
pub type Span = (u32, u32);

/// Cuts texts into words. Reuses its buffers from text to text.
#[derive(Debug)]
pub struct Words {
    affixes: Affixes,
    specials: Specials,
    spans: Vec<Span>,
    suffixes: Vec<Span>,
    /// Whether to keep white space that spaCy has tokens for.
    spaces: bool,
}

impl Words {
    /// With the rules of a language.
    pub fn new(language: Language) -> Self {
        let affixes = Affixes::new(language);
        let mut words = Self {
            affixes,
            specials: Specials::new(language),
            spans: Vec::new(),
            suffixes: Vec::new(),
            spaces: false,
        };
        words.find_sequences();
        words
    }

    /// The words of `text`, without white space.
    pub fn cut(&mut self, text: &str) -> &[Span] {
        self.spaces = false;
        self.tokens(text);
        &self.spans
    }

    /// Fills in the tokens of `text`: words, and white space that is more than a space between two
    /// words if it is asked for.
    fn tokens(&mut self, text: &str) {
        self.spans.clear();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            // Letters are in no affix.
            let mut plain = true;
            while at < bytes.len() {
                let byte = bytes[at];
                if byte < 0x80 {
                    if byte <= b' ' && is_space(byte.into()) {
                        break;
                    }
                    plain &= byte.is_ascii_alphabetic();
                    at += 1;
                } else {
                    let c = first(&text[at..]);
                    if is_space(c) {
                        break;
                    }
                    plain &= !self.affixes.classes.has(c, PREFIX | SUFFIX);
                    at += c.len_utf8();
                }
            }
            if at > start {
                if plain {
                    match self.specials.get(&text[start..at]) {
                        Some(lengths) => push_all(&mut self.spans, start as u32, lengths),
                        None => self.spans.push((start as u32, at as u32)),
                    }
                } else {
                    self.piece(text, start, at);
                }
            }
            at = self.white_space(text, at);
        }
    }

    /// Skips the white space at `at`.
    fn white_space(&mut self, text: &str, at: usize) -> usize {
        let rest = &text[at..];
        let len = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
        // A space after a word belongs to that word.
        let own = usize::from(at > 0 && rest.starts_with(' '));
        if self.spaces && len > own {
            self.spans.push(((at + own) as u32, (at + len) as u32));
        }
        at + len
    }

    /// Cuts what stands between white space.
    fn piece(&mut self, text: &str, start: usize, end: usize) {
        let first = self.spans.len();
        match self.specials.get(&text[start..end]) {
            Some(lengths) => push_all(&mut self.spans, start as u32, lengths),
            None => self.cut_off(text, start, end, true),
        }
        if self.spans.len() > first + 1 {
            self.specials.join(text, &mut self.spans, first);
        }
    }

    /// Cuts affixes off `text[start..end]`, then what is left at infixes. Without `specials` as if
    /// there were none.
    fn cut_off(&mut self, text: &str, mut start: usize, mut end: usize, specials: bool) {
        self.suffixes.clear();
        let is_special = |words: &Self, text: &str| specials && words.specials.get(text).is_some();
        while start < end {
            let piece = &text[start..end];
            if is_special(self, piece) {
                break;
            }
            let prefix = self.affixes.prefix(piece);
            if prefix > 0 && prefix < piece.len() && is_special(self, &piece[prefix..]) {
                self.spans.push((start as u32, (start + prefix) as u32));
                start += prefix;
                break;
            }
            let suffix = self.affixes.suffix(&piece[prefix..]);
            if suffix > 0
                && suffix < piece.len()
                && is_special(self, &piece[..piece.len() - suffix])
            {
                self.suffixes.push(((end - suffix) as u32, end as u32));
                end -= suffix;
                break;
            }
            if prefix + suffix == 0 {
                break;
            }
            if prefix > 0 {
                self.spans.push((start as u32, (start + prefix) as u32));
                start += prefix;
            }
            if suffix > 0 {
                self.suffixes.push(((end - suffix) as u32, end as u32));
                end -= suffix;
            }
        }
        let piece = &text[start..end];
        match self.specials.get(piece).filter(|_| specials) {
            _ if piece.is_empty() => {}
            Some(lengths) => push_all(&mut self.spans, start as u32, lengths),
            None if address::is_address(piece, self.affixes.classes) => {
                self.spans.push((start as u32, end as u32));
            }
            None => {
                let mut word = start;
                let mut from = 0;
                while let Some((infix, infix_end)) = self.affixes.infix(piece, from) {
                    from = infix_end;
                    // One at the beginning is not cut off.
                    if infix == 0 {
                        continue;
                    }
                    if start + infix > word {
                        self.spans.push((word as u32, (start + infix) as u32));
                    }
                    self.spans
                        .push(((start + infix) as u32, (start + infix_end) as u32));
                    word = start + infix_end;
                }
                if word < end {
                    self.spans.push((word as u32, end as u32));
                }
            }
        }
        self.spans.extend(self.suffixes.drain(..).rev());
    }

    /// Notes into which tokens special strings are cut that have affixes: such a sequence of tokens
    /// is then cut as the string is.
    fn find_sequences(&mut self) {
        let texts: Vec<&'static str> = self.specials.texts().collect();
        for text in texts {
            if self.affixes.prefix(text) + self.affixes.suffix(text) > 0
                || self.affixes.infix(text, 0).is_some()
            {
                self.spans.clear();
                self.cut_off(text, 0, text.len(), false);
                self.specials.add_sequence(text, &self.spans);
            }
        }
    }
}

/// The first character of a text that is not empty.
fn first(text: &str) -> char {
    text.chars().next().unwrap_or_default()
}

/// Adds words of these lengths.
fn push_all(spans: &mut Vec<Span>, mut start: u32, lengths: &[u8]) {
    for &length in lengths {
        spans.push((start, start + u32::from(length)));
        start += u32::from(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(language: Language, text: &str) -> Vec<String> {
        let mut words = Words::new(language);
        let spans = words.cut(text).to_vec();
        spans
            .iter()
            .map(|&(start, end)| text[start as usize..end as usize].to_owned())
            .collect()
    }

    #[test]
    fn words_are_those_of_spacy() {
        // Expected: [token.text for token in spacy.blank("en")(text) if token.text.strip()].
        let cases: [(&str, &[&str]); 14] = [
            ("", &[]),
            (" \n\u{a0} ", &[]),
            ("Hello, world!", &["Hello", ",", "world", "!"]),
            (
                "I can't, don't!",
                &["I", "ca", "n't", ",", "do", "n't", "!"],
            ),
            (
                "5km/h 10% $3.50 US$5 5US$",
                &["5", "km/h", "10", "%", "$", "3.50", "US$", "5", "5", "US$"],
            ),
            (
                "see http://a.example.org/x?y=(z).",
                &["see", "http://a.example.org/x?y=(z", ")", "."],
            ),
            (
                "well-known e.g. this--that... and...so",
                &[
                    "well", "-", "known", "e.g.", "this", "--", "that", "...", "and", "...", "so",
                ],
            ),
            ("(:) :-) U.S. p.m.", &["(", ":)", ":-)", "U.S.", "p.m."]),
            (
                "don’t “quote” it’s",
                &["do", "n’t", "“", "quote", "”", "it", "’s"],
            ),
            (
                "end.Next a,b 1+2 x=y",
                &[
                    "end", ".", "Next", "a", ",", "b", "1", "+", "2", "x", "=", "y",
                ],
            ),
            ("日本語。テスト、", &["日本語。テスト", "、"]),
            ("C++ -5 +5 +x", &["C++", "-5", "+5", "+", "x"]),
            ("mail@example.com me@x", &["mail@example.com", "me@x"]),
            ("……… 5°C. 20°", &["…", "……", "5", "°", "C", ".", "20", "°"]),
        ];
        for (text, expected) in cases {
            assert_eq!(
                words(Language::parse("en").unwrap(), text),
                expected,
                "{text:?}"
            );
        }
        assert_eq!(
            words(Language::parse("xx").unwrap(), "can't 5-a a-b"),
            ["can't", "5-a", "a", "-", "b"]
        );
    }

    #[test]
    fn every_text_is_cut_into_all_of_it_but_white_space() {
        let pieces = [
            "a",
            "Z",
            "9",
            ".",
            "..",
            "…",
            ",",
            "-",
            "—",
            "'s",
            "’",
            "US$",
            "$",
            "%",
            "km",
            "+",
            ":",
            ")",
            "(",
            "/",
            "@",
            "://",
            "http",
            "www",
            "é",
            "ß",
            "д",
            "日",
            "🙂",
            "\u{301}",
            " ",
            "\n",
            "\u{a0}",
            "°",
            "C",
            "can't",
            "p.m.",
            "\u{10ffff}",
            "\0",
        ];
        let mut words = [Words::new(Language::English), Words::new(Language::Other)];
        let (mut ends, mut state) = (Vec::new(), 1u64);
        for length in (0..4000).map(|i| i % 24) {
            let mut text = String::new();
            for _ in 0..length {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            for words in &mut words {
                let mut rest: String = text.chars().filter(|c| !is_space(*c)).collect();
                for &(start, end) in words.cut(&text) {
                    let word = &text[start as usize..end as usize];
                    assert!(!word.is_empty(), "{text:?}");
                    rest = rest
                        .strip_prefix(word)
                        .unwrap_or_else(|| panic!("{word:?} of {text:?}"))
                        .into();
                }
                assert_eq!(rest, "", "{text:?}");
                words.sentence_ends(&text, &mut ends);
                assert!(ends.is_sorted() && ends.iter().all(|&end| text.is_char_boundary(end)));
            }
        }
    }

    /// The table has lines of a text, its words, and the ends of its sentences in characters, as datatrove's
    /// English tokenizer gives them (`plugins/corpus/tests/make_goldens.py`).
    #[test]
    fn words_and_sentences_are_those_of_datatrove() {
        let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/words.jsonl");
        let path = std::env::var("DJHOST_TEST_CORPUS_WORDS").unwrap_or_else(|_| own.into());
        let mut words = Words::new(Language::parse("en").unwrap());
        let (mut ends, mut texts, mut wrong) = (Vec::new(), 0, Vec::new());
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let (text, expected, sentences): (String, Vec<String>, Vec<usize>) =
                serde_json::from_str(line).unwrap();
            texts += 1;
            let got: Vec<&str> = words
                .cut(&text)
                .iter()
                .map(|&(start, end)| &text[start as usize..end as usize])
                .collect();
            if got != expected {
                let at = got
                    .iter()
                    .zip(&expected)
                    .position(|(got, expected)| got != expected)
                    .unwrap_or(0);
                let near =
                    |words: &[&str]| words[at.saturating_sub(2)..words.len().min(at + 4)].join(" ");
                let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
                wrong.push(format!("{:?}, not {:?}", near(&got), near(&expected)));
            }
            words.sentence_ends(&text, &mut ends);
            let ends: Vec<usize> = ends
                .iter()
                .map(|&end| text[..end].chars().count())
                .collect();
            if ends != sentences {
                let at = ends
                    .iter()
                    .zip(&sentences)
                    .position(|(got, expected)| got != expected)
                    .unwrap_or(0);
                wrong.push(format!(
                    "sentences {:?}, not {:?}: {text:.100?}",
                    ends.get(at),
                    sentences.get(at)
                ));
            }
        }
        assert!(texts >= 300, "{texts} texts");
        assert!(
            wrong.is_empty(),
            "{} of {texts} texts differ:\n{}",
            wrong.len(),
            wrong[..wrong.len().min(40)].join("\n")
        );
    }
}
