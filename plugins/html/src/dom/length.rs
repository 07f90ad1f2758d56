//! Lengths of texts, in characters.

use super::{Dom, Id};
use djhost_sdk::text::is_space;

/// How many characters a text has if its words are joined by single spaces, and whether there is
/// white space at its ends: enough to know the same of two texts in one.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Words(u32);

/// White space before the first word, and behind the last one. A blank text has the first.
const BEFORE: u32 = 1 << 31;
const BEHIND: u32 = 1 << 30;
const FLAGS: u32 = BEFORE | BEHIND;

impl Words {
    pub(crate) const NONE: Words = Words(0);

    /// Those of a text.
    pub(crate) fn of(text: &str) -> Self {
        let (mut chars, mut space, mut flags) = (0u32, false, 0);
        let mut step = |blank: bool| {
            if blank {
                space = true;
                if chars == 0 {
                    flags = BEFORE;
                }
            } else {
                chars += 1 + u32::from(space && chars > 0);
                space = false;
            }
        };
        if text.is_ascii() {
            text.bytes()
                .for_each(|b| step(matches!(b, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f)));
        } else {
            text.chars().for_each(|c| step(is_space(c)));
        }
        if space && chars > 0 {
            flags |= BEHIND;
        }
        Self(chars | flags)
    }

    /// Those of this text and another behind it.
    pub(crate) fn then(self, next: Words) -> Self {
        if next.is_blank() {
            return match (next.0, self.is_blank()) {
                (0, _) => self,
                (_, true) => Self(BEFORE),
                (_, false) => Self(self.0 | BEHIND),
            };
        }
        if self.is_blank() {
            return Self(next.0 | self.0);
        }
        let gap = u32::from(self.0 & BEHIND != 0 || next.0 & BEFORE != 0);
        let chars = self.len() as u32 + gap + next.len() as u32;
        Self(chars | (self.0 & BEFORE) | (next.0 & BEHIND))
    }

    /// Those with white space behind the last word.
    pub(crate) fn apart(self) -> Self {
        self.then(Self(BEFORE))
    }

    /// Without white space at the ends.
    pub(crate) fn trimmed(self) -> Self {
        Self(self.0 & !FLAGS)
    }

    /// Without white space at the start.
    pub(crate) fn trimmed_start(self) -> Self {
        Self(self.0 & !BEFORE)
    }

    /// Without white space at the end.
    pub(crate) fn trimmed_end(self) -> Self {
        if self.is_blank() {
            Self(0)
        } else {
            Self(self.0 & !BEHIND)
        }
    }

    /// Whether there are no words.
    pub(crate) fn is_blank(self) -> bool {
        self.0 & !FLAGS == 0
    }

    /// The characters.
    pub(crate) fn len(self) -> usize {
        (self.0 & !FLAGS) as usize
    }
}

impl Dom {
    /// The texts in `top` as words, with single spaces between them.
    pub(crate) fn words(&self, top: Id) -> impl Iterator<Item = Words> {
        self.text_spans(top).map(|span| span.words)
    }

    /// The characters of the texts in `top` with single spaces between words.
    pub(crate) fn words_len(&self, top: Id) -> usize {
        self.words(top).fold(Words::NONE, Words::then).len()
    }

    /// Whether that is at least `least`; stops when it is known.
    pub(crate) fn has_words_len(&self, top: Id, least: usize) -> bool {
        let mut all = Words::NONE;
        self.words(top).any(|words| {
            all = all.then(words);
            all.len() >= least
        })
    }

    /// The characters of the texts in `top`, white space included.
    pub(crate) fn text_len(&self, top: Id) -> usize {
        self.texts(top).map(djhost_sdk::text::code_points).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_parts_give_that_of_the_whole() {
        let parts = [
            "",
            " ",
            "a",
            " é",
            "b ",
            "  c  d\u{a0}",
            "\n\u{3000}",
            "x y",
        ];
        for one in parts {
            for other in parts {
                for third in parts {
                    let whole = [one, other, third].concat();
                    let words: Vec<&str> = whole
                        .split(is_space)
                        .filter(|word| !word.is_empty())
                        .collect();
                    let joined = [one, other, third]
                        .map(Words::of)
                        .into_iter()
                        .fold(Words::NONE, Words::then);
                    assert_eq!(joined.len(), words.join(" ").chars().count(), "{whole:?}");
                    assert_eq!(joined.0, Words::of(&whole).0, "{whole:?}");
                }
            }
        }
    }
}
