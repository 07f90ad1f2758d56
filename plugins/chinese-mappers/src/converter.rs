//! Conversion by dictionaries, as OpenCC does it: a text is cut into segments by one dictionary,
//! then each segment goes through groups of dictionaries, one group after the other.
//!
//! By hand: `ferrous-opencc` 0.4 does not cut texts first, so that one of the 8,848 golden texts
//! comes out differently (`s2twp`); it takes 1.2 to 5.7 times as long (`s2t` 43 against 131 MB/s,
//! natively), and its dictionaries take 2.2 MB, where the pack has 0.7.

use crate::dictionary::Dictionary;
use std::rc::Rc;

macro_rules! dictionary_files {
    ($($name:literal),* $(,)?) => {
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../data/", $name, ".txt")))),*];
    };
}

dictionary_files!(
    "HKVariants",
    "HKVariantsRev",
    "HKVariantsRevPhrases",
    "JPShinjitaiCharacters",
    "JPShinjitaiPhrases",
    "JPVariants",
    "JPVariantsRev",
    "STCharacters",
    "STPhrases",
    "TSCharacters",
    "TSPhrases",
    "TWPhrases",
    "TWPhrasesRev",
    "TWVariants",
    "TWVariantsRev",
    "TWVariantsRevPhrases",
);

/// The dictionary that cuts a text, and the groups. In a group the first dictionary with a phrase
/// at a place decides, by its longest one.
#[derive(Debug)]
pub(crate) struct Converter {
    segments: Rc<Dictionary>,
    groups: Vec<Vec<Rc<Dictionary>>>,
    /// Whether the first dictionary of the first group also cuts.
    shared: bool,
    scratch: [Segmented; 2],
}

/// A text and the ends of its segments.
#[derive(Debug, Default)]
struct Segmented {
    text: String,
    ends: Vec<u32>,
}

impl Converter {
    /// Names dictionaries by their files in `data/`.
    pub(crate) fn new(segments: &str, groups: &[&[&str]]) -> Self {
        let mut loaded: Vec<(&str, Rc<Dictionary>)> = Vec::new();
        let mut load = |name: &str| load(name, &mut loaded);
        let groups: Vec<Vec<_>> = groups
            .iter()
            .map(|group| group.iter().map(|name| load(name)).collect())
            .collect();
        let segments = load(segments);
        let shared = Rc::ptr_eq(&segments, &groups[0][0]);
        Self {
            segments,
            groups,
            shared,
            scratch: Default::default(),
        }
    }

    /// Appends the converted text to `out`. Returns false if no phrase of any dictionary occurs:
    /// then nothing changes.
    pub(crate) fn convert(&mut self, text: &str, out: &mut String) -> bool {
        let all = || self.groups.iter().flatten().chain([&self.segments]);
        if !text
            .chars()
            .any(|c| all().any(|dictionary| dictionary.may_begin(c)))
        {
            return false;
        }
        let [current, next] = &mut self.scratch;
        current.clear();
        cut(&self.segments, text, |segment, value| {
            match value {
                Some(value) if self.shared => current.text.push_str(value),
                _ => convert(
                    &self.groups[0][usize::from(self.shared)..],
                    segment,
                    &mut current.text,
                ),
            }
            current.ends.push(current.text.len() as u32);
        });
        for group in &self.groups[1..] {
            next.clear();
            let mut start = 0;
            for &end in &current.ends {
                convert(
                    group,
                    &current.text[start as usize..end as usize],
                    &mut next.text,
                );
                next.ends.push(next.text.len() as u32);
                start = end;
            }
            std::mem::swap(current, next);
        }
        out.push_str(&current.text);
        true
    }
}

impl Segmented {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

fn load(name: &str, loaded: &mut Vec<(&str, Rc<Dictionary>)>) -> Rc<Dictionary> {
    if let Some((_, dictionary)) = loaded.iter().find(|(n, _)| *n == name) {
        return Rc::clone(dictionary);
    }
    let &(name, lines) = FILES
        .iter()
        .find(|(n, _)| *n == name)
        .expect("all dictionaries are in the list");
    let characters = match name {
        "STPhrases" => Some(load("STCharacters", loaded)),
        "TSPhrases" => Some(load("TSCharacters", loaded)),
        _ => None,
    };
    let dictionary = Rc::new(Dictionary::read(lines, characters.as_deref()));
    loaded.push((name, Rc::clone(&dictionary)));
    dictionary
}

/// Cuts the text into phrases of the dictionary, each with its replacement, and the parts between
/// them.
fn cut<'a>(
    dictionary: &'a Dictionary,
    text: &'a str,
    mut segment: impl FnMut(&'a str, Option<&'a str>),
) {
    let (mut between, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        match if dictionary.may_begin(c) {
            dictionary.longest(&text[at..])
        } else {
            None
        } {
            Some((len, value)) => {
                if between < at {
                    segment(&text[between..at], None);
                }
                segment(&text[at..at + len], Some(value));
                at += len;
                between = at;
            }
            None => at += c.len_utf8(),
        }
    }
    if between < at {
        segment(&text[between..at], None);
    }
}

/// Appends a segment as converted by a group.
fn convert(group: &[Rc<Dictionary>], segment: &str, out: &mut String) {
    let (mut copied, mut at) = (0, 0);
    while let Some(c) = segment[at..].chars().next() {
        let found = group.iter().find_map(|dictionary| {
            if dictionary.may_begin(c) {
                dictionary.longest(&segment[at..])
            } else {
                None
            }
        });
        match found {
            Some((len, value)) => {
                out.push_str(&segment[copied..at]);
                out.push_str(value);
                at += len;
                copied = at;
            }
            None => at += c.len_utf8(),
        }
    }
    out.push_str(&segment[copied..]);
}
