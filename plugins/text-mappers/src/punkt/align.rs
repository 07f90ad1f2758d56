//! Assigns closing quotation marks and brackets to the sentence before them.

use super::words::is_closing;
use djhost_sdk::text::is_space;
use std::ops::Range;

/// Receives sentences as they are cut and passes them on, each with its closing marks.
pub(super) struct Aligned<'t, F> {
    text: &'t str,
    /// A mark that opens quotations, though nltk takes it for a closing one.
    opening: Option<char>,
    emit: F,
    /// The sentence whose end is not known yet.
    waiting: Option<Range<usize>>,
}

impl<'t, F: FnMut(&'t str)> Aligned<'t, F> {
    pub(super) fn new(text: &'t str, opening: Option<char>, emit: F) -> Self {
        Self {
            text,
            opening,
            emit,
            waiting: None,
        }
    }

    /// Adds the next sentence, as it is cut.
    pub(super) fn push(&mut self, start: usize, end: usize) {
        let end = end.max(start);
        let closing = closing(&self.text[start..end], self.opening);
        let (marks, taken) = closing.unwrap_or((0, 0));
        if let Some(before) = self.waiting.take() {
            match closing {
                Some(_) => (self.emit)(&self.text[before.start..start + marks]),
                None => self.hand_on(before),
            }
            self.waiting = Some(start + taken..end);
        } else {
            self.waiting = Some(start..end);
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(last) = self.waiting.take() {
            self.hand_on(last);
        }
    }

    fn hand_on(&mut self, sentence: Range<usize>) {
        if !sentence.is_empty() {
            (self.emit)(&self.text[sentence]);
        }
    }
}

/// The length of the closing marks at the start of a sentence, without and with the white space
/// after them.
fn closing(sentence: &str, opening: Option<char>) -> Option<(usize, usize)> {
    let mut marks = 0;
    for c in sentence.chars() {
        if !is_closing(c) || opening == Some(c) {
            return None;
        }
        marks += c.len_utf8();
        let rest = &sentence[marks..];
        if rest.is_empty() || rest.starts_with("--") || rest.starts_with(is_space) {
            return Some((
                marks,
                sentence.len() - rest.trim_start_matches(is_space).len(),
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_marks_end_where_something_else_starts() {
        for (sentence, found) in [
            (")  Next.", Some((1, 3))),
            ("”) ", Some((4, 5))),
            (")--", Some((1, 1))),
            ("\")", Some((2, 2))),
            (")x", None),
            ("x) ", None),
            ("« A", None),
            ("", None),
        ] {
            assert_eq!(closing(sentence, Some('«')), found, "{sentence}");
        }
    }
}
