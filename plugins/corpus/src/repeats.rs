//! What is repeated within a text: pieces, and runs of words.

use djhost_sdk::text::{code_points, word_hash};
use djhost_words::Span;
use hashbrown::HashTable;

/// A factor for hashes of runs: odd, without structure (digits of e).
const FACTOR: u64 = 0xb7e1_5162_8aed_2a6b;

/// Finds pieces that stand in a text again. Reuses its table from text to text.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    seen: HashTable<(u64, Span)>,
}

impl Pieces {
    /// The number of pieces of `text`, of those that an earlier one is equal to, and of the code points
    /// of the latter.
    pub(crate) fn repeated<'a>(
        &mut self,
        text: &'a str,
        pieces: impl Iterator<Item = &'a str>,
    ) -> Repeated {
        self.seen.clear();
        let mut found = Repeated::default();
        for piece in pieces {
            found.pieces += 1;
            let start = (piece.as_ptr() as usize - text.as_ptr() as usize) as u32;
            let span = (start, start + piece.len() as u32);
            let hash = mix(word_hash(piece.as_bytes()));
            let equal = |&(other, (start, end)): &(u64, Span)| {
                other == hash && text[start as usize..end as usize] == *piece
            };
            if self.seen.find(hash, equal).is_some() {
                found.repeated += 1;
                found.characters += code_points(piece);
            } else {
                self.seen
                    .insert_unique(hash, (hash, span), |&(hash, _)| hash);
            }
        }
        found
    }
}

/// What [`Pieces`] finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Repeated {
    pub(crate) pieces: usize,
    pub(crate) repeated: usize,
    pub(crate) characters: usize,
}

/// Counts the runs of n words of a text, for growing n. Each run has a number, in the order of its
/// first place; a run of n words is one of n - 1 and a word.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    words: HashTable<(u64, u32, Span)>,
    pairs: HashTable<(u64, u32)>,
    /// The number of each word.
    word: Vec<u32>,
    /// The number of the run that begins at each word.
    run: Vec<u32>,
    /// How often each run stands there, and the first place.
    counts: Vec<(u32, u32)>,
    n: usize,
}

impl Runs {
    /// Begins with the words of `text`.
    pub(crate) fn start(&mut self, text: &str, words: &[Span]) {
        self.words.clear();
        self.word.clear();
        for &(start, end) in words {
            let word = &text[start as usize..end as usize];
            let hash = mix(word_hash(word.as_bytes()));
            let equal = |&(other, _, (start, end)): &(u64, u32, Span)| {
                other == hash && text[start as usize..end as usize] == *word
            };
            let number = match self.words.find(hash, equal) {
                Some(found) => found.1,
                None => {
                    let number = self.words.len() as u32;
                    self.words
                        .insert_unique(hash, (hash, number, (start, end)), |&(hash, ..)| hash);
                    number
                }
            };
            self.word.push(number);
        }
        self.run.clone_from(&self.word);
        self.n = 1;
        self.count(self.words.len());
    }

    fn count(&mut self, different: usize) {
        self.counts.clear();
        self.counts.resize(different, (0, 0));
        for (place, &number) in self.run.iter().enumerate() {
            let (count, first) = &mut self.counts[number as usize];
            if *count == 0 {
                *first = place as u32;
            }
            *count += 1;
        }
    }

    /// How often the commonest run of `n` words stands there, and where first; of equally common ones
    /// that with the earliest place. None if the text has fewer words. `n` must not fall.
    pub(crate) fn most_common(&mut self, n: usize) -> Option<(usize, usize)> {
        while self.n < n && !self.run.is_empty() {
            self.pairs.clear();
            let next_words = &self.word[self.n.min(self.word.len())..];
            self.run.truncate(next_words.len());
            let mut different = 0;
            for (run, &next) in self.run.iter_mut().zip(next_words) {
                let pair = u64::from(*run) << 32 | u64::from(next);
                let entry = self.pairs.entry(
                    mix(pair),
                    |&(other, _)| other == pair,
                    |&(pair, _)| mix(pair),
                );
                let number = entry.or_insert_with(|| {
                    different += 1;
                    (pair, different - 1)
                });
                *run = number.get().1;
            }
            self.n += 1;
            self.count(different as usize);
        }
        let mut best: Option<(u32, u32)> = None;
        for &(count, first) in &self.counts[..if self.run.is_empty() {
            0
        } else {
            self.counts.len()
        }] {
            if best.is_none_or(|(most, _)| count > most) {
                best = Some((count, first));
            }
        }
        best.map(|(count, first)| (count as usize, first as usize))
    }
}

