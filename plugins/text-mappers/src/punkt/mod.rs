//! Finds the ends of sentences by Punkt, the method of Kiss and Strunk (2006), as nltk 3.10 applies
//! it. Examines only the words around full stops, question marks and exclamation marks.

mod align;
mod params;
mod words;

pub(crate) use params::Params;

use align::Aligned;
use djhost_sdk::text::{alphanumeric, is_decimal, is_space, lower_into};
use params::{BEGIN_LOWER, LOWER, MIDDLE_UPPER, UPPER};
use words::{Words, is_no_word_char};

/// The form of all numbers.
const NUMBER: &str = "##number##";

/// A splitter with the parameters of one language.
#[derive(Default)]
pub(crate) struct Punkt {
    params: Params,
    /// Buffers for the forms of the two words around an end.
    first: String,
    second: String,
    pair: String,
}

/// A mark that may end a sentence, and the words around it.
#[derive(Clone, Copy)]
struct Candidate {
    at: usize,
    /// Where the word before it starts.
    word: usize,
    after: After,
}

/// What follows a mark, by its start: a word after white space, or a character that belongs to no
/// word.
#[derive(Clone, Copy)]
enum After {
    Word(usize),
    Mark(usize),
}

impl Punkt {
    pub(crate) fn new(params: Params) -> Self {
        Self {
            params,
            ..Self::default()
        }
    }

    /// Calls `emit` with each sentence of `text`, without the white space between them.
    pub(crate) fn sentences<'t>(&mut self, text: &'t str, emit: impl FnMut(&'t str)) {
        let mut aligned = Aligned::new(text, self.params.opening(), emit);
        let mut start = 0;
        let mut waiting: Option<Candidate> = None;
        for at in memchr::memchr3_iter(b'.', b'?', b'!', text.as_bytes()) {
            let Some(after) = after(text, at + 1) else {
                continue;
            };
            let (from, before) = waiting.map_or((0, 0), |last| (last.at, last.word));
            let word = match text.as_bytes()[from..at]
                .iter()
                .rposition(|b| matches!(b, b' ' | b'\t'..=b'\r'))
            {
                Some(space) if space > 0 => from + space + 1,
                _ => before,
            };
            // Only the last mark in a word counts.
            if let Some(last) = waiting.filter(|last| last.at <= word) {
                self.decide(text, last, &mut start, &mut aligned);
            }
            waiting = Some(Candidate { at, word, after });
        }
        if let Some(last) = waiting {
            self.decide(text, last, &mut start, &mut aligned);
        }
        aligned.push(start, text.trim_end_matches(is_space).len());
        aligned.finish();
    }

    /// If a sentence ends at the candidate, passes it to `aligned` and sets `start` to the start of
    /// the next one.
    fn decide<'t>(
        &mut self,
        text: &'t str,
        candidate: Candidate,
        start: &mut usize,
        aligned: &mut Aligned<'t, impl FnMut(&'t str)>,
    ) {
        let (next, end) = match candidate.after {
            After::Word(at) => (
                at,
                text[at..]
                    .find(is_space)
                    .map_or(text.len(), |length| at + length),
            ),
            After::Mark(at) => (at, at + text[at..].chars().next().map_or(0, char::len_utf8)),
        };
        if self.ends_within(&text[candidate.word..end]) {
            aligned.push(*start, candidate.at + 1);
            *start = next;
        }
    }

    /// Whether a sentence ends after a word of `text` other than the last.
    fn ends_within(&mut self, text: &str) -> bool {
        let mut words = Words::new(text);
        let Some(mut first) = words.next() else {
            return false;
        };
        words.any(|second| self.ends_between(std::mem::replace(&mut first, second), second))
    }

    /// Whether a sentence ends between two consecutive words.
    fn ends_between(&mut self, first: &str, second: &str) -> bool {
        if matches!(first, "?" | "!") {
            return true;
        }
        if !first.ends_with('.') {
            return false;
        }
        let Self {
            params,
            first: first_form,
            second: second_form,
            pair,
        } = self;
        let kind = Kind::of(first, first_form, params);
        let next_kind = Kind::of(second, second_form, params);
        let form = form(first_form, true);
        let next = self::form(second_form, next_kind == Kind::End);
        if params.has_pairs() {
            pair.clear();
            pair.extend([form, Params::BETWEEN, next]);
            if params.is_pair(pair) {
                return false;
            }
        }
        let initial = is_initial(first);
        let upper = second.starts_with(|c: char| c.is_uppercase());
        let seen = params.seen(next);
        let starts = starts_sentence(second, upper, seen);
        if matches!(kind, Kind::Abbreviation | Kind::Ellipsis)
            && !initial
            && (starts == Some(true) || upper && params.is_starter(next))
        {
            return true;
        }
        if initial || form == NUMBER {
            match starts {
                Some(false) => return false,
                None if initial && upper && seen & LOWER == 0 => return false,
                _ => {}
            }
        }
        kind == Kind::End
    }
}

