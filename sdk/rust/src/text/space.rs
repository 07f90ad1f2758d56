//! White space, as Python sees it.

/// Whether `c` is white space for Python's `str.strip` and `str.isspace`: Unicode's White_Space and
/// U+001C to U+001F.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Python's `str.strip`.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn strips_what_python_strips() {
        assert_eq!(
            strip("\u{1c}\u{1f} \u{85}\u{3000}a\u{200b} b\u{2029}\t"),
            "a\u{200b} b"
        );
        assert_eq!(strip(" \n "), "");
    }
}
