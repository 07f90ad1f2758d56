//! `bloom_paragraph_deduplicator`

use crate::seen_key::write;
use djhost_sdk::prelude::*;
use djhost_sdk::text::is_space;
use djhost_sdk::{Lists, SEEN};
use unicode_segmentation::UnicodeSegmentation;
use xxhash_rust::xxh3::xxh3_64;

/// Removes paragraphs of which most word n-grams were seen before, and drops documents that consist of
/// such, by a Bloom filter: in memory that is known beforehand.
///
/// With the defaults of DCLM. The rows are compared in input order, each with all before it and each
/// paragraph with those before it in the row. The n-grams of a paragraph that is removed are not added
/// to the filter.
///
/// For paragraphs that are equal as a whole, as Dolma compares them: `ngram_size: null, min_words: 0`;
/// for documents: `unit: document` besides; by URL: with `text_key: url`, too.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BloomParagraphDeduplicator {
    /// What is compared, and removed or dropped.
    pub unit: Unit,
    /// How many words are compared together, by the word borders of Unicode, with punctuation; null: units
    /// are compared as a whole, byte by byte.
    pub ngram_size: Option<usize>,
    /// Units with fewer words stay and are not compared, nor are blank ones. Those with fewer than
    /// `ngram_size` are compared as a whole.
    pub min_words: usize,
    /// A unit goes if more than this share of its n-grams was seen before.
    pub threshold: f64,
    /// A document is dropped if more than this share of all its n-grams was seen before; null: none is. The
    /// same as `threshold` with `unit: document`.
    pub document_threshold: Option<f64>,
    /// How many different n-grams the filter is made for; it takes 1.3 bytes for each with the default rate.
    /// With more of them the job goes on, with more false positives, and says so.
    pub expected_keys: u64,
    /// The share of new n-grams that may be taken for seen ones, from 0.0000001 to 0.5.
    pub false_positive_rate: f64,
    #[serde(skip)]
    words: Vec<u64>,
}

/// A part of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A line.
    #[default]
    Paragraph,
    /// The whole text.
    Document,
}

impl Default for BloomParagraphDeduplicator {
    fn default() -> Self {
        Self {
            unit: Unit::Paragraph,
            ngram_size: Some(13),
            min_words: 13,
            threshold: 0.8,
            document_threshold: Some(0.8),
            expected_keys: 100_000_000,
            false_positive_rate: 0.01,
            words: Vec::new(),
        }
    }
}

/// By which hashes of n-grams weigh their words: odd, without structure (digits of pi).
const FACTOR: u64 = 0x243f_6a88_85a3_08d3;

impl Operator for BloomParagraphDeduplicator {
    const NAME: &'static str = "bloom_paragraph_deduplicator";
    const TRAITS: Traits = Traits::NONE.seen_keys();
    const KIND: Kind = Kind::Deduplicator;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        if self.ngram_size == Some(0) {
            return Err("`ngram_size` is 0: it must be 1 or more, or null".into());
        }
        if self.unit == Unit::Document && self.document_threshold != Some(self.threshold) {
            return Err(format!(
                "`document_threshold` is {}: with `unit: document` it must be what `threshold` is, {}",
                self.document_threshold
                    .map_or_else(|| "null".to_owned(), |share| share.to_string()),
                self.threshold
            ));
        }
        Ok(())
    }

    fn signature(&self, common: &Common) -> Signature {
        Signature {
            reads: vec![Input::required(&common.text_key, ColumnType::Utf8)],
            writes: vec![Computed::new(&common.text_key, ColumnType::Utf8)],
            ..Signature::default()
        }
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        match batch.fields.get(1) {
            Some(Field {
                path,
                values: Column::F64List(found),
            }) if path == SEEN => Ok(self.without_seen(texts, found, common)),
            _ => Ok(self.keys(texts, batch.rows())),
        }
    }
}

impl BloomParagraphDeduplicator {
    /// The keys of each unit, and an empty one after them.
    fn keys(&mut self, texts: &Texts, rows: usize) -> Output {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        let mut keys = Texts::default();
        for row in 0..rows {
            for unit in self.units(texts.value(row)) {
                self.each_key(unit, |key| keys.push_with(|out| write(key, out)));
                keys.push("");
            }
            offsets.push(keys.len() as u32);
        }
        let lists = Lists::<Texts>::new(offsets, keys, None).expect("offsets rise");
        Output::Keys {
            keys: Column::Utf8List(lists),
            rejected: Vec::new(),
        }
    }

