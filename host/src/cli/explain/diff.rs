//! What has changed in a text, in one line: `the [-old-]{+new+} word`.

use similar::{ChangeTag, TextDiff};

use crate::sanitize::printable;
use crate::term::{Color, Style};

/// Characters of unchanged text that are shown on each side of a change.
const CONTEXT: usize = 30;
/// Characters of a removed or added text that are shown.
const MOST: usize = 200;
/// Changes that are shown of one text.
const CHANGES: usize = 20;
/// Longer texts are compared in this much time at most; then larger pieces count as changed.
const TIME: std::time::Duration = std::time::Duration::from_millis(200);

/// The changes from `before` to `after`, with some text around them.
pub(super) fn diff(before: &str, after: &str, style: Style) -> String {
    let diff = TextDiff::configure()
        .timeout(TIME)
        .diff_words(before, after);
    let mut pieces: Vec<(ChangeTag, String)> = Vec::new();
    for change in diff.iter_all_changes() {
        match pieces.last_mut() {
            Some((tag, text)) if *tag == change.tag() => text.push_str(change.value()),
            _ => pieces.push((change.tag(), change.value().to_owned())),
        }
    }
    let (mut out, mut changes, last) = (String::new(), 0, pieces.len().saturating_sub(1));
    for (number, (tag, text)) in pieces.iter().enumerate() {
        if *tag == ChangeTag::Equal {
            out.push_str(&between(text, number == 0, number == last));
            continue;
        }
        changes += 1;
        if changes > CHANGES {
            out.push_str("… and more");
            break;
        }
        let text = shown(&cut(text));
        out.push_str(&match tag {
            ChangeTag::Delete => style.paint(Color::Red, &format!("[-{text}-]")),
            _ => style.paint(Color::Green, &format!("{{+{text}+}}")),
        });
    }
    out
}

/// Text that has not changed: what is next to changes.
fn between(text: &str, is_first: bool, is_last: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (before, after) = (
        if is_first { 0 } else { CONTEXT },
        if is_last { 0 } else { CONTEXT },
    );
    if chars.len() <= before + after + 3 {
        return shown(text);
    }
    let start: String = chars[..before].iter().collect();
    let end: String = chars[chars.len() - after..].iter().collect();
    format!("{}…{}", shown(&start), shown(&end))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Foreign text on one line. Spaces that are no ordinary ones are written out: mappers change them.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_whitespace() && c != ' ' => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_what_is_around_them() {
        let plain = Style::plain();
        assert_eq!(diff("a b c", "a x c", plain), "a [-b-]{+x+} c");
        assert_eq!(diff("a\u{a0}b", "a b", plain), "a[-\\u{a0}-]{+ +}b");
        let long = "word ".repeat(100);
        let text = diff(
            &format!("{long}old {long}"),
            &format!("{long}new {long}"),
            plain,
        );
        assert!(text.starts_with('…') && text.ends_with('…'), "{text}");
        assert!(
            text.contains("[-old-]{+new+}") && text.len() < 100,
            "{text}"
        );
        assert!(
            diff("a\u{1b}[31m", "b", plain).contains("\\u{1b}"),
            "foreign text is safe"
        );
    }
}
