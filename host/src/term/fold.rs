//! Lines of a report that are wider than the terminal.

use super::width;

/// Returns `text` with the lines that are wider than `columns` broken at blanks; None: as it is.
/// What goes on stands below the line's second column, which is behind two blanks or more, else two
/// columns in from the line. A word that is wider than the terminal stays whole, to be copied.
pub(crate) fn fold(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        if width(line) <= columns {
            out += line;
        } else {
            let indent = line.len() - line.trim_start_matches(' ').len();
            let hang = second_column(line, indent)
                .filter(|at| *at <= columns / 2)
                .unwrap_or(indent + 2);
            out += &fold_at(line, hang, columns).join("\n");
        }
        out += end;
    }
    out
}

/// Returns the lines of `line` broken at blanks; those after the first are indented by `hang`, less
/// where only so a word fits.
pub(crate) fn fold_at(line: &str, hang: usize, columns: usize) -> Vec<String> {
    let text = line.trim_start_matches(' ');
    let mut lines = Vec::new();
    let mut now = " ".repeat(line.len() - text.len());
    let mut is_begun = false;
    for word in text.split(' ') {
        if is_begun && !word.is_empty() && width(&now) + 1 + width(word) > columns {
            now.truncate(now.trim_end_matches(' ').len());
            let room = columns.saturating_sub(width(word));
            lines.push(std::mem::replace(&mut now, " ".repeat(hang.min(room))));
            is_begun = false;
        }
        if is_begun {
            now.push(' ');
        }
        now += word;
        is_begun = true;
    }
    lines.push(now);
    lines
}

/// Where what is behind the first two blanks after `indent` begins.
fn second_column(line: &str, indent: usize) -> Option<usize> {
    let first = line[indent..].find("  ")? + indent;
    let text = line[first..].trim_start_matches(' ');
    (!text.is_empty()).then(|| width(&line[..line.len() - text.len()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_below_their_second_column() {
        for (line, columns, folded) in [
            ("job   one two three", 14, "job   one two\n      three"),
            (
                "  one two  three four",
                12,
                "  one two\n    three\n    four",
            ),
            ("one two three", 7, "one two\n  three"),
            (
                "one a-word-of-some-length",
                12,
                "one\na-word-of-some-length",
            ),
            ("one eleven-long", 12, "one\n eleven-long"),
            ("short\n\n", 12, "short\n\n"),
            // Chinese characters take two columns.
            ("数据 数据集合", 8, "数据\n数据集合"),
        ] {
            assert_eq!(fold(line, Some(columns)), folded, "{line:?} in {columns}");
            assert_eq!(fold(line, None), line);
        }
    }
}
