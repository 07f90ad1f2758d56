//! Detects mojibake: adjacent characters that hardly ever occur together in intended text.

use super::characters::*;
use djhost_sdk::text::{Lanes, is_space};

const ACCENTED: u32 = LOWER | UPPER;
const ANY_SIGN: u32 = ACCENTED | BOX | START | END | CURRENCY | NUMERIC | LAW;

impl Characters {
    /// Whether `text` has an unlikely sequence of characters.
    pub(super) fn is_bad(&self, text: &str) -> bool {
        self.classes_if_good(text).is_none()
    }

    /// The union of the classes of the characters above ASCII in `text`; None if it has an unlikely
    /// sequence.
    pub(super) fn classes_if_good(&self, text: &str) -> Option<u32> {
        let mut at = 0;
        let mut classes = 0;
        while let Some(found) = first_non_ascii(&text.as_bytes()[at..]) {
            at += found;
            let mut rest = text[at..].chars();
            let c = rest.next().expect("not at the end");
            let class = self.of(c);
            classes |= class;
            if self.bad_at(text, at, c, class, rest.as_str()) {
                return None;
            }
            at += c.len_utf8();
        }
        Some(classes)
    }

    /// Whether an unlikely sequence has its first character above ASCII at `at`: `c`, before
    /// `rest`.
    #[inline(always)]
    fn bad_at(&self, text: &str, at: usize, c: char, class: u32, rest: &str) -> bool {
        if class & C1 != 0 {
            return true;
        }
        let mut after = rest.chars();
        let Some(next) = after.next() else {
            return false;
        };
        if next.is_ascii() {
            return match c {
                'Œ' | 'œ' => !next.is_ascii_alphabetic(),
                'Ã' | 'Â' if next == ' ' => self.bad_before_space(&text[..at], c),
                _ => false,
            };
        }
        let follows = self.of(next);
        let pair = |first: u32, second: u32| class & first != 0 && follows & second != 0;
        if pair(ANY_SIGN | BAD, BAD)
            || pair(BAD, ANY_SIGN)
            || pair(LOWER | LOWER_COMMON | BOX | END | CURRENCY | NUMERIC, UPPER)
            || pair(BOX | END | CURRENCY | NUMERIC, LOWER)
            || pair(LOWER | BOX | END, CURRENCY)
            || pair(UPPER | BOX, NUMERIC | LAW)
            || pair(CURRENCY | NUMERIC | BOX, START)
            || pair(BOX, KAOMOJI | END)
            || pair(ACCENTED | CURRENCY | NUMERIC | START | END | LAW, BOX)
            || class & UPPER != 0 && next == '°'
        {
            return true;
        }
        let third = after.next();
        let third_class = third.map_or(0, |c| self.of(c));
        if (pair(ACCENTED | BOX | CURRENCY | END, START) && third_class & NUMERIC != 0)
            || (pair(ACCENTED | CURRENCY | NUMERIC | BOX | LAW, END) && third_class & START != 0)
            || (pair(ACCENTED, START | END) && third.is_some_and(|c| c == '_' || alphanumeric(c)))
        {
            return true;
        }
        let before = || text[..at].chars().next_back();
        (pair(LOWER_COMMON | UPPER_COMMON, BAD)
            && before().is_some_and(|c| c.is_ascii_alphabetic()))
            || (pair(UPPER, CURRENCY) && before().is_some_and(is_space))
            || (pair(UPPER, START | CURRENCY) && before().is_some_and(|c| c.is_ascii_lowercase()))
            || self.bad_in_particular(c, next, follows, third, after.as_str(), before)
    }

