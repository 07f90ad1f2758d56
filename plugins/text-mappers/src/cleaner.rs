//! Finds and replaces: the common part of the mappers that remove something.

use crate::matches::each_match;
use crate::replacement::Replacement;
use djhost_sdk::text::search_pattern;
use regex::Regex;

/// A match's position, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A search without a regex engine: the first match at or after a byte.
pub(crate) type Find = fn(text: &str, from: usize) -> Option<Span>;

/// Replaces all matches of a pattern.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    search: Option<Search>,
    replacement: Replacement,
}

#[derive(Debug)]
enum Search {
    Hand(Find),
    Regex(Box<Regex>),
}

impl Cleaner {
    /// A cleaner for the user's pattern; without one, for `default`, which `find` searches for by
    /// hand.
    ///
    /// # Errors
    /// A sentence that names the parameter `pattern` or `repl`.
    pub(crate) fn new(
        pattern: Option<&str>,
        default: &str,
        find: Find,
        repl: &str,
    ) -> Result<Self, String> {
        let replacement = Replacement::parse(repl)?;
        let search = match pattern {
            // Only the regex engine finds groups.
            None if replacement.has_groups() => {
                Search::Regex(Box::new(search_pattern("pattern", default)?))
            }
            None => Search::Hand(find),
            Some(pattern) => Search::Regex(Box::new(search_pattern("pattern", pattern)?)),
        };
        if let Search::Regex(regex) = &search {
            replacement.check(regex)?;
        }
        Ok(Self {
            search: Some(search),
            replacement,
        })
    }

    /// Appends `text` with all matches replaced. Returns false, with nothing useful appended, if
    /// there are none.
    pub(crate) fn clean(&self, text: &str, out: &mut String) -> bool {
        let mut done = 0;
        let mut any = false;
        match &self.search {
            None => {}
            Some(Search::Hand(find)) => {
                while let Some(span) = find(text, done) {
                    out.push_str(&text[done..span.start]);
                    self.replacement.push_literal(out);
                    done = span.end;
                    any = true;
                }
            }
            Some(Search::Regex(regex)) => {
                for (start, end) in each_match(text, |from| {
                    regex.find_at(text, from).map(|m| (m.start(), m.end()))
                }) {
                    out.push_str(&text[done..start]);
                    match self
                        .replacement
                        .has_groups()
                        .then(|| regex.captures_at(text, start))
                        .flatten()
                    {
                        Some(groups) => self.replacement.push(&groups, out),
                        None => self.replacement.push_literal(out),
                    }
                    done = end;
                    any = true;
                }
            }
        }
        if any {
            out.push_str(&text[done..]);
        }
        any
    }
}

/// Checks a hand-written search against its pattern on thousands of texts made of `pieces`.
#[cfg(test)]
pub(crate) fn agrees_with_the_pattern(pattern: &str, find: Find, pieces: &[&str]) {
    let regex = search_pattern("pattern", pattern).unwrap();
    let mut state = 1u64;
    let mut matches = 0;
    for round in 0..60_000 {
        let mut text = String::new();
        for _ in 0..round % 14 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        let expected: Vec<Span> = regex
            .find_iter(&text)
            .map(|m| Span {
                start: m.start(),
                end: m.end(),
            })
            .collect();
        let mut found = Vec::new();
        while let Some(span) = find(&text, found.last().map_or(0, |last: &Span| last.end)) {
            found.push(span);
        }
        assert_eq!(found, expected, "{text:?}");
        matches += found.len();
    }
    assert!(matches > 10_000, "the pieces seldom match: {matches}");
}
