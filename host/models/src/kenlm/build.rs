//! Tables in memory from an ARPA file, as KenLM builds them.
//!
//! A lookup goes from short n-grams to longer ones and stops where there is none. Some programs
//! leave out n-grams that longer ones end with: these are added, with the probability that backing
//! off gives them.

use super::arpa::Lines;
use super::hash;
use super::header::MOST_WORDS;
use super::probing::Probing;
use super::table::{Growing, Table};
use super::vocabulary::{UNKNOWN, Vocabulary, number_of};
use crate::mapped::Bytes;

/// The probability of unknown words if the file has none.
const UNKNOWN_PROBABILITY: f32 = -100.0;
const SIGN: u32 = 1 << 31;

/// A model from an ARPA file: its tables, and where they are in the bytes.
pub(crate) struct Built {
    pub bytes: Bytes,
    pub vocabulary: Vocabulary,
    pub search: Probing<16>,
    pub words: u64,
}

/// Probability and backoff. The sign of the former is off once a longer n-gram ends with it. A
/// backoff of 0 loses its sign once a longer n-gram begins with it.
type Values = [u8; 8];

fn values(probability: f32, backoff: f32) -> Values {
    let mut values = [0; 8];
    values[..4].copy_from_slice(&(probability.to_bits() | SIGN).to_le_bytes());
    let backoff = if backoff == 0.0 { -0.0 } else { backoff };
    values[4..].copy_from_slice(&backoff.to_le_bytes());
    values
}

fn slot(key: u64, values: Values) -> [u8; 16] {
    let mut slot = [0; 16];
    slot[..8].copy_from_slice(&key.to_le_bytes());
    slot[8..].copy_from_slice(&values);
    slot
}

