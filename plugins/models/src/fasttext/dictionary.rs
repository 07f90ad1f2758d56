//! The words and labels of a model, and how a text becomes rows of its input matrix.

use super::reader::{Reader, damaged};
use std::collections::HashMap;
use std::io::Read;

const LABEL: &[u8] = b"__label__";
/// fastText's replacement for a line feed, at the end of every text.
const END: &[u8] = b"</s>";

/// The training arguments about n-grams.
pub(crate) struct Grams {
    /// Words in the longest group of words.
    pub words: usize,
    /// Characters in the shortest part of a word.
    pub min: usize,
    /// Characters in the longest part, 0 for no parts.
    pub max: usize,
    /// n-grams are numbered by their hash modulo this.
    pub buckets: u32,
}

pub(crate) struct Dictionary {
    grams: Grams,
    words: usize,
    /// All words, then all labels, concatenated; entry `i` ends at `ends[i]`.
    bytes: Vec<u8>,
    ends: Vec<u32>,
    label_counts: Vec<i64>,
    /// Hash slots: an entry's number plus 1, or 0.
    table: Vec<u32>,
    /// The n-grams that a quantised model kept, with their new numbers. None: all.
    kept: Option<HashMap<u32, u32>>,
}

/// fastText's hash: FNV-1a, with bytes above 127 taken as negative numbers.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(2_166_136_261, |h, &byte| {
        (h ^ byte as i8 as u32).wrapping_mul(16_777_619)
    })
}

