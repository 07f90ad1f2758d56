//! Lines of a text.

/// The lines of `text`, as Python's `str.splitlines` cuts them: at `\n`, `\r`, `\r\n`, `\v`, `\f`,
/// U+001C to U+001E, U+0085, U+2028 and U+2029; an end at the end of the text starts no further line.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let is_end = |c: char| matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = match rest.find(is_end) {
            None => (rest, ""),
            Some(at) if rest[at..].starts_with("\r\n") => (&rest[..at], &rest[at + 2..]),
            Some(at) => {
                let end = rest[at..].chars().next().map_or(0, char::len_utf8);
                (&rest[..at], &rest[at + end..])
            }
        };
        rest = after;
        Some(line)
    })
}

/// What runs of at least `least` line feeds separate, as Python's `re.split` gives it: also empty
/// texts at the beginning and at the end.
pub(crate) fn between_line_feeds(text: &str, least: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut from = 0;
        loop {
            let Some(at) = memchr::memchr(b'\n', &text.as_bytes()[from..]).map(|at| from + at)
            else {
                rest = None;
                return Some(text);
            };
            let after = text[at..].trim_start_matches('\n');
            let run = text.len() - after.len() - at;
            if run >= least {
                rest = Some(after);
                return Some(&text[..at]);
            }
            from = at + run;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_pythons() {
        let cut = |text| lines(text).collect::<Vec<_>>();
        assert_eq!(cut(""), [""; 0]);
        assert_eq!(
            cut("a\r\nb\n\nc\u{2028}d\u{1f}\u{85}\r"),
            ["a", "b", "", "c", "d\u{1f}", ""]
        );
        assert_eq!(cut("a\n"), ["a"]);
    }

    #[test]
    fn runs_of_line_feeds_separate() {
        let cut = |text, least| between_line_feeds(text, least).collect::<Vec<_>>();
        assert_eq!(cut("\na\n\nb\n", 1), ["", "a", "b", ""]);
        assert_eq!(cut("a\nb\n\n\nc\n", 2), ["a\nb", "c\n"]);
        assert_eq!(cut("", 2), [""]);
    }
}
