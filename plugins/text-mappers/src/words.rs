//! Removes words from a text as Data-Juicer's mappers of words do.

use crate::special_table::SPECIAL;
use memchr::memchr3_iter;

/// Appends the words of `text` for which `keep` returns true; returns false if that is `text`
/// itself. Calls `keep` with a word and its start.
///
/// Words are separated by spaces, tabs and line feeds. One of the separators between two kept words
/// stays: a line feed if there is any, else a tab if there is any, else a space. None stays at the
/// ends.
#[inline(always)]
pub(crate) fn keep_words(
    text: &str,
    out: &mut String,
    mut keep: impl FnMut(&str, usize) -> bool,
) -> bool {
    let from = out.len();
    out.reserve(text.len());
    let mut start = 0;
    // The strongest separator since the last kept word.
    let mut separator = b' ';
    let mut any = false;
    let ends = memchr3_iter(b' ', b'\t', b'\n', text.as_bytes()).chain(std::iter::once(text.len()));
    for end in ends {
        let word = &text[start..end];
        if !word.is_empty() && keep(word, start) {
            if any {
                out.push(char::from(separator));
            }
            out.push_str(word);
            separator = b' ';
            any = true;
        }
        separator = match (separator, text.as_bytes().get(end)) {
            (_, Some(b'\n')) => b'\n',
            (b' ', Some(b'\t')) => b'\t',
            (separator, _) => separator,
        };
        start = end + 1;
    }
    out[from..] != *text
}

/// The word without the special characters at its ends.
pub(crate) fn strip_special(word: &str) -> &str {
    word.trim_matches(|c| SPECIAL.has(c as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_separator_stays() {
        let run = |text: &str| {
            let mut out = String::from("before");
            let changed = keep_words(text, &mut out, |word, at| {
                text[at..].starts_with(word) && word != "x"
            });
            (out["before".len()..].to_owned(), changed)
        };
        for (text, expected) in [
            ("", ""),
            ("a b", "a b"),
            ("  a  b\t\tc \t d\n \t\n e ", "a b\tc\td\ne"),
            ("x a\tx b\nx\nc x", "a\tb\nc"),
            ("\n \t", ""),
            ("a\r\nb", "a\r\nb"),
        ] {
            assert_eq!(
                run(text),
                (expected.to_owned(), text != expected),
                "{text:?}"
            );
        }
    }
}
