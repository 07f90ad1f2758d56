//! Makes text that a guest wrote safe to print.

/// Longest message that is printed, in bytes.
const MAX: usize = 4096;

/// Returns `text` cut to 4096 bytes, with control characters escaped: they could take over a
/// terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX));
    for c in text.chars() {
        if out.len() >= MAX {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\t' => out.push(c),
            // Bidirectional controls, too: they show a text in another order than it has.
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                out.extend(c.escape_debug())
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(
            printable("a\u{1b}[31m\tb\nc\r\0\u{202e}é"),
            "a\\u{1b}[31m\tb\nc\\r\\0\\u{202e}é"
        );
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        let cut = printable(&"é".repeat(MAX));
        assert_eq!(cut, "é".repeat(MAX / 2) + "…");
    }
}
