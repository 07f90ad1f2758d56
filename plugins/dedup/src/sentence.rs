//! `sentence_deduplicator`

use crate::seen_key::write;
use crate::simplify::Simplifier;
use djhost_sdk::prelude::*;
use djhost_sdk::text::strip;
use djhost_sdk::{Lists, SEEN};
use djhost_words::{Language, Words};
use xxhash_rust::xxh3::xxh3_64;

/// Removes sentences that stand together in an earlier document, or earlier in the same one: C4's rule
/// for spans of three sentences.
///
/// As datatrove's sentence deduplication: the first of equal spans stays, and of each other all sentences
/// go. Spans are looked up with a Bloom filter, in memory that is known beforehand. A document of which all
/// spans go is dropped; one of fewer sentences than a span stays. What is left of a document may be short:
/// datatrove's `min_doc_words` and `min_num_sentences` are filters that come after it here, such as
/// `words_num_filter`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SentenceDeduplicator {
    /// How many sentences a span has.
    pub n_sentences: usize,
    /// Whether texts are cut into sentences, or else into lines.
    pub split_sentences: bool,
    /// The language by whose rules sentences are found: `en`, or `xx` for languages without rules.
    pub language: String,
    /// Compare without regard to case, punctuation, accents, white space and the digits of numbers, as
    /// datatrove does.
    pub simplify: bool,
    /// A document is dropped if more than this share of its spans was seen before; null: none is. By default
    /// those of which all were are.
    pub document_threshold: Option<f64>,
    /// How many different spans the filter is made for; it takes 3.4 bytes for each with the default rate.
    /// With more of them the job goes on, with more false positives, and says so.
    pub expected_keys: u64,
    /// The share of new spans that may be taken for seen ones, from 0.0000001 to 0.5.
    pub false_positive_rate: f64,
    #[serde(skip)]
    tools: Option<Tools>,
}

/// What cuts and compares texts; reused from text to text.
struct Tools {
    words: Words,
    simplifier: Simplifier,
    /// Ends of the sentences of a text, in bytes.
    ends: Vec<usize>,
    /// What of each sentence is compared, one after the other, and its ends.
    compared: String,
    borders: Vec<usize>,
}

impl Default for SentenceDeduplicator {
    fn default() -> Self {
        Self {
            n_sentences: 3,
            split_sentences: true,
            language: "en".into(),
            simplify: true,
            document_threshold: Some(0.999),
            expected_keys: 10_000_000,
            false_positive_rate: 0.0001,
            tools: None,
        }
    }
}

