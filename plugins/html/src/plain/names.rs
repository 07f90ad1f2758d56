//! Patterns of words in the names of classes and ids.

/// What must be before a word, or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// White space or the end of the names.
    Space,
    /// That, `-` or `_`.
    Part,
    /// The end of the names.
    End,
    /// Anything.
    Any,
}

/// Words in names, with what may be before and behind them. In words `~` stands for one `-` or `_`
/// or nothing, and `*` for any number of them.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) before: Edge,
    /// Words that may be before the words.
    pub(super) prefixes: &'static [&'static str],
    /// One of them must be there.
    pub(super) needs_prefix: bool,
    pub(super) words: &'static [&'static str],
    /// Words that may be behind them.
    pub(super) suffixes: &'static [&'static str],
    pub(super) behind: Edge,
}

impl Pattern {
    /// Words that stand alone between these edges.
    pub(super) const fn words(before: Edge, words: &'static [&'static str], behind: Edge) -> Self {
        Self {
            before,
            prefixes: &[],
            needs_prefix: false,
            words,
            suffixes: &[],
            behind,
        }
    }

    /// Whether the pattern is in `names`, which are in lower case.
    pub(super) fn is_in(&self, names: &str) -> bool {
        let bytes = names.as_bytes();
        (0..bytes.len()).any(|at| {
            let edge = at == 0
                || match self.before {
                    Edge::Any => true,
                    Edge::End => false,
                    Edge::Space => bytes[at - 1].is_ascii_whitespace(),
                    Edge::Part => {
                        bytes[at - 1].is_ascii_whitespace() || matches!(bytes[at - 1], b'-' | b'_')
                    }
                };
            edge && self.starts(bytes, at)
        })
    }

    fn starts(&self, bytes: &[u8], at: usize) -> bool {
        (!self.needs_prefix && self.word(bytes, at))
            || self
                .prefixes
                .iter()
                .any(|prefix| matches(bytes, at, prefix.as_bytes(), &mut |at| self.word(bytes, at)))
    }

    fn word(&self, bytes: &[u8], at: usize) -> bool {
        self.words.iter().any(|word| {
            matches(bytes, at, word.as_bytes(), &mut |at| {
                self.ends(bytes, at)
                    || self.suffixes.iter().any(|suffix| {
                        matches(bytes, at, suffix.as_bytes(), &mut |at| self.ends(bytes, at))
                    })
            })
        })
    }

    fn ends(&self, bytes: &[u8], at: usize) -> bool {
        match (self.behind, bytes.get(at)) {
            (Edge::Any, _) | (_, None) => true,
            (Edge::End, Some(_)) => false,
            (Edge::Space, Some(b)) => b.is_ascii_whitespace(),
            (Edge::Part, Some(b)) => b.is_ascii_whitespace() || matches!(b, b'-' | b'_'),
        }
    }
}

/// Whether `word` stands at `at` and `rest` holds behind it, for one of the ways to read its `~` and
/// `*`.
fn matches(bytes: &[u8], at: usize, word: &[u8], rest: &mut dyn FnMut(usize) -> bool) -> bool {
    let Some((&first, word)) = word.split_first() else {
        return rest(at);
    };
    let separator = |at: usize| matches!(bytes.get(at), Some(b'-' | b'_'));
    match first {
        b'~' => {
            (separator(at) && matches(bytes, at + 1, word, rest)) || matches(bytes, at, word, rest)
        }
        b'*' => {
            let mut at = at;
            loop {
                if matches(bytes, at, word, rest) {
                    return true;
                }
                if !separator(at) {
                    return false;
                }
                at += 1;
            }
        }
        _ => bytes.get(at) == Some(&first) && matches(bytes, at + 1, word, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_between_edges() {
        let pattern = Pattern {
            before: Edge::Space,
            prefixes: &["site*", "wp*"],
            needs_prefix: false,
            words: &["nav", "side~bar"],
            suffixes: &["~box"],
            behind: Edge::Part,
        };
        for names in ["nav", "a site__nav-x", "wp-side-bar_box b", "sidebarbox"] {
            assert!(pattern.is_in(names), "{names}");
        }
        for names in ["", "a-nav", "navy", "site", "sidebars"] {
            assert!(!pattern.is_in(names), "{names}");
        }
    }
}
