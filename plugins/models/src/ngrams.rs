//! The weights of n-grams for the languages of one script.

use crate::script::{Script, script};

/// Most languages of one script: rows of the table have this length.
pub(crate) const LANGUAGES: usize = 48;

/// The longest n-gram, in letters. Four letters of 16 bits make a key.
const LONGEST: u32 = 4;

/// The sum of a text's weights for each language.
pub(crate) type Sums = [u32; LANGUAGES];

/// N-grams and their weights: an open hash table. `keys` holds the letters of an n-gram, 16 bits
/// each, and 0 in free slots.
pub(crate) struct Table {
    /// The languages, in the order of the weights.
    pub(crate) labels: Vec<&'static str>,
    keys: Vec<u64>,
    rows: Vec<[u8; LANGUAGES]>,
}

impl Table {
    /// Reads a file of `languages/`: the labels, then one line for each n-gram with pairs of a
    /// letter for the language (`a` is the first) and a weight from 1 to `f`.
    pub(crate) fn read(text: &'static str) -> Self {
        let mut lines = text.lines();
        let labels: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let size = (text.bytes().filter(|b| *b == b'\n').count() * 2).next_power_of_two();
        let mut table = Self {
            labels,
            keys: vec![0; size],
            rows: vec![[0; LANGUAGES]; size],
        };
        for (ngram, weights) in lines.filter_map(|line| line.split_once(' ')) {
            let key = ngram.chars().fold(0, pushed);
            let slot = table.slot(key);
            table.keys[slot] = key;
            for pair in weights.as_bytes().chunks_exact(2) {
                let language = if pair[0] >= b'a' {
                    pair[0] - b'a'
                } else {
                    pair[0] - b'A' + 26
                };
                let weight = if pair[1] >= b'a' {
                    pair[1] - b'a' + 10
                } else {
                    pair[1] - b'0'
                };
                table.rows[slot][usize::from(language)] = weight;
            }
        }
        table
    }

    /// The slot of the n-gram, or the free slot for it.
    fn slot(&self, key: u64) -> usize {
        let mask = self.keys.len() - 1;
        let mut slot = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize & mask;
        while self.keys[slot] != 0 && self.keys[slot] != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Adds the weights of a text's n-grams: two to four consecutive letters of the script `of`.
    pub(crate) fn add(&self, text: &str, of: Script, sums: &mut Sums) {
        // Weights of at most 15 fit into 16 bits for many n-grams, and 16 bits need half the work
        // of 32.
        let mut small = [0_u16; LANGUAGES];
        let mut room = 0_u32;
        let (mut window, mut length) = (0, 0_u32);
        for c in text.chars() {
            if script(c) != Some(of) {
                (window, length) = (0, 0);
                continue;
            }
            window = pushed(window, lower(c));
            length += 1;
            for n in 2..=LONGEST.min(length) {
                let slot = self.slot(window & (u64::MAX >> (64 - 16 * n)));
                if self.keys[slot] != 0 {
                    for (sum, weight) in small.iter_mut().zip(&self.rows[slot]) {
                        *sum += u16::from(*weight);
                    }
                }
            }
            room += LONGEST - 1;
            if room > 4000 {
                flush(&mut small, sums);
                room = 0;
            }
        }
        flush(&mut small, sums);
    }
}

fn flush(small: &mut [u16; LANGUAGES], sums: &mut Sums) {
    for (sum, part) in sums.iter_mut().zip(small) {
        *sum += u32::from(std::mem::take(part));
    }
}

/// The key with one more letter; drops the first of five.
fn pushed(key: u64, letter: char) -> u64 {
    key << 16 | u64::from(letter as u32 & 0xffff)
}

/// The lower-case letter. `İ` becomes two characters; returns the first.
fn lower(c: char) -> char {
    if c.is_ascii() {
        c.to_ascii_lowercase()
    } else {
        c.to_lowercase().next().unwrap_or(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_n_grams_add_up() {
        let table = Table::read("de en\nsch a9\nth b7\nthe a1bf\n");
        let mut sums = [0; LANGUAGES];
        table.add("The SCHthe t-he", Script::Latin, &mut sums);
        assert_eq!(table.labels, ["de", "en"]);
        assert_eq!(sums[..2], [1 + 9 + 1, 7 + 15 + 7 + 15]);
    }

    /// Sums of long texts do not overflow.
    #[test]
    fn long_texts_add_up_as_well() {
        let table = Table::read("x\naa af\naaa af\naaaa af\n");
        let mut sums = [0; LANGUAGES];
        table.add(&"a".repeat(100_000), Script::Latin, &mut sums);
        assert_eq!(sums[0], 15 * (99_999 + 99_998 + 99_997));
    }
}
