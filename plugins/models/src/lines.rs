//! Lines as Python's `str.splitlines` cuts them.

/// The lines of a text without their ends. An end at the end of the text begins no further line.
pub(crate) fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    const ENDS: [char; 10] = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}',
        '\u{2029}',
    ];
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(at) = rest.find(ENDS) else {
            return Some(std::mem::take(&mut rest));
        };
        let (line, after) = rest.split_at(at);
        let end = if after.starts_with("\r\n") {
            2
        } else {
            after.chars().next().map_or(0, char::len_utf8)
        };
        rest = &after[end..];
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ends_of_python_end_a_line() {
        let lines: Vec<&str> = lines_of("a\r\nb\n\nc\u{85}d\u{2028}e\n").collect();
        assert_eq!(lines, ["a", "b", "", "c", "d", "e"]);
        assert_eq!(lines_of("").next(), None);
    }
}
