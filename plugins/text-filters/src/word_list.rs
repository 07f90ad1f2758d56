//! Lists of words by language: those built in, and directories in Data-Juicer's format.

use crate::tokenizer::Tokenizer;
use djhost_sdk::Reject;
use djhost_sdk::text::word_hash;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Words by language.
type Lists = BTreeMap<String, Vec<String>>;

/// The source of a filter's words.
pub(crate) struct Source<'a> {
    /// The parameter that names the directory.
    pub parameter: &'a str,
    /// The directory; empty for the built-in list.
    pub dir: &'a str,
    /// What file names in the directory must contain.
    pub kind: &'a str,
    /// The built-in list: a JSON object of arrays.
    pub shipped: &'a str,
}

/// A set of words.
#[derive(Default)]
pub(crate) struct WordSet {
    words: HashSet<Box<[u8]>, BuildHasherDefault<WordHasher>>,
    /// The length of the longest word, so that longer groups of words need no lookup.
    longest: usize,
}

/// Finds words in a text, including groups of its words.
#[derive(Default)]
pub(crate) struct Finder {
    set: WordSet,
    tokenizer: Tokenizer,
    groups: Vec<usize>,
    join: String,
    lower: String,
    spans: Vec<(u32, u32)>,
    group: Vec<u8>,
}

impl Source<'_> {
    /// The words of a language; for `all` those of all languages, unless the files have a key
    /// `all`.
    ///
    /// # Errors
    /// When the directory cannot be used or has no list for the language.
    pub(crate) fn words(&self, lang: &str) -> Result<WordSet, String> {
        let lists = if self.dir.is_empty() {
            parse(self.shipped)?
        } else {
            self.read()?
        };
        let set: WordSet = match lists.get(lang) {
            Some(words) => words.iter().collect(),
            None if lang == "all" => lists.values().flatten().collect(),
            None => {
                let known: Vec<&str> = lists.keys().map(String::as_str).collect();
                return Err(format!(
                    "`lang` is `{lang}`: there are lists for `{}`, and `all`",
                    known.join("`, `")
                ));
            }
        };
        Ok(set)
    }

    /// The lists of all JSON files of the directory whose names contain the kind.
    fn read(&self) -> Result<Lists, String> {
        let Self {
            parameter,
            dir,
            kind,
            ..
        } = self;
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            format!("`{parameter}`: cannot read `{what}`: {error}")
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(|error| failed(dir, &error))? {
            let name = entry.map_err(|error| failed(dir, &error))?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".json") && name.contains(kind) {
                paths.push(format!("{}/{name}", dir.trim_end_matches('/')));
            }
        }
        paths.sort_unstable();
        let mut lists = Lists::new();
        for path in paths {
            let json = std::fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
            for (lang, words) in parse(&json).map_err(|error| failed(&path, &error))? {
                lists.entry(lang).or_default().extend(words);
            }
        }
        match lists.is_empty() {
            true => Err(format!(
                "`{parameter}`: `{dir}` has no words: put a file there whose name contains `{kind}` and ends with `.json`"
            )),
            false => Ok(lists),
        }
    }
}

fn parse(json: &str) -> Result<Lists, String> {
    let wrong = || "it must be an object that has an array of strings for each language".to_owned();
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let Value::Object(languages) = value else {
        return Err(wrong());
    };
    let word = |word: Value| match word {
        Value::String(word) => Ok(word),
        _ => Err(wrong()),
    };
    let list = |words: Value| match words {
        Value::Array(words) => words.into_iter().map(word).collect(),
        _ => Err(wrong()),
    };
    languages
        .into_iter()
        .map(|(lang, words)| Ok((lang, list(words)?)))
        .collect()
}

impl<'a> FromIterator<&'a String> for WordSet {
    fn from_iter<I: IntoIterator<Item = &'a String>>(words: I) -> Self {
        let words: HashSet<Box<[u8]>, _> = words
            .into_iter()
            .map(|word| word.as_bytes().into())
            .collect();
        let longest = words.iter().map(|word| word.len()).max().unwrap_or(0);
        Self { words, longest }
    }
}

impl WordSet {
    fn has(&self, word: &[u8]) -> bool {
        word.len() <= self.longest && self.words.contains(word)
    }
}

impl Finder {
    /// Finds the words in `set` among those that `tokenizer` cuts. With group sizes, groups of that
    /// many consecutive words, joined by `join`, count as words, too.
    ///
    /// # Errors
    /// When a group size is 0.
    pub(crate) fn new(
        set: WordSet,
        groups: &[usize],
        join: &str,
        tokenizer: Tokenizer,
    ) -> Result<Self, String> {
        match groups.contains(&0) {
            true => Err("`words_aug_group_sizes` has a 0: sizes must be at least 1".into()),
            false => Ok(Self {
                set,
                tokenizer,
                groups: groups.to_vec(),
                join: join.into(),
                ..Self::default()
            }),
        }
    }

    /// The share of the words of `text` that are in the set, 0 without words.
    ///
    /// # Errors
    /// When the text cannot be cut.
    pub(crate) fn ratio(&mut self, text: &str) -> Result<f64, Reject> {
        let Self {
            set,
            tokenizer,
            groups,
            join,
            lower,
            spans,
            group,
        } = self;
        spans.clear();
        let (mut all, mut found) = (0, 0);
        tokenizer.lower_words(text, lower, |word, start, end| {
            all += 1;
            found += usize::from(set.has(word));
            if !groups.is_empty() {
                spans.push((start as u32, end as u32));
            }
        })?;
        let bytes = lower.as_bytes();
        for &size in groups.iter() {
            for words in spans.windows(size) {
                all += 1;
                let length: usize = words
                    .iter()
                    .map(|&(start, end)| (end - start) as usize)
                    .sum();
                if length + join.len() * (size - 1) > set.longest {
                    continue;
                }
                group.clear();
                for (i, &(start, end)) in words.iter().enumerate() {
                    if i > 0 {
                        group.extend_from_slice(join.as_bytes());
                    }
                    group.extend_from_slice(&bytes[start as usize..end as usize]);
                }
                found += usize::from(set.has(group));
            }
        }
        Ok(crate::ratio(found, all))
    }
}

/// Hashes a word as the n-gram counter does.
#[derive(Default)]
struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= word_hash(bytes);
    }

    // The hash already includes the length.
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
