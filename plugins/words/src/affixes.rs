//! What is cut off a word, and where a word is cut: spaCy's default punctuation rules.

use super::{Language, first};
use crate::class::Classes;
use crate::classes::{
    ALPHA, BEFORE_DOT, CURRENCY, ICON, LOWER, PREFIX, QUOTE, SUFFIX, UNITS, UPPER,
};

/// Currencies of several characters.
const CURRENCIES: [&str; 3] = ["US$", "C$", "A$"];

/// Finds affixes. No text here has white space.
#[derive(Debug)]
pub(super) struct Affixes {
    pub(super) classes: Classes,
    /// Whether a hyphen between a digit and a letter cuts.
    digits_before_hyphen: bool,
}

impl Affixes {
    pub(super) fn new(language: Language) -> Self {
        Self {
            classes: Classes::get(),
            digits_before_hyphen: language.digits_before_hyphen(),
        }
    }

    /// The length of the prefix, 0 without one.
    pub(super) fn prefix(&self, text: &str) -> usize {
        let c = first(text);
        match c {
            '.' => Some(leading_dots(text))
                .filter(|&dots| dots > 1)
                .unwrap_or(0),
            '+' => usize::from(!text[1..].starts_with(|next: char| next.is_ascii_digit())),
            _ if text.is_empty() => 0,
            _ if self.classes.has(c, PREFIX) => c.len_utf8(),
            _ => CURRENCIES
                .iter()
                .find(|name| text.starts_with(**name))
                .map_or(0, |name| name.len()),
        }
    }

    /// The length of the suffix, 0 without one.
    pub(super) fn suffix(&self, text: &str) -> usize {
        let mut chars = text.chars().rev();
        let Some(last) = chars.next() else { return 0 };
        let before = chars.next();
        let after_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        match last {
            '.' => {
                let dots = text.len() - text.trim_end_matches('.').len();
                if dots > 1 {
                    dots
                } else {
                    usize::from(before.is_some_and(|before| self.is_end(before, chars.next())))
                }
            }
            '…' => last.len_utf8() * if before == Some('…') { 2 } else { 1 },
            '+' => usize::from(after_digit(before)),
            '$' => {
                let name = CURRENCIES.iter().find(|name| {
                    text.strip_suffix(**name)
                        .is_some_and(|rest| after_digit(rest.chars().next_back()))
                });
                name.map_or(usize::from(after_digit(before)), |name| name.len())
            }
            's' | 'S' if matches!(before, Some('\'' | '’')) => {
                1 + before.map_or(0, char::len_utf8)
            }
            _ if self.classes.has(last, SUFFIX) => last.len_utf8(),
            _ if self.classes.has(last, CURRENCY) && after_digit(before) => last.len_utf8(),
            _ => unit(text),
        }
    }

    /// Whether a full stop after these two characters is cut off.
    fn is_end(&self, before: char, earlier: Option<char>) -> bool {
        self.classes.has(before, BEFORE_DOT)
            || (matches!(before, 'F' | 'C' | 'K') && earlier == Some('°'))
            || (self.classes.has(before, UPPER)
                && earlier.is_some_and(|c| self.classes.has(c, UPPER)))
    }

    /// The first infix from byte `from` on: start and end.
    pub(super) fn infix(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let mut before = text[..from].chars().next_back();
        for (at, c) in text[from..].char_indices() {
            let at = from + at;
            let flags = self.classes.of(c);
            // Letters and digits, mostly.
            let may_cut = flags & (PREFIX | ICON) != 0 || c.is_ascii_punctuation();
            if let Some(len) = may_cut
                .then(|| self.infix_at(before, c, &text[at..]))
                .flatten()
            {
                return Some((at, at + len));
            }
            before = Some(c);
        }
        None
    }

    /// The length of an infix at the beginning of `rest`, which `c` is the first character of.
    fn infix_at(&self, before: Option<char>, c: char, rest: &str) -> Option<usize> {
        let after = &rest[c.len_utf8()..];
        let between = |left: u32, right: u32| {
            before.is_some_and(|c| self.classes.has(c, left))
                && after
                    .chars()
                    .next()
                    .is_some_and(|c| self.classes.has(c, right))
        };
        let digit_before = before.is_some_and(|c| c.is_ascii_digit());
        let letter = |text: &str| {
            text.chars()
                .next()
                .is_some_and(|c| self.classes.has(c, ALPHA))
        };
        if c == '…' || self.classes.has(c, ICON) {
            return Some(c.len_utf8());
        }
        if c == '.' && after.starts_with('.') {
            return Some(leading_dots(rest));
        }
        let next_to_number = |c: char| c.is_ascii_digit() || c == '-';
        if matches!(c, '+' | '-' | '*' | '^') && digit_before && after.starts_with(next_to_number) {
            return Some(1);
        }
        let before_hyphen =
            |digits| before.is_some_and(|c| self.classes.has(c, ALPHA)) || (digits && digit_before);
        match c {
            '.' => between(LOWER | QUOTE, UPPER | QUOTE).then_some(1),
            ',' => between(ALPHA, ALPHA).then_some(1),
            ':' | '<' | '>' | '=' | '/' => (before_hyphen(true) && letter(after)).then_some(1),
            '-' | '–' | '—' | '~' if before_hyphen(self.digits_before_hyphen) => {
                let hyphens: &[&str] = match c {
                    '-' => &["-", "--", "---"],
                    '–' => &["–"],
                    '—' => &["—", "——"],
                    _ => &["~"],
                };
                let found = hyphens
                    .iter()
                    .find(|hyphen| rest.strip_prefix(**hyphen).is_some_and(letter));
                found.map(|hyphen| hyphen.len())
            }
            _ => None,
        }
    }
}

/// The length of a unit after a digit at the end of `text`, 0 without one.
fn unit(text: &str) -> usize {
    // No unit is longer, nor has a digit.
    let digit = text
        .char_indices()
        .rev()
        .take(6)
        .find(|(_, c)| c.is_ascii_digit());
    let unit = digit.map_or("", |(at, _)| &text[at + 1..]);
    if UNITS.contains(&unit) { unit.len() } else { 0 }
}

fn leading_dots(text: &str) -> usize {
    text.len() - text.trim_start_matches('.').len()
}
