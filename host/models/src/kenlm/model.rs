//! A model file as a whole.

use super::arpa::is_arpa;
use super::build::{Built, build};
use super::header::{Header, is_binary};
use super::layout::Layout;
use super::probing::Probing;
use super::score::{Context, Search};
use super::table::{Table, slots};
use super::trie::Trie;
use super::vocabulary::{Sorted, Vocabulary};
use crate::error::damaged;
use crate::mapped::Bytes;
use crate::numbers::{u32_at, u64_at};
use crate::{Info, Kind};

/// Words that are looked up before their n-grams are.
const TOGETHER: usize = 32;

/// A language model.
pub struct Model {
    /// A mapped binary, or the tables that an ARPA file became.
    bytes: Bytes,
    /// The size of the file.
    size: u64,
    vocabulary: Vocabulary,
    words: u64,
    bos: u32,
    eos: u32,
    tables: Tables,
}

#[derive(Debug)]
enum Tables {
    Probing(Probing<16>),
    /// With rest costs, which do not matter here.
    Rest(Probing<20>),
    Trie(Trie),
}

/// Whether a file begins as an ARPA file or a binary of KenLM does.
pub(crate) fn is_one(start: &[u8]) -> bool {
    is_binary(start) || is_arpa(start)
}

impl Model {
    /// Reads a model: a binary stays in the file, an ARPA file is read into tables.
    ///
    /// # Errors
    /// When the file is damaged or is no model.
    pub(crate) fn read(file: Bytes) -> Result<Self, String> {
        let size = file.len() as u64;
        if is_binary(&file) {
            return Self::binary(file);
        }
        if !is_arpa(&file) {
            return Err("this is no language model: give an ARPA file, or a binary that KenLM's `build_binary` wrote".into());
        }
        let Built {
            bytes,
            vocabulary,
            search,
            words,
        } = build(&file)?;
        Ok(Self::new(
            bytes,
            size,
            vocabulary,
            words,
            Tables::Probing(search),
        ))
    }

    fn binary(file: Bytes) -> Result<Self, String> {
        let header = Header::read(&file)?;
        let counts = &header.counts;
        let mut layout = Layout::new(header.size, file.len());
        let layout = &mut layout;
        let (vocabulary, words, tables) = if header.kind < 2 {
            let head = layout.take(8, 1, "words")?;
            let version = u32_at(&file, head.start);
            let words = u32_at(&file, head.start + 4).unwrap_or_default();
            if version != Some(0) || u64::from(words) > counts[0] + 1 {
                return Err(damaged("words"));
            }
            let place = layout.take(slots(counts[0], header.multiplier), 12, "words")?;
            let vocabulary = Vocabulary::Table(Table::new(place));
            let tables = match header.kind {
                0 => Tables::Probing(Probing::read(layout, counts, header.multiplier)?),
                _ => Tables::Rest(Probing::read(layout, counts, header.multiplier)?),
            };
            (vocabulary, words.into(), tables)
        } else {
            let place = layout.take(counts[0] + 1, 8, "words")?;
            let words = u64_at(&file, place.start).unwrap_or_default();
            if words > counts[0] {
                return Err(damaged("words"));
            }
            let hashes = place.start + 8..place.start + 8 + 8 * words as usize;
            let vocabulary = Vocabulary::Sorted(Sorted::new(&file, hashes));
            let (quantised, compressed) = (header.kind % 2 == 1, header.kind >= 4);
            let trie = Trie::read(layout, &file, counts, quantised, compressed)?;
            (vocabulary, words + 1, Tables::Trie(trie))
        };
        if header.has_words {
            let texts = &file[layout.at()..];
            let count = memchr::memchr_iter(0, texts).count() as u64;
            if !texts.starts_with(b"<unk>\0") || count != words {
                return Err(damaged("the texts of the words"));
            }
        }
        let size = file.len() as u64;
        Ok(Self::new(file, size, vocabulary, words, tables))
    }

    fn new(bytes: Bytes, size: u64, vocabulary: Vocabulary, words: u64, tables: Tables) -> Self {
        Self {
            bos: vocabulary.number(&bytes, b"<s>"),
            eos: vocabulary.number(&bytes, b"</s>"),
            bytes,
            size,
            vocabulary,
            words,
            tables,
        }
    }

    /// The logarithm to base 10 of the probability of a text, as a sentence with start and end:
    /// what KenLM's `score(text)` returns. Words are what lies between ASCII white space.
    pub fn score(&self, text: &str) -> f64 {
        self.score_part(text, true, true)
    }

    /// As [`score`](Self::score), with or without the start (`bos`) as context of the first word,
    /// and with or without the end (`eos`) as the last word.
    pub fn score_part(&self, text: &str, bos: bool, eos: bool) -> f64 {
        let words = text
            .as_bytes()
            .split(|byte| matches!(byte, b' ' | 9..=13))
            .filter(|word| !word.is_empty());
        match &self.tables {
            Tables::Probing(search) => self.sum(search, words, bos, eos),
            Tables::Rest(search) => self.sum(search, words, bos, eos),
            Tables::Trie(search) => self.sum(search, words, bos, eos),
        }
    }

    /// In the order and precision of KenLM.
    fn sum<'a, S: Search>(
        &self,
        search: &S,
        mut words: impl Iterator<Item = &'a [u8]>,
        bos: bool,
        eos: bool,
    ) -> f64 {
        let file: &[u8] = &self.bytes;
        let mut context = match bos {
            true => Context::start(search, file, self.bos),
            false => Context::default(),
        };
        let mut sum = 0.0f32;
        // Lookups of some words together wait for memory together.
        let mut found = Vec::with_capacity(TOGETHER);
        loop {
            found.extend(words.by_ref().take(TOGETHER).map(|word| {
                let word = self.vocabulary.number(file, word);
                (word, search.unigram(file, word))
            }));
            if found.is_empty() {
                break;
            }
            for (word, first) in found.drain(..) {
                sum += context.add(search, file, word, first);
            }
        }
        if eos {
            sum += context.add(search, file, self.eos, search.unigram(file, self.eos));
        }
        sum.into()
    }

    /// The number of words of the longest n-grams.
    pub fn order(&self) -> u32 {
        let order = match &self.tables {
            Tables::Probing(search) => search.order(),
            Tables::Rest(search) => search.order(),
            Tables::Trie(search) => search.order(),
        };
        order as u32
    }

    pub(crate) fn info(&self) -> Info {
        Info {
            kind: Kind::Kenlm,
            bytes: self.size,
            resident: (self.bytes.len() + self.vocabulary.index_bytes()) as u64,
            vocabulary: Some(self.words),
            inputs: Vec::new(),
            outputs: Vec::new(),
            runtime: None,
        }
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Model({} words)", self.words)
    }
}