fn continues(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

impl Dictionary {
    pub(crate) fn read<R: Read>(reader: &mut Reader<R>, grams: Grams) -> Result<Self, String> {
        let what = "dictionary";
        let size = reader.i32(what)?;
        let words = reader.i32(what)?;
        let labels = reader.i32(what)?;
        reader.i64(what)?;
        let pruned = reader.i64(what)?;
        // Per entry: an empty string, a count and a type.
        let size = reader.count(size.into(), 10, what)?;
        let words = reader.count(words.into(), 10, what)?;
        let labels = reader.count(labels.into(), 10, what)?;
        if words + labels != size {
            return Err(damaged(what));
        }
        if labels == 0 {
            return Err("the model has no labels".into());
        }
        let mut this = Self {
            grams,
            words,
            bytes: Vec::new(),
            ends: Vec::new(),
            label_counts: Vec::new(),
            table: Vec::new(),
            kept: None,
        };
        for entry in 0..size {
            reader.string(&mut this.bytes, what)?;
            this.ends
                .push(u32::try_from(this.bytes.len()).map_err(|_| damaged(what))?);
            let count = reader.i64(what)?;
            let is_label = reader.flag(what)?;
            // fastText sorts them this way, and numbers labels by it.
            if is_label != (entry >= words) {
                return Err(damaged(what));
            }
            if is_label {
                std::str::from_utf8(this.entry(entry)).map_err(|_| damaged("a label"))?;
                this.label_counts.push(count);
            }
        }
        this.index();
        if pruned >= 0 {
            let pruned = reader.count(pruned, 8, "pruned n-grams")?;
            let mut kept = HashMap::with_capacity(pruned);
            for _ in 0..pruned {
                let (from, to) = (reader.i32("pruned n-grams")?, reader.i32("pruned n-grams")?);
                let number = |n: i32| u32::try_from(n).map_err(|_| damaged("pruned n-grams"));
                kept.insert(number(from)?, number(to)?);
            }
            this.kept = Some(kept);
        }
        if this.has_grams()
            && this.grams.buckets == 0
            && this.kept.as_ref().is_none_or(|kept| !kept.is_empty())
        {
            return Err(damaged("no buckets for n-grams"));
        }
        Ok(this)
    }

    fn has_grams(&self) -> bool {
        self.grams.words > 1 || self.grams.max > 0
    }

    /// Number of rows that the input matrix must have.
    pub(crate) fn rows(&self) -> u64 {
        let grams = match &self.kept {
            Some(kept) => kept.values().max().map_or(0, |&most| u64::from(most) + 1),
            None if self.has_grams() => self.grams.buckets.into(),
            None => 0,
        };
        self.words as u64 + grams
    }

    pub(crate) fn is_pruned(&self) -> bool {
        self.kept.is_some()
    }

    /// The frequency of each label in training.
    pub(crate) fn label_counts(&self) -> &[i64] {
        &self.label_counts
    }

    /// A label without the prefix.
    pub(crate) fn label(&self, number: usize) -> String {
        String::from_utf8_lossy(self.entry(self.words + number)).replace("__label__", "")
    }

    fn entry(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[number] as usize]
    }

    fn index(&mut self) {
        let mut table = vec![0u32; (2 * self.ends.len()).next_power_of_two()];
        for number in 0..self.ends.len() {
            let word = self.entry(number);
            let place = self.place(&table, word, hash(word));
            if table[place] == 0 {
                table[place] = number as u32 + 1;
            }
        }
        self.table = table;
    }

    /// The slot of the word, or the free slot for it.
    fn place(&self, table: &[u32], word: &[u8], hash: u32) -> usize {
        let mask = table.len() - 1;
        let mut place = (hash ^ hash >> 15) as usize & mask;
        while table[place] != 0 && self.entry(table[place] as usize - 1) != word {
            place = (place + 1) & mask;
        }
        place
    }

    fn find(&self, word: &[u8], hash: u32) -> Option<usize> {
        (self.table[self.place(&self.table, word, hash)] as usize).checked_sub(1)
    }

    /// Puts the rows of a text into `rows`. Line feeds count as spaces. `hashes` and `word` are
    /// reusable buffers.
    pub(crate) fn rows_of(
        &self,
        text: &[u8],
        rows: &mut Vec<u32>,
        hashes: &mut Vec<u32>,
        word: &mut Vec<u8>,
    ) {
        rows.clear();
        hashes.clear();
        let space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x0b | 0x0c | 0);
        let tokens = text.split(space).filter(|token| !token.is_empty());
        for token in tokens.chain([END]) {
            let hash = hash(token);
            let known = self.find(token, hash);
            if known.map_or(token.starts_with(LABEL), |number| number >= self.words) {
                continue;
            }
            if let Some(number) = known {
                rows.push(number as u32);
            }
            if token != END && self.grams.max > 0 {
                word.clear();
                word.push(b'<');
                word.extend_from_slice(token);
                word.push(b'>');
                self.parts(word, rows);
            }
            hashes.push(hash);
            if token == END {
                break;
            }
        }
        if self.grams.words > 1 {
            self.groups(hashes, rows);
        }
    }

    /// Adds the n-grams of characters.
    fn parts(&self, word: &[u8], rows: &mut Vec<u32>) {
        for start in 0..word.len() {
            if continues(word[start]) {
                continue;
            }
            let (mut end, mut hash) = (start, 2_166_136_261u32);
            for length in 1..=self.grams.max {
                if end == word.len() {
                    break;
                }
                loop {
                    hash = (hash ^ word[end] as i8 as u32).wrapping_mul(16_777_619);
                    end += 1;
                    if end == word.len() || !continues(word[end]) {
                        break;
                    }
                }
                if length >= self.grams.min && !(length == 1 && (start == 0 || end == word.len())) {
                    self.push(hash.into(), rows);
                }
            }
        }
    }

    /// Adds the n-grams of words.
    fn groups(&self, hashes: &[u32], rows: &mut Vec<u32>) {
        let signed = |hash: u32| hash as i32 as u64;
        for (i, &first) in hashes.iter().enumerate() {
            let mut group = signed(first);
            for &next in hashes[i + 1..].iter().take(self.grams.words - 1) {
                group = group.wrapping_mul(116_049_371).wrapping_add(signed(next));
                self.push(group, rows);
            }
        }
    }

    fn push(&self, hash: u64, rows: &mut Vec<u32>) {
        let number = match &self.kept {
            Some(kept) if kept.is_empty() => return,
            Some(kept) => kept
                .get(&((hash % u64::from(self.grams.buckets)) as u32))
                .copied(),
            None => Some((hash % u64::from(self.grams.buckets)) as u32),
        };
        rows.extend(number.map(|number| self.words as u32 + number));
    }
}
