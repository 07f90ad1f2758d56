//! Strings that are cut as a table says.

use super::{Language, Span, push_all};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// The table of a language.
#[derive(Debug)]
pub(super) struct Specials {
    /// The lengths of the words of a string.
    words: HashMap<&'static str, Vec<u8>, FixedState>,
    /// The lengths of the tokens that the rules make of a string.
    sequences: HashMap<&'static str, Vec<u8>, FixedState>,
    /// Bytes of the longest string.
    longest: usize,
    /// Tokens of the longest sequence.
    most: usize,
    found: Vec<(usize, usize)>,
}

impl Specials {
    pub(super) fn new(language: Language) -> Self {
        let mut words = HashMap::default();
        let mut longest = 0;
        for line in language.specials().flat_map(str::lines) {
            let lengths: Vec<u8> = line.split(' ').map(|word| word.len() as u8).collect();
            // The words in a row are the string.
            let text: &'static str = line.replace(' ', "").leak();
            longest = longest.max(text.len());
            words.insert(text, lengths);
        }
        Self {
            words,
            sequences: HashMap::default(),
            longest,
            most: 0,
            found: Vec::new(),
        }
    }

    /// The lengths of the words that `text` is cut into, if it is in the table.
    #[inline]
    pub(super) fn get(&self, text: &str) -> Option<&[u8]> {
        if text.len() > self.longest {
            return None;
        }
        self.words.get(text).map(Vec::as_slice)
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &'static str> {
        self.words.keys().copied()
    }

    /// Notes that the rules make `tokens` of `text`.
    pub(super) fn add_sequence(&mut self, text: &'static str, tokens: &[Span]) {
        self.most = self.most.max(tokens.len());
        let lengths = tokens
            .iter()
            .map(|(start, end)| (end - start) as u8)
            .collect();
        self.sequences.insert(text, lengths);
    }

    /// Cuts sequences of tokens from token `first` on as the table says, longer ones first. No white
    /// space is between them.
    pub(super) fn join(&mut self, text: &str, spans: &mut Vec<Span>, first: usize) {
        self.found.clear();
        for from in first..spans.len() {
            for to in from..spans.len().min(from + self.most) {
                let (start, end) = (spans[from].0 as usize, spans[to].1 as usize);
                if end - start > self.longest {
                    break;
                }
                let lengths = self.sequences.get(&text[start..end]);
                let is_sequence = |lengths: &Vec<u8>| {
                    let tokens = spans[from..=to].iter().map(|(start, end)| end - start);
                    tokens.eq(lengths.iter().map(|&length| u32::from(length)))
                };
                if lengths.is_some_and(is_sequence) {
                    self.found.push((from, to + 1));
                }
            }
        }
        if self.found.is_empty() {
            return;
        }
        self.found
            .sort_by_key(|&(from, to)| (std::cmp::Reverse(to - from), from));
        let mut seen = vec![false; spans.len() - first];
        self.found.retain(|&(from, to)| {
            let free = !seen[from - first] && !seen[to - 1 - first];
            seen[from - first..to - first].fill(true);
            free
        });
        self.found.sort_unstable();
        let tokens = spans.split_off(first);
        let mut next = first;
        for &(from, to) in &self.found {
            spans.extend(&tokens[next - first..from - first]);
            let (start, end) = (tokens[from - first].0, tokens[to - 1 - first].1);
            push_all(
                spans,
                start,
                &self.words[&text[start as usize..end as usize]],
            );
            next = to;
        }
        spans.extend(&tokens[next - first..]);
    }
}