    fn units<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let lines = match self.unit {
            Unit::Paragraph => usize::MAX,
            Unit::Document => 1,
        };
        text.splitn(lines, '\n')
    }

    fn each_key(&mut self, unit: &str, mut each: impl FnMut(u64)) {
        if unit.chars().all(is_space) {
            return;
        }
        if self.ngram_size.is_some() || self.min_words > 0 {
            self.words.clear();
            let words = unit.split_word_bounds();
            let words = words.filter(|word| !word.chars().all(is_space));
            self.words
                .extend(words.map(|word| xxh3_64(word.as_bytes())));
        }
        if self.words.len() < self.min_words {
            return;
        }
        let Some(size) = self.ngram_size else {
            each(xxh3_64(unit.as_bytes()));
            return;
        };
        let push = |hash: u64, word: &u64| hash.wrapping_mul(FACTOR).wrapping_add(*word);
        let (first, later) = self.words.split_at(size.min(self.words.len()));
        let mut hash = first.iter().fold(0, push);
        each(hash);
        let gone = (0..size).fold(1u64, |power, _| power.wrapping_mul(FACTOR));
        for (new, old) in later.iter().zip(&self.words) {
            hash = push(hash, new).wrapping_sub(old.wrapping_mul(gone));
            each(hash);
        }
    }

    /// The texts without the units that are duplicates.
    fn without_seen(&self, texts: &Texts, found: &Lists<Vec<f64>>, common: &Common) -> Output {
        let (mut rows, mut values) = (Vec::new(), Texts::default());
        // A document is dropped by the host.
        let rows_here = match self.unit {
            Unit::Paragraph => texts.len(),
            Unit::Document => 0,
        };
        for row in 0..rows_here {
            let range = found.range(row).unwrap_or_default();
            let (counts, _) = found.elements()[range].as_chunks::<2>();
            let goes = |[seen, all]: &[f64; 2]| *all > 0.0 && seen / all > self.threshold;
            if !counts.iter().any(goes) {
                continue;
            }
            rows.push(row as u32);
            values.push_with(|out| {
                let units = self.units(texts.value(row)).zip(counts);
                let units = units.filter(|(_, counts)| !goes(counts));
                for (i, (unit, _)) in units.enumerate() {
                    if i > 0 {
                        out.push('\n');
                    }
                    out.push_str(unit);
                }
            });
        }
        let updates = vec![Update {
            path: common.text_key.clone(),
            rows: Some(rows),
            values: Column::Utf8(values),
        }];
        Output::Updated {
            updates,
            rejected: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen_key::KEY;
    use djhost_sdk::operator;

    fn op(params: &str) -> Runner {
        Runner::new(operator!(BloomParagraphDeduplicator), params).unwrap()
    }

    /// The keys of each unit of a text.
    fn keys(params: &str, text: &str) -> Vec<Vec<String>> {
        let Ok(Output::Keys {
            keys: Column::Utf8List(lists),
            ..
        }) = op(params).process(&Runner::text_batch(&[text]))
        else {
            panic!("not lists of keys")
        };
        let all: Vec<&str> = lists.strings(0).collect();
        let mut units: Vec<Vec<String>> = all
            .split(|key| key.is_empty())
            .map(|keys| keys.iter().map(|key| (*key).to_owned()).collect())
            .collect();
        assert_eq!(units.pop(), Some(Vec::new()), "an empty key ends a unit");
        units
    }

    #[test]
    fn equal_ngrams_and_no_others_have_equal_keys() {
        let params = r#"{"ngram_size": 3, "min_words": 2}"#;
        let units = keys(params, "a b, c d\nc a b, c\n\na b\nab\n b  a ");
        let lens: Vec<usize> = units.iter().map(Vec::len).collect();
        // Punctuation is a word, a word alone too little, two words are compared as a whole.
        assert_eq!(lens, [3, 3, 0, 1, 0, 1]);
        assert_eq!(units[0][..2], units[1][1..]);
        let mut all: Vec<&String> = units.iter().flatten().collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
        assert!(all.iter().all(|key| key.len() == KEY));
    }

    #[test]
    fn wholes_are_compared_byte_by_byte() {
        let units = keys(
            r#"{"ngram_size": null, "min_words": 0}"#,
            "a b\n a b\na b\n \n",
        );
        assert_eq!(units[0], units[2]);
        assert_ne!(units[0], units[1]);
        assert!(units[3].is_empty() && units[4].is_empty());
        let documents = r#"{"unit": "document", "ngram_size": null, "min_words": 3}"#;
        assert_eq!(keys(documents, "a b\nc").len(), 1);
        assert!(keys(documents, "a\nb")[0].is_empty());
    }

    #[test]
    fn seen_paragraphs_go() {
        let text = "one\n\ntwo\nthree\n";
        let mut batch = Runner::text_batch(&[text, text, text]);
        let counts = [
            [0.0, 1.0, 0.0, 0.0, 4.0, 5.0, 5.0, 5.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0, 4.0, 5.0, 4.0, 5.0, 0.0, 0.0],
            [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
        ];
        let lists = Lists::<Vec<f64>>::new(vec![0, 10, 20, 30], counts.concat(), None).unwrap();
        batch.fields.push(Field {
            path: SEEN.into(),
            values: Column::F64List(lists),
        });
        let Ok(Output::Updated { updates, .. }) = op("{}").process(&batch) else {
            panic!("not new values")
        };
        let values = updates[0].values.texts().unwrap();
        assert_eq!(updates[0].rows, Some(vec![0, 2]));
        assert_eq!((values.value(0), values.value(1)), ("one\n\ntwo\n", "\n"));
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (params, part) in [
            (r#"{"ngram_size": 0}"#, "`ngram_size` is 0"),
            (
                r#"{"unit": "document", "document_threshold": null}"#,
                "`document_threshold` is null",
            ),
            (r#"{"unit": "page"}"#, "`unit`"),
        ] {
            let error = Runner::new(operator!(BloomParagraphDeduplicator), params)
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
