//! A set of strings from the lines of a text, in the memory of the text and four bytes for each line: every
//! instance has the public suffixes, of which a set of strings would take eight times the memory.

/// A sorted table of the lines of a text.
#[derive(Debug, Default)]
pub(crate) struct Table {
    text: String,
    /// Where lines begin, in the order of the lines.
    starts: Vec<u32>,
}

impl Table {
    /// The lines of a text: without white space around them, without empty ones and without those that begin
    /// with `#`.
    pub(crate) fn of(text: String) -> Self {
        let lines = || {
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .map(str::trim)
                .filter(|line| !line.is_empty())
        };
        let mut starts = Vec::with_capacity(lines().count());
        starts.extend(lines().map(|line| (line.as_ptr() as usize - text.as_ptr() as usize) as u32));
        let mut table = Self {
            text,
            starts: Vec::new(),
        };
        starts.sort_unstable_by(|&a, &b| table.line(a).cmp(table.line(b)));
        table.starts = starts;
        table
    }

    /// Whether `line` is in the table.
    pub(crate) fn contains(&self, line: &str) -> bool {
        self.starts
            .binary_search_by(|&start| self.line(start).cmp(line))
            .is_ok()
    }

    fn line(&self, start: u32) -> &str {
        let rest = &self.text[start as usize..];
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        rest[..end].trim_end()
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn lines_are_found() {
        let table = Table::of("b.org\r\n# a.org\n\n  a b \né\nb.org".into());
        for line in ["b.org", "a b", "é"] {
            assert!(table.contains(line), "{line}");
        }
        for line in ["", "# a.org", "a.org", "b", "b.org\r", "a", "f"] {
            assert!(!table.contains(line), "{line}");
        }
        assert!(!Table::of("#\n \n".into()).contains(""));
    }
}