/// Finds runs of n words again, compared without what is between the words.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// The words without anything between them.
    text: String,
    /// Where each word begins, in bytes and in code points; one more for the end.
    bytes: Vec<u32>,
    characters: Vec<u32>,
    /// The hash of the text up to each word.
    hashes: Vec<u64>,
    /// Powers of [`FACTOR`].
    powers: Vec<u64>,
    seen: HashTable<(u64, Span)>,
}

impl Joined {
    /// Begins with the words of `text`.
    pub(crate) fn start(&mut self, text: &str, words: &[Span]) {
        self.text.clear();
        self.bytes.clear();
        self.characters.clear();
        self.hashes.clear();
        let (mut hash, mut characters) = (0u64, 0);
        let note = |joined: &Self, hash, characters| (joined.text.len() as u32, characters, hash);
        for &(start, end) in words {
            let word = &text[start as usize..end as usize];
            let (bytes, code_points_before, hash_before) = note(self, hash, characters);
            self.bytes.push(bytes);
            self.characters.push(code_points_before);
            self.hashes.push(hash_before);
            for &byte in word.as_bytes() {
                hash = hash.wrapping_mul(FACTOR).wrapping_add(u64::from(byte) + 1);
            }
            characters += code_points(word) as u32;
            self.text.push_str(word);
        }
        self.bytes.push(self.text.len() as u32);
        self.characters.push(characters);
        self.hashes.push(hash);
        if self.powers.is_empty() {
            self.powers.push(1);
        }
        // A run is at most as long as the text.
        while self.powers.len() <= self.text.len() {
            self.powers
                .push(self.powers[self.powers.len() - 1].wrapping_mul(FACTOR));
        }
    }

    /// The code points of runs of `n` words that stand there again. After one of these the search goes
    /// on behind it.
    pub(crate) fn repeated(&mut self, n: usize) -> usize {
        self.seen.clear();
        let words = self.bytes.len() - 1;
        let (mut at, mut characters) = (0, 0);
        while at + n <= words {
            let span = (self.bytes[at], self.bytes[at + n]);
            let run = &self.text[span.0 as usize..span.1 as usize];
            let hash = self.hashes[at + n]
                .wrapping_sub(self.hashes[at].wrapping_mul(self.powers[run.len()]));
            let equal = |&(other, (start, end)): &(u64, Span)| {
                other == hash && self.text[start as usize..end as usize] == *run
            };
            if self.seen.find(mix(hash), equal).is_some() {
                characters += (self.characters[at + n] - self.characters[at]) as usize;
                at += n;
            } else {
                self.seen
                    .insert_unique(mix(hash), (hash, span), |&(hash, _)| mix(hash));
                at += 1;
            }
        }
        characters
    }
}

/// Spreads a hash over all bits (SplitMix64).
#[inline(always)]
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<Span> {
        let mut at = 0;
        let mut found = Vec::new();
        for word in text.split(' ') {
            found.push((at, at + word.len() as u32));
            at += word.len() as u32 + 1;
        }
        found
    }

    #[test]
    fn pieces_count_from_the_second_on() {
        let text = "a bé a bé bé";
        let found = Pieces::default().repeated(text, text.split(' '));
        assert_eq!(
            found,
            Repeated {
                pieces: 5,
                repeated: 3,
                characters: 5
            }
        );
    }

    #[test]
    fn the_earliest_of_the_commonest_runs_is_taken() {
        let text = "x a b y a b z c d c d";
        let mut runs = Runs::default();
        runs.start(text, &spans(text));
        assert_eq!(runs.most_common(1), Some((2, 1)));
        assert_eq!(runs.most_common(2), Some((2, 1)));
        assert_eq!(runs.most_common(3), Some((1, 0)));
        assert_eq!(runs.most_common(11), Some((1, 0)));
        assert_eq!(runs.most_common(12), None);
    }

    #[test]
    fn repeated_runs_are_compared_without_spaces() {
        let text = "a bc d ab c d ab c d";
        let mut joined = Joined::default();
        joined.start(text, &spans(text));
        assert_eq!(joined.repeated(3), 8);
        assert_eq!(joined.repeated(2), 6);
        assert_eq!(joined.repeated(10), 0);
    }
}
