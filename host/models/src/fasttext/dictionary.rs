//! The words and labels of a model, and how a text becomes rows of its input matrix.

use super::kept::Kept;
use super::reader::Reader;
use crate::error::damaged;
use crate::numbers::Remainder;

const LABEL: &[u8] = b"__label__";
/// fastText's replacement for a line feed, at the end of every text.
const END: &[u8] = b"</s>";

/// The training arguments about n-grams.
#[derive(Debug)]
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

/// The words and labels stay in the file.
#[derive(Debug)]
pub(crate) struct Dictionary {
    grams: Grams,
    modulo: Remainder,
    words: usize,
    /// The place in the file that the others count from.
    origin: usize,
    /// Where the words and then the labels start; each ends before a zero byte.
    starts: Vec<u32>,
    label_counts: Vec<i64>,
    /// Hash slots: the hash, and an entry's number plus 1, or 0.
    table: Vec<(u32, u32)>,
    /// The n-grams that a quantised model kept. None: all.
    kept: Option<Kept>,
}

/// fastText's hash: FNV-1a, with bytes above 127 taken as negative numbers.
#[inline]
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(2_166_136_261, |h, &byte| {
        (h ^ byte as i8 as u32).wrapping_mul(16_777_619)
    })
}

#[inline(always)]
fn continues(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[inline(always)]
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x0b | 0x0c | 0)
}

impl Dictionary {
    /// Reads the dictionary of a file that is `file`.
    pub(crate) fn read(reader: &mut Reader<'_>, file: &[u8], grams: Grams) -> Result<Self, String> {
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
            return Err("the model has no labels: it must be a classifier".into());
        }
        let mut this = Self {
            modulo: Remainder::by(grams.buckets),
            grams,
            words,
            origin: reader.at(),
            starts: Vec::with_capacity(size),
            label_counts: Vec::with_capacity(labels),
            table: Vec::new(),
            kept: None,
        };
        for entry in 0..size {
            let start = u32::try_from(reader.at() - this.origin)
                .map_err(|_| "the words of the model have more than 4 GB".to_owned())?;
            this.starts.push(start);
            let word = reader.string(what)?;
            let count = reader.i64(what)?;
            let is_label = reader.flag(what)?;
            // fastText sorts them this way, and numbers labels by it.
            if is_label != (entry >= words) {
                return Err(damaged(what));
            }
            if is_label {
                std::str::from_utf8(word).map_err(|_| damaged("a label"))?;
                this.label_counts.push(count);
            }
        }
        this.index(file);
        if pruned >= 0 {
            this.kept = Some(Kept::read(reader, pruned)?);
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

    /// Number of words.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        4 * self.starts.len()
            + 8 * (self.table.len() + self.label_counts.len())
            + self.kept.as_ref().map_or(0, Kept::memory)
    }

    /// Number of rows that the input matrix must have.
    pub(crate) fn rows(&self) -> u64 {
        let grams = match &self.kept {
            Some(kept) => kept.rows(),
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
    pub(crate) fn label(&self, file: &[u8], number: usize) -> String {
        let text = &file[self.origin + self.starts[self.words + number] as usize..];
        let text = &text[..memchr::memchr(0, text).unwrap_or_default()];
        String::from_utf8_lossy(text).replace("__label__", "")
    }

    /// Whether an entry is a word.
    #[inline]
    fn is(&self, file: &[u8], number: usize, word: &[u8]) -> bool {
        let text = &file[self.origin + self.starts[number] as usize..];
        text.starts_with(word) && text.get(word.len()) == Some(&0)
    }

    fn index(&mut self, file: &[u8]) {
        let mut table = vec![(0, 0); (2 * self.starts.len()).next_power_of_two()];
        for number in 0..self.starts.len() {
            let text = &file[self.origin + self.starts[number] as usize..];
            let word = &text[..memchr::memchr(0, text).unwrap_or_default()];
            let hash = hash(word);
            let place = self.place(file, &table, word, hash);
            if table[place].1 == 0 {
                table[place] = (hash, number as u32 + 1);
            }
        }
        self.table = table;
    }

    /// The slot of the word, or the free slot for it.
    #[inline]
    fn place(&self, file: &[u8], table: &[(u32, u32)], word: &[u8], hash: u32) -> usize {
        let mask = table.len() - 1;
        let mut place = (hash ^ hash >> 15) as usize & mask;
        loop {
            let (other, number) = table[place];
            if number == 0 || other == hash && self.is(file, number as usize - 1, word) {
                return place;
            }
            place = (place + 1) & mask;
        }
    }

    #[inline]
    fn find(&self, file: &[u8], word: &[u8], hash: u32) -> Option<usize> {
        (self.table[self.place(file, &self.table, word, hash)].1 as usize).checked_sub(1)
    }

    /// Calls `visit` with each row of a text. Line feeds count as spaces. `hashes` and `word` are
    /// reusable buffers.
    #[inline]
    pub(crate) fn rows_of(
        &self,
        file: &[u8],
        text: &[u8],
        hashes: &mut Vec<u32>,
        word: &mut Vec<u8>,
        mut visit: impl FnMut(usize),
    ) {
        hashes.clear();
        let tokens = text
            .split(|byte| is_space(*byte))
            .filter(|token| !token.is_empty());
        for token in tokens.chain([END]) {
            let hash = hash(token);
            let known = self.find(file, token, hash);
            if known.map_or(token.starts_with(LABEL), |number| number >= self.words) {
                continue;
            }
            if let Some(number) = known {
                visit(number);
            }
            if token != END && self.grams.max > 0 {
                word.clear();
                word.push(b'<');
                word.extend_from_slice(token);
                word.push(b'>');
                self.parts(word, &mut visit);
            }
            if self.grams.words > 1 {
                hashes.push(hash);
            }
            if token == END {
                break;
            }
        }
        if self.grams.words > 1 {
            self.groups(hashes, &mut visit);
        }
    }

    /// Visits the n-grams of characters.
    #[inline(always)]
    fn parts(&self, word: &[u8], visit: &mut impl FnMut(usize)) {
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
                    self.gram(self.modulo.of(hash), visit);
                }
            }
        }
    }

    /// Visits the n-grams of words.
    fn groups(&self, hashes: &[u32], visit: &mut impl FnMut(usize)) {
        let signed = |hash: u32| hash as i32 as u64;
        for (i, &first) in hashes.iter().enumerate() {
            let mut group = signed(first);
            for &next in hashes[i + 1..].iter().take(self.grams.words - 1) {
                group = group.wrapping_mul(116_049_371).wrapping_add(signed(next));
                self.gram(self.modulo.of_long(group), visit);
            }
        }
    }

    #[inline(always)]
    fn gram(&self, bucket: u32, visit: &mut impl FnMut(usize)) {
        let number = match &self.kept {
            Some(kept) => kept.find(bucket),
            None => Some(bucket),
        };
        if let Some(number) = number {
            visit(self.words + number as usize);
        }
    }
}