/// What follows the mark before `at`, if the mark may then end a sentence.
#[inline]
fn after(text: &str, at: usize) -> Option<After> {
    let rest = &text[at..];
    let next = rest.chars().next()?;
    if is_no_word_char(next) {
        return Some(After::Mark(at));
    }
    if !is_space(next) {
        return None;
    }
    rest.find(|c| !is_space(c))
        .map(|space| After::Word(at + space))
}

/// The kind of a word by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The end of a sentence.
    End,
    Abbreviation,
    Ellipsis,
    Other,
}

impl Kind {
    /// Determines the kind of a word. Writes its form into `form`: lower case, or the form of
    /// numbers.
    fn of(word: &str, form: &mut String, params: &Params) -> Self {
        form.clear();
        lower_into(word, form);
        let kind = match word {
            "." | "?" | "!" => Self::End,
            _ if !word.ends_with('.') => Self::Other,
            _ if word.bytes().all(|b| b == b'.') => Self::Ellipsis,
            _ if word.ends_with("..") => Self::Other,
            _ => {
                let name = &form[..form.len() - 1];
                let last = name.rsplit('-').next().unwrap_or_default();
                if params.is_abbreviation(name)
                    || last.len() < name.len() && params.is_abbreviation(last)
                {
                    Self::Abbreviation
                } else {
                    Self::End
                }
            }
        };
        if is_number(form) {
            form.clear();
            form.push_str(NUMBER);
        }
        kind
    }
}

/// The form of a word, without its full stop if asked for.
fn form(form: &str, without_stop: bool) -> &str {
    match form.strip_suffix('.') {
        Some(stripped) if without_stop && !stripped.is_empty() => stripped,
        _ => form,
    }
}

/// nltk's `^-?[\.,]?\d[\d,\.-]*\.?$`
fn is_number(form: &str) -> bool {
    let rest = form.strip_prefix('-').unwrap_or(form);
    let mut chars = rest.strip_prefix(['.', ',']).unwrap_or(rest).chars();
    chars.next().is_some_and(is_digit) && chars.all(|c| is_digit(c) || matches!(c, ',' | '.' | '-'))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || !c.is_ascii() && is_decimal(c)
}

/// nltk's `[^\W\d]\.$`: a letter and a full stop.
fn is_initial(word: &str) -> bool {
    let Some(letter) = word.strip_suffix('.') else {
        return false;
    };
    let mut chars = letter.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else {
        return false;
    };
    (c == '_' || alphanumeric(letter) == 1) && !is_digit(c)
}

/// What a word's capitals, and those it was seen with, say about whether it starts a sentence.
fn starts_sentence(word: &str, upper: bool, seen: u8) -> Option<bool> {
    if matches!(word, ";" | ":" | "," | "." | "!" | "?") {
        return Some(false);
    }
    if upper && seen & LOWER != 0 && seen & MIDDLE_UPPER == 0 {
        return Some(true);
    }
    if word.starts_with(|c: char| c.is_lowercase())
        && (seen & UPPER != 0 || seen & BEGIN_LOWER == 0)
    {
        return Some(false);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_initials_are_nltks() {
        for (word, number) in [
            ("3", true),
            ("3.", true),
            ("-,3.5,-.", true),
            (".5", true),
            ("3rd", false),
            ("-", false),
            ("٣٤", true),
            ("", false),
        ] {
            assert_eq!(is_number(word), number, "{word}");
        }
        for (word, initial) in [
            ("A.", true),
            ("é.", true),
            ("_.", true),
            ("².", true),
            ("3.", false),
            ("..", false),
            ("ab.", false),
            ("A", false),
        ] {
            assert_eq!(is_initial(word), initial, "{word}");
        }
    }
}
