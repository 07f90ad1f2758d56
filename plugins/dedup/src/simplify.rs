//! The normalisation by which datatrove compares texts.

use djhost_sdk::text::{is_decimal, is_space, lower_into, strip};
use djhost_words::Classes;
use djhost_words::classes::{BLANKED, NONSPACING};
use icu_normalizer::DecomposingNormalizerBorrowed;

/// Simplifies texts. Reuses its buffers from text to text.
#[derive(Debug)]
pub(crate) struct Simplifier {
    classes: Classes,
    decompose: DecomposingNormalizerBorrowed<'static>,
    lower: String,
    out: String,
}

impl Simplifier {
    pub(crate) fn new() -> Self {
        Self {
            classes: Classes::get(),
            decompose: DecomposingNormalizerBorrowed::new_nfd(),
            lower: String::new(),
            out: String::new(),
        }
    }

    /// `text` in lower case, with 0 for each number, without punctuation and accents, and with one
    /// space for all white space.
    pub(crate) fn simplify(&mut self, text: &str) -> &str {
        self.lower.clear();
        lower_into(text, &mut self.lower);
        let out = &mut self.out;
        out.clear();
        let mut rest = self.lower.chars();
        while let Some(c) = rest.next() {
            if is_decimal(c) {
                out.push('0');
                rest = after_number(rest.as_str()).chars();
            } else if is_space(c) || self.classes.has(c, BLANKED) {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            } else {
                out.push(c);
            }
        }
        if !out.is_ascii() {
            let decomposed = self.decompose.normalize(out);
            let kept = decomposed
                .chars()
                .filter(|c| !self.classes.has(*c, NONSPACING));
            *out = kept.collect();
        }
        strip(out)
    }
}

/// What follows a number of which the first digit has been read: more digits, maybe a separator and
/// digits again.
fn after_number(text: &str) -> &str {
    let rest = text.trim_start_matches(is_decimal);
    let separated = rest.strip_prefix(['.', ',', '،', '٫', '⎖', '⎗', '⎘']);
    match separated.filter(|rest| rest.starts_with(is_decimal)) {
        Some(rest) => rest.trim_start_matches(is_decimal),
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::Simplifier;

    #[test]
    fn texts_are_simplified_as_in_datatrove() {
        // Expected: datatrove.utils.text.simplify_text(text).
        let cases = [
            ("", ""),
            ("  Hello,\n\tWORLD!  ", "hello world"),
            ("1.5 and 1.2.3 or 10,000,000 ٣٫٥", "0 and 0 0 or 0 0 0"),
            ("1|2|3", "0 0 0"),
            ("Ünïcödé ﬁne — “x”", "unicode ﬁne x"),
            ("don't stop", "don t stop"),
            ("a\u{301}\u{301} b", "a b"),
            ("日本語。テスト", "日本語 テスト"),
            ("\u{301}", ""),
            ("İX", "ix"),
        ];
        let mut simplifier = Simplifier::new();
        for (text, expected) in cases {
            assert_eq!(simplifier.simplify(text), expected, "{text:?}");
        }
    }
}