impl Operator for SentenceDeduplicator {
    const NAME: &'static str = "sentence_deduplicator";
    const TRAITS: Traits = Traits::NONE.seen_keys();
    const KIND: Kind = Kind::Deduplicator;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        if self.n_sentences == 0 {
            return Err("`n_sentences` is 0: it must be 1 or more".into());
        }
        self.tools = Some(Tools {
            words: Words::new(Language::parse(&self.language)?),
            simplifier: Simplifier::new(),
            ends: Vec::new(),
            compared: String::new(),
            borders: Vec::new(),
        });
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

impl SentenceDeduplicator {
    /// The key of each span, and an empty one after it: a span goes or stays by itself.
    fn keys(&mut self, texts: &Texts, rows: usize) -> Output {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        let mut keys = Texts::default();
        let (split, simplify, n) = (self.split_sentences, self.simplify, self.n_sentences);
        let tools = self.tools.as_mut().expect("prepared");
        for row in 0..rows {
            let text = texts.value(row);
            tools.cut(text, split);
            tools.compare(text, split, simplify);
            for span in tools.borders.windows(n + 1) {
                let hash = xxh3_64(&tools.compared.as_bytes()[span[0]..span[n]]);
                keys.push_with(|out| write(hash, out));
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

    /// The texts without the sentences of spans that earlier rows have.
    fn without_seen(&mut self, texts: &Texts, found: &Lists<Vec<f64>>, common: &Common) -> Output {
        let (mut rows, mut values) = (Vec::new(), Texts::default());
        let (split, n) = (self.split_sentences, self.n_sentences);
        let tools = self.tools.as_mut().expect("prepared");
        let mut kept = String::new();
        for row in 0..texts.len() {
            let range = found.range(row).unwrap_or_default();
            let (spans, _) = found.elements()[range].as_chunks::<2>();
            if spans.iter().all(|[seen, _]| *seen == 0.0) {
                continue;
            }
            let text = texts.value(row);
            tools.cut(text, split);
            kept.clear();
            let (mut start, mut goes_until) = (0, 0);
            for (at, &end) in tools.ends.iter().enumerate() {
                if spans.get(at).is_some_and(|[seen, _]| *seen > 0.0) {
                    goes_until = at + n;
                }
                if at >= goes_until {
                    kept.push_str(&text[start..end]);
                }
                start = end;
            }
            if !split && kept.ends_with('\n') {
                // Lines are put together again, without an end of the last one.
                kept.pop();
            }
            rows.push(row as u32);
            // What separated the first sentence from those before it.
            values.push(strip_start(&kept));
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

impl Tools {
    /// Finds the ends of sentences or lines of `text`. What separates two belongs to the later sentence,
    /// a line feed to its line.
    fn cut(&mut self, text: &str, split_sentences: bool) {
        if split_sentences {
            self.words.sentence_ends(text, &mut self.ends);
            return;
        }
        self.ends.clear();
        let mut end = 0;
        for line in text.split_inclusive('\n') {
            end += line.len();
            self.ends.push(end);
        }
    }

    /// Fills in what of each sentence or line is compared.
    fn compare(&mut self, text: &str, split_sentences: bool, simplify: bool) {
        self.compared.clear();
        self.borders.clear();
        self.borders.push(0);
        let mut start = 0;
        for &end in &self.ends {
            let sentence = &text[start..end];
            // What follows the last sentence is none.
            if split_sentences && strip(sentence).is_empty() {
                break;
            }
            self.compared.push_str(match simplify {
                true => self.simplifier.simplify(sentence),
                false => strip(sentence),
            });
            // As datatrove joins them: spans with equal texts are equal, wherever their sentences end.
            self.compared.push(' ');
            self.borders.push(self.compared.len());
            start = end;
        }
    }
}

/// `text` without white space before it.
fn strip_start(text: &str) -> &str {
    match strip(text) {
        "" => "",
        stripped => &text[stripped.as_ptr() as usize - text.as_ptr() as usize..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn op(params: &str) -> Runner {
        Runner::new(operator!(SentenceDeduplicator), params).unwrap()
    }

    fn keys(params: &str, text: &str) -> Vec<String> {
        let Ok(Output::Keys {
            keys: Column::Utf8List(lists),
            ..
        }) = op(params).process(&Runner::text_batch(&[text]))
        else {
            panic!("not lists of keys")
        };
        let all: Vec<String> = lists.strings(0).map(str::to_owned).collect();
        let (keys, ends): (Vec<_>, Vec<_>) = all.into_iter().partition(|key| !key.is_empty());
        assert_eq!(keys.len(), ends.len(), "each span is a group of its own");
        keys
    }

    /// What is left of a text of which these spans were seen.
    fn left(params: &str, text: &str, seen: &[f64]) -> Option<String> {
        let mut batch = Runner::text_batch(&[text]);
        let counts: Vec<f64> = seen.iter().flat_map(|seen| [*seen, 1.0]).collect();
        let lists = Lists::<Vec<f64>>::new(vec![0, counts.len() as u32], counts, None).unwrap();
        batch.fields.push(Field {
            path: SEEN.into(),
            values: Column::F64List(lists),
        });
        let Ok(Output::Updated { updates, .. }) = op(params).process(&batch) else {
            panic!("not new values")
        };
        let values = updates[0].values.texts().unwrap();
        (!values.is_empty()).then(|| values.value(0).to_owned())
    }

    #[test]
    fn equal_spans_have_equal_keys() {
        let text = "It is one. It is two! Is it three? That is four.";
        let all = keys("{}", text);
        assert_eq!(all.len(), 2);
        // Case, accents, punctuation and white space do not count; sentences do.
        let other = keys(
            "{}",
            "Before.  IT is  óne.\nIt is, two. Is it three? Another.",
        );
        assert_eq!(all[0], other[1]);
        assert_eq!(keys("{}", "It is one. It is two!"), Vec::<String>::new());
        let exact = r#"{"simplify": false, "n_sentences": 1}"#;
        assert_ne!(keys(exact, "It is one.")[0], keys(exact, "it is one.")[0]);
    }

    #[test]
    fn all_sentences_of_a_seen_span_go() {
        let text = "  A one. B two. C three. D four. E five.\n";
        assert_eq!(left("{}", text, &[0.0; 3]), None);
        let some = |seen: [f64; 3]| left("{}", text, &seen).unwrap();
        assert_eq!(some([0.0, 1.0, 0.0]), "A one. E five.\n");
        assert_eq!(some([1.0, 0.0, 0.0]), "D four. E five.\n");
        assert_eq!(some([1.0, 0.0, 1.0]), "");
        assert_eq!(keys("{}", text).len(), 3);
        let lines = r#"{"split_sentences": false, "n_sentences": 2}"#;
        assert_eq!(left(lines, "a\nb\n\nc", &[1.0, 0.0, 0.0]).unwrap(), "c");
        assert_eq!(left(lines, "a\nb\nc\n", &[0.0, 1.0]).unwrap(), "a");
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (params, part) in [
            (r#"{"n_sentences": 0}"#, "`n_sentences` is 0"),
            (r#"{"language": "tlh"}"#, "tlh"),
        ] {
            let Err(error) = Runner::new(operator!(SentenceDeduplicator), params) else {
                panic!("{params} is accepted")
            };
            let error = format!("{error:?}");
            assert!(error.contains(part), "{error}");
        }
    }
}