    /// The sequences with rules of their own.
    fn bad_in_particular(
        &self,
        c: char,
        next: char,
        follows: u32,
        third: Option<char>,
        rest: &str,
        before: impl Fn() -> Option<char>,
    ) -> bool {
        let arabic = |c: char| {
            matches!(c, 'Ÿ' | 'Š' | '®' | '°' | 'µ' | '»')
                || self.of(c) & (COMMON | CURRENCY | BAD | NUMERIC | START) != 0
        };
        let between = follows & (C1 | BAD | START | END | CURRENCY) != 0 || next == '°';
        let windows_1252 = |next: char| {
            follows & (START | END) != 0
                || matches!(
                    next,
                    '€' | 'œ' | 'Š' | 'š' | '¢' | '£' | 'Ÿ' | 'ž' | '\u{a0}' | '\u{ad}'
                )
                || matches!(next, '®' | '©' | '°' | '·' | '»' | '–' | '—' | '´')
        };
        match c {
            'Œ' | 'œ' => true,
            'Â' if windows_1252(next) => true,
            'Â' => follows & (START | END) != 0 && before().is_some_and(|c| self.ends(c)),
            'Ã' => windows_1252(next) || next == '¡',
            'Î' | 'Ð' => windows_1252(next),
            '×' => matches!(next, '²' | '³'),
            'Ø' | 'Ù' => {
                arabic(next)
                    && matches!(third, Some('Ø' | 'Ù'))
                    && rest.chars().next().is_some_and(arabic)
            }
            'à' => matches!(next, '²' | 'µ' | '¹' | '¼' | '½' | '¾'),
            '√' => matches!(
                next,
                '±' | '∂' | '†' | '≠' | '®' | '™' | '´' | '≤' | '≥' | '¥' | 'µ' | 'ø'
            ),
            '≈' => matches!(next, '°' | '¢'),
            '‚' => match next {
                'Ä' => third.is_some_and(|c| "ìîïòôúùû†°¢π".contains(c)),
                'â' | 'ó' => matches!(third, Some('à' | 'ä' | '°' | 'ê')),
                _ => false,
            },
            'в' => next == 'Ђ',
            'В' | 'Г' | 'Р' | 'С' => {
                let latin = |rest: &str| {
                    let mut rest = rest.chars();
                    rest.next() == Some('Ђ')
                        && rest.next() == Some('В')
                        && rest.next().is_some_and(|c| c != '\n')
                        && rest
                            .next()
                            .is_some_and(|c| c == ' ' || c.is_ascii_alphabetic())
                };
                ((between || next == 'µ') && matches!(third, Some('В' | 'Г' | 'Р' | 'С')))
                    || (c == 'Г' && next == 'ў' && third == Some('В') && latin(rest))
            }
            'β' => {
                next == '€' && matches!(third, Some('™' | '\u{a0}' | 'Ά' | '\u{ad}' | '®' | '°'))
            }
            'Β' | 'Γ' | 'Ξ' | 'Ο' => between && matches!(third, Some('Β' | 'Γ' | 'Ξ' | 'Ο')),
            'ā' => next == '€',
            _ => false,
        }
    }

    /// Whether `Ã` or `Â` before a space is unlikely after `before`.
    fn bad_before_space(&self, before: &str, c: char) -> bool {
        let mut back = before.chars().rev();
        match back.next() {
            None => true,
            Some(p) => {
                p.is_ascii_lowercase()
                    || (is_space(p) && back.next().is_some_and(|c| c.is_ascii_lowercase()))
                    || (c == 'Â' && self.ends(p))
            }
        }
    }

    /// Whether a word or a sentence may end with it.
    fn ends(&self, c: char) -> bool {
        c.is_ascii_lowercase() || matches!(c, '.' | ',' | '?' | '!') || self.of(c) & END != 0
    }
}

/// Position of the first byte above ASCII.
pub(super) fn first_non_ascii(bytes: &[u8]) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<16>();
    let masks = chunks.iter().map(|chunk| Lanes::load(chunk).bitmask());
    match masks.enumerate().find(|(_, mask)| *mask != 0) {
        Some((chunk, mask)) => Some(chunk * 16 + mask.trailing_zeros() as usize),
        None => rest
            .iter()
            .position(|b| !b.is_ascii())
            .map(|found| bytes.len() - rest.len() + found),
    }
}

/// Python's `str.isalnum`.
fn alphanumeric(c: char) -> bool {
    let mut bytes = [0; 4];
    djhost_sdk::text::alphanumeric(c.encode_utf8(&mut bytes)) > 0
}
