//! What Punkt knows of a language: built-in lists, or a directory in the format of nltk's
//! `punkt_tab`.

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use std::path::Path;

/// How a word was seen: within a sentence in upper case, …
pub(super) const MIDDLE_UPPER: u8 = 1 << 2;
pub(super) const UPPER: u8 = 1 << 1 | MIDDLE_UPPER | 1 << 3;
pub(super) const BEGIN_LOWER: u8 = 1 << 4;
const MIDDLE_LOWER: u8 = 1 << 5;
pub(super) const LOWER: u8 = BEGIN_LOWER | MIDDLE_LOWER | 1 << 6;

/// The built-in lists.
const LISTS: [(&str, &str); 6] = [
    ("de", include_str!("lists/de.txt")),
    ("en", include_str!("lists/en.txt")),
    ("es", include_str!("lists/es.txt")),
    ("fr", include_str!("lists/fr.txt")),
    ("it", include_str!("lists/it.txt")),
    ("pt", include_str!("lists/pt.txt")),
];

type Words = HashSet<Box<str>, RandomState>;

/// The parameters of a language. All words are in lower case.
#[derive(Default)]
pub(crate) struct Params {
    /// Without the last full stop.
    abbreviations: Words,
    /// Words between which no sentence ends, the first one without its full stop.
    pairs: Words,
    /// Words that often start a sentence.
    starters: Words,
    /// How words were seen.
    seen: HashMap<Box<str>, u8, RandomState>,
    opening: Option<char>,
}

impl Params {
    /// The separator of the two words of a pair.
    pub(super) const BETWEEN: &'static str = "\n";

    /// Parameters from the built-in lists.
    pub(crate) fn of(lang: &str) -> Result<Self, String> {
        let Some((_, list)) = LISTS.iter().find(|(known, _)| *known == lang) else {
            let known = LISTS.map(|(known, _)| known).join("`, `");
            return Err(format!(
                "`lang` is `{lang}`: there are lists for `{known}`; for others set `model`"
            ));
        };
        // In German this mark also closes quotations.
        let mut params = Self {
            opening: (lang != "de").then_some('«'),
            ..Self::default()
        };
        let mut part = "";
        for line in list.lines() {
            if let Some(name) = line.strip_prefix("# ") {
                part = name;
                continue;
            }
            match part {
                "abbreviations" => {
                    for word in line.split_whitespace() {
                        // As in `l'ing.`, where words begin with the apostrophe.
                        params
                            .abbreviations
                            .extend(["", "'", "’"].map(|before| [before, word].concat().into()));
                    }
                }
                "pairs" => params.pairs.extend(
                    line.split_whitespace()
                        .map(|pair| pair.replacen('_', Self::BETWEEN, 1).into()),
                ),
                // These have a capital letter only at the start of a sentence.
                _ => params.seen.extend(
                    line.split_whitespace()
                        .map(|word| (word.into(), 1 << 1 | MIDDLE_LOWER)),
                ),
            }
        }
        Ok(params)
    }

    /// Parameters from a directory.
    pub(crate) fn read(dir: &str) -> Result<Self, String> {
        let file = |name: &str| {
            std::fs::read_to_string(Path::new(dir).join(name)).map_err(|error| {
                format!("`{dir}`: cannot read `{name}`: {error}; it must be a directory such as nltk's `tokenizers/punkt_tab/english`")
            })
        };
        let words = |text: &str| text.lines().map(Box::from).collect();
        let mut params = Self {
            abbreviations: words(&file("abbrev_types.txt")?),
            starters: words(&file("sent_starters.txt")?),
            ..Self::default()
        };
        for (name, line) in lines("collocations.tab", &file("collocations.tab")?) {
            let (first, second) = line
                .split_once('\t')
                .ok_or_else(|| format!("`{dir}`: {name}: no tab"))?;
            params
                .pairs
                .insert([first, Self::BETWEEN, second].concat().into());
        }
        for (name, line) in lines("ortho_context.tab", &file("ortho_context.tab")?) {
            let (word, flags) = line
                .split_once('\t')
                .ok_or_else(|| format!("`{dir}`: {name}: no tab"))?;
            let flags: u8 = flags
                .trim()
                .parse()
                .map_err(|_| format!("`{dir}`: {name}: `{flags}` is not a number below 256"))?;
            params.seen.insert(word.into(), flags);
        }
        Ok(params)
    }

    /// A mark that only opens quotations.
    pub(super) fn opening(&self) -> Option<char> {
        self.opening
    }

    pub(super) fn is_abbreviation(&self, word: &str) -> bool {
        self.abbreviations.contains(word)
    }

    pub(super) fn has_pairs(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// Whether two words, separated by [`Params::BETWEEN`], are a pair.
    pub(super) fn is_pair(&self, pair: &str) -> bool {
        self.pairs.contains(pair)
    }

    pub(super) fn is_starter(&self, word: &str) -> bool {
        self.starters.contains(word)
    }

    /// How the word was seen, as flags.
    pub(super) fn seen(&self, word: &str) -> u8 {
        self.seen.get(word).copied().unwrap_or(0)
    }
}

/// The non-empty lines of a file, each with its name for messages.
fn lines<'t>(name: &str, text: &'t str) -> impl Iterator<Item = (String, &'t str)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(move |(i, line)| (format!("line {} of `{name}`", i + 1), line))
}