fn bits_at(values: &[u8], at: usize) -> u32 {
    let bytes = values.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The probability, whatever its sign says.
fn probability(values: &[u8]) -> f32 {
    f32::from_bits(bits_at(values, 0) | SIGN)
}

/// Marks that a longer n-gram ends with these values.
fn mark_end(values: &mut [u8]) {
    let bits = bits_at(values, 0) & !SIGN;
    values[..4].copy_from_slice(&bits.to_le_bytes());
}

/// Marks that a longer n-gram begins with these values; returns the backoff.
fn mark_start(values: &mut [u8]) -> f32 {
    // Adding nothing removes the sign of a 0.
    let backoff = f32::from_bits(bits_at(values, 4)) + 0.0;
    values[4..8].copy_from_slice(&backoff.to_le_bytes());
    backoff
}

/// Reads an ARPA file.
///
/// # Errors
/// With the line that is wrong.
pub(crate) fn build(file: &[u8]) -> Result<Built, String> {
    let mut lines = Lines::new(file);
    let counts = lines.counts()?;
    let order = counts.len();
    if !(2..=MOST_WORDS).contains(&order) {
        return Err(lines.wrong(&format!(
            "its n-grams have up to {order} words, and it must be from 2 to {MOST_WORDS}"
        )));
    }
    let mut builder = Builder {
        words: Growing::new(counts[0] as usize),
        unigrams: vec![values(UNKNOWN_PROBABILITY, 0.0)],
        middles: counts[1..order - 1]
            .iter()
            .map(|count| Growing::new(*count as usize))
            .collect(),
        longest: Growing::new(counts[order - 1] as usize),
    };
    // As if it were a context.
    mark_start(&mut builder.unigrams[0]);
    lines.section(1)?;
    for _ in 0..counts[0] {
        builder.unigram(&mut lines)?;
    }
    for (words, count) in (2..).zip(&counts[1..]) {
        lines.section(words)?;
        for _ in 0..*count {
            builder.ngram(&mut lines, words, order)?;
        }
    }
    lines.end()?;
    for marker in ["<s>", "</s>"] {
        if builder
            .words
            .find(hash::of_word(marker.as_bytes()))
            .is_none()
        {
            return Err(format!(
                "the ARPA file has no `{marker}` among its 1-grams: estimate the model with start and end of sentences"
            ));
        }
    }
    builder.finish()
}

struct Builder {
    words: Growing<12>,
    unigrams: Vec<Values>,
    middles: Vec<Growing<16>>,
    longest: Growing<12>,
}

fn is_unknown(word: &[u8]) -> bool {
    matches!(word, b"<unk>" | b"<UNK>")
}

impl Builder {
    fn unigram(&mut self, lines: &mut Lines<'_>) -> Result<(), String> {
        let mut word: &[u8] = &[];
        let entry = lines.entry(1, |text| word = text)?;
        let values = values(entry.probability, entry.backoff);
        if is_unknown(word) {
            self.unigrams[0] = values;
            return Ok(());
        }
        let mut slot = [0; 12];
        slot[..8].copy_from_slice(&hash::of_word(word).to_le_bytes());
        let number = u32::try_from(self.unigrams.len())
            .map_err(|_| lines.wrong("there are too many words"))?;
        slot[8..].copy_from_slice(&number.to_le_bytes());
        self.words.add(slot);
        self.unigrams.push(values);
        Ok(())
    }

    fn ngram(&mut self, lines: &mut Lines<'_>, words: usize, order: usize) -> Result<(), String> {
        // The numbers of the words, the last one first.
        let mut numbers = [0; MOST_WORDS];
        let (mut place, mut strange) = (words, false);
        let entry = lines.entry(words, |text| {
            place -= 1;
            let found = self.words.find(hash::of_word(text));
            numbers[place] = found.map_or(UNKNOWN, |slot| number_of(slot));
            strange |= numbers[place] == UNKNOWN && !is_unknown(text);
        })?;
        let numbers = &numbers[..words];
        if strange {
            return Err(lines.wrong(&format!(
                "`{}` has a word that is not among the 1-grams",
                entry.text()
            )));
        }
        let mut key = u64::from(numbers[0]);
        for number in &numbers[1..] {
            key = hash::extend(key, *number);
        }
        if words == order {
            if entry.backoff != 0.0 {
                return Err(lines.wrong("the longest n-grams have no backoff"));
            }
            let mut slot = [0; 12];
            slot[..8].copy_from_slice(&key.to_le_bytes());
            let bits = entry.probability.to_bits() | SIGN;
            slot[8..].copy_from_slice(&bits.to_le_bytes());
            self.longest.add(slot);
        } else {
            self.middles[words - 2].add(slot(key, values(entry.probability, entry.backoff)));
        }
        self.mark_ends(numbers);
        match self.values(&numbers[1..]) {
            Some(context) => mark_start(context),
            None => {
                return Err(lines.wrong(&format!(
                    "the words of `{}` without the last one are no n-gram of the file",
                    entry.text()
                )));
            }
        };
        Ok(())
    }

    /// The values of an n-gram of words, the last one first, that is not of the longest.
    fn values(&mut self, numbers: &[u32]) -> Option<&mut [u8]> {
        let (first, others) = numbers.split_first()?;
        if others.is_empty() {
            return Some(self.unigrams.get_mut(*first as usize)?);
        }
        let key = others
            .iter()
            .fold(u64::from(*first), |key, number| hash::extend(key, *number));
        Some(&mut self.middles.get_mut(numbers.len() - 2)?.find(key)?[8..])
    }

    /// Marks the n-grams that one ends with, and adds those that the file leaves out.
    fn mark_ends(&mut self, numbers: &[u32]) {
        let mut known = numbers.len() - 1;
        while self.values(&numbers[..known]).is_none() && known > 1 {
            known -= 1;
        }
        let mut chance = 0.0;
        if let Some(values) = self.values(&numbers[..known]) {
            chance = probability(values);
            mark_end(values);
        }
        for words in known + 1..numbers.len() {
            chance += self.values(&numbers[1..words]).map_or(0.0, mark_start);
            let mut added = values(chance, 0.0);
            mark_end(&mut added);
            let key = numbers[1..words]
                .iter()
                .fold(u64::from(numbers[0]), |key, number| {
                    hash::extend(key, *number)
                });
            self.middles[words - 2].add(slot(key, added));
        }
    }

    fn finish(self) -> Result<Built, String> {
        let words = self.unigrams.len() as u64;
        let mut bytes = Vec::new();
        let vocabulary = Vocabulary::Table(self.words.finish(&mut bytes));
        let start = bytes.len();
        bytes.extend_from_slice(self.unigrams.as_flattened());
        let unigrams = start..bytes.len();
        let middles: Vec<Table<16>> = self
            .middles
            .into_iter()
            .map(|table| table.finish(&mut bytes))
            .collect();
        let search = Probing {
            unigrams,
            middles,
            longest: self.longest.finish(&mut bytes),
        };
        Ok(Built {
            bytes: Bytes::Loaded(bytes),
            vocabulary,
            search,
            words,
        })
    }
}
