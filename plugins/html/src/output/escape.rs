//! Characters that would be marks of Markdown.

use crate::dom::Rend;
use djhost_sdk::text::{is_space, strip};
use memchr::memmem;
use std::borrow::Cow;

/// The `#` of a heading; of unknown ones that of the second level.
pub(super) fn heading_prefix(rend: Rend) -> &'static str {
    match rend {
        Rend::Heading(level @ 1..=6) => &"######"[..usize::from(level)],
        _ => "##",
    }
}

/// In a cell of a table, `|` and line ends would end it.
pub(super) fn escape_cell(text: &str, in_cell: bool) -> Cow<'_, str> {
    if in_cell && text.contains(['|', '\n']) {
        text.replace('|', "\\|").replace('\n', " ").into()
    } else {
        text.into()
    }
}

/// Escapes what would make a heading, a quote or a list of a line.
pub(super) fn escape_block_start(mut text: String) -> String {
    let blanks = text.bytes().take_while(|&b| b == b' ').count();
    let rest = &text.as_bytes()[blanks..];
    if blanks > 3 {
        return text;
    }
    let ends = |at: usize| matches!(rest.get(at), None | Some(b' ' | b'\t'));
    let hashes = rest.iter().take_while(|&&b| b == b'#').count();
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let mark = match rest.first() {
        Some(b'#') if hashes <= 6 && ends(hashes) => 0,
        Some(b'>') => 0,
        Some(b'-' | b'+') if ends(1) => 0,
        Some(b'0'..=b'9')
            if digits <= 9 && matches!(rest.get(digits), Some(b'.' | b')')) && ends(digits + 1) =>
        {
            digits
        }
        _ => return text,
    };
    text.insert(blanks + mark, '\\');
    text
}

/// Escapes brackets that are not escaped, but in code.
pub(super) fn escape_brackets(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut done) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'`' => {
                let run = bytes[at..].iter().take_while(|&&b| b == b'`').count();
                let escaped = at > 0 && bytes[at - 1] == b'\\';
                let close = (!escaped)
                    .then(|| closing(&bytes[at + run..], run))
                    .flatten();
                at += run + close.unwrap_or(0);
            }
            b'[' | b']' if at == 0 || bytes[at - 1] != b'\\' => {
                out.push_str(&text[done..at]);
                out.push('\\');
                done = at;
                at += 1;
            }
            _ => at += 1,
        }
    }
    out.push_str(&text[done..]);
    out
}

/// The end of the first run of exactly so many backticks.
fn closing(bytes: &[u8], run: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'`', &bytes[at..]) {
        at += next;
        let len = bytes[at..].iter().take_while(|&&b| b == b'`').count();
        at += len;
        if len == run {
            return Some(at);
        }
    }
    None
}

/// Escapes characters that are marks within a line; those in formulas stay, which get `$`.
pub(super) fn escape_inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut at, mut done) = (0, 0);
    let (mut no_block, mut no_inline) = (false, false);
    while let Some(next) = memchr::memchr(b'\\', &text.as_bytes()[at..]) {
        at += next;
        let rest = &text[at + 1..];
        let formula =
            if rest.starts_with('[') && !no_block && !text[..at].ends_with(|c| !is_space(c)) {
                let end = memmem::find(&rest.as_bytes()[1..], b"\\]");
                no_block = end.is_none();
                end.filter(|&end| end > 0)
                    .map(|end| (format!("\n$$\n{}\n$$\n", strip(&rest[1..1 + end])), end))
            } else if rest.starts_with('(') && !no_inline {
                let end = memmem::find(&rest.as_bytes()[1..], b"\\)");
                no_inline = end.is_none();
                end.filter(|&end| end > 0 && !rest[1..1 + end].contains('\n'))
                    .map(|end| (format!("${}$", &rest[1..1 + end]), end))
            } else {
                None
            };
        match formula {
            Some((formula, len)) => {
                escape_prose(&text[done..at], &mut out);
                out.push_str(&formula);
                at += len + 4;
                done = at;
            }
            None => at += 1,
        }
    }
    escape_prose(&text[done..], &mut out);
    out
}

fn escape_prose(text: &str, out: &mut String) {
    let mut slashes = 0;
    for c in text.chars() {
        match c {
            '\\' => slashes += 1,
            '*' | '_' | '`' | '~' | '[' | ']' | '<' => {
                out.extend(std::iter::repeat_n('\\', slashes + 1));
                slashes = 0;
            }
            _ => slashes = 0,
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_escaped() {
        for (text, escaped) in [
            (
                "a*b_c [d] <e> ~f `g`",
                "a\\*b\\_c \\[d\\] \\<e> \\~f \\`g\\`",
            ),
            ("\\*", "\\\\\\*"),
            ("x \\(a_1\\) \\[b*c\\] d_", "x $a_1$ \n$$\nb*c\n$$\n d\\_"),
            ("\\( \\[", "\\( \\\\\\["),
        ] {
            assert_eq!(escape_inline(text), escaped);
        }
        for (text, escaped) in [
            ("# a", "\\# a"),
            ("#a", "#a"),
            ("- b", "\\- b"),
            ("12. c", "12\\. c"),
            (" > d", " \\> d"),
        ] {
            assert_eq!(escape_block_start(text.into()), escaped);
        }
        assert_eq!(
            escape_brackets("a [b] `[c]` \\[d]"),
            "a \\[b\\] `[c]` \\[d\\]"
        );
    }
}
