//! nltk's words: separated by white space, with punctuation other than full stops split off.

use djhost_sdk::text::is_space;

/// A character that ends a word and is a token by itself.
const NO_WORD: u8 = 1;
/// A character that cannot start a word of several characters.
const NO_START: u8 = 2;
/// White space.
const SPACE: u8 = 4;
/// A character that is special in combination with others.
const JOINT: u8 = 8;

const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    set(&mut table, b")\";}]*:@'({[?!", NO_WORD);
    set(&mut table, b"(\"`{[:;&#*@)}]-,", NO_START);
    set(&mut table, b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f ", SPACE);
    set(&mut table, b".-,", JOINT);
    table
};

const fn set(table: &mut [u8; 128], bytes: &[u8], flag: u8) {
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] |= flag;
        i += 1;
    }
}

/// Whether `c` cannot be within a word.
pub(super) fn is_no_word_char(c: char) -> bool {
    match ASCII.get(c as usize) {
        Some(class) => class & NO_WORD != 0,
        None => is_quotation_mark(c),
    }
}

/// Whether `c` closes a quotation or a bracket. (Opening quotation marks do too.)
pub(super) fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '}') || is_quotation_mark(c)
}

fn is_quotation_mark(c: char) -> bool {
    matches!(c, '‘' | '’' | '“' | '”' | '«' | '»')
}

/// The words of a text.
pub(super) struct Words<'t> {
    rest: &'t str,
}

impl<'t> Words<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text }
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.rest.trim_start_matches(is_space);
        let first = text.chars().next()?;
        let mut length = joint(text);
        if length == 0 {
            length = first.len_utf8();
            if ASCII
                .get(first as usize)
                .is_none_or(|class| class & NO_START == 0)
            {
                length = end(text, length);
            }
        }
        let (word, rest) = text.split_at(length);
        self.rest = rest;
        Some(word)
    }
}

/// The end of the word that extends to `at` at least.
fn end(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    while let Some(&b) = bytes.get(at) {
        let Some(&class) = ASCII.get(usize::from(b)) else {
            let Some(c) = text[at..].chars().next() else {
                break;
            };
            if is_quotation_mark(c) || is_space(c) {
                break;
            }
            at += c.len_utf8();
            continue;
        };
        if class & (NO_WORD | SPACE) != 0 {
            break;
        }
        if class & JOINT != 0 {
            let rest = &text[at..];
            let ends = match b {
                // A comma belongs to the word if the word continues.
                b',' => {
                    rest[1..]
                        .chars()
                        .next()
                        .is_none_or(|c| is_space(c) || is_no_word_char(c))
                        || joint(&rest[1..]) > 0
                }
                _ => joint(rest) > 0,
            };
            if ends {
                break;
            }
        }
        at += 1;
    }
    at
}

/// The length of the dashes, or of the full stops with or without white space between, at the start
/// of `text`; 0 if there are too few.
fn joint(text: &str) -> usize {
    let run = |byte: u8| text.bytes().take_while(|&b| b == byte).count();
    match text.as_bytes() {
        [b'-', b'-', ..] => run(b'-'),
        [b'.', b'.', ..] => run(b'.'),
        [b'.', ..] => {
            let (mut stops, mut length) = (1, 1);
            // nltk finds the words line by line, so a line feed joins nothing.
            while let Some(space) = text[length..]
                .chars()
                .next()
                .filter(|&c| c != '\n' && is_space(c))
            {
                if !text[length + space.len_utf8()..].starts_with('.') {
                    break;
                }
                (stops, length) = (stops + 1, length + space.len_utf8() + 1);
            }
            if stops >= 3 { length } else { 0 }
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_nltks() {
        for (text, words) in [
            ("", &[][..]),
            (" Mr. Smith, Jr.,ok", &["Mr.", "Smith", ",", "Jr.,ok"]),
            (
                "very bad!!! (yes)",
                &["very", "bad", "!", "!", "!", "(", "yes", ")"],
            ),
            ("e.g...--and", &["e.g", "...", "--", "and"]),
            ("a . . . b . . c", &["a", ". . .", "b", ".", ".", "c"]),
            ("a .\n.\n. b", &["a", ".", ".", ".", "b"]),
            ("-5 `x` #y", &["-", "5", "`", "x`", "#", "y"]),
            ("1,000, «a»", &["1,000", ",", "«a", "»"]),
            ("don't", &["don", "'t"]),
            ("x,--y,", &["x", ",", "--", "y", ","]),
        ] {
            assert_eq!(Words::new(text).collect::<Vec<_>>(), words, "{text}");
        }
    }
}
