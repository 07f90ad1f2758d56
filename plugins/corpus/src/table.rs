//! A set of strings from the lines of a file, in the memory of the file and four bytes for each line.

use std::io::Read;

/// A sorted table of the lines of a file.
///
/// By hand although there are sets in the standard library, as lists of URLs have millions of lines of
/// 25 bytes: a set of strings takes 70 bytes for each.
#[derive(Debug, Default)]
pub(crate) struct Table {
    text: String,
    /// Where lines begin, in the order of the lines.
    starts: Vec<u32>,
}

impl Table {
    /// The lines of the file at `path`, the parameter `name`: without white space around them, without empty
    /// ones and without those that begin with `#`. An empty path is an empty file.
    ///
    /// # Errors
    /// A sentence that names the parameter.
    pub(crate) fn read(name: &str, path: &str) -> Result<Self, String> {
        if path.is_empty() {
            return Ok(Self::default());
        }
        let failed = |error: std::io::Error| format!("`{name}`: cannot read `{path}`: {error}");
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length >= u32::MAX.into() {
            return Err(format!(
                "`{name}`: `{path}` has {length} bytes: a list may have 4 GB"
            ));
        }
        // In one piece: memory of a growing buffer would stay with the instance.
        let mut text = String::with_capacity(length as usize + 1);
        file.read_to_string(&mut text).map_err(failed)?;
        Ok(Self::of(text))
    }

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

    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Whether `line` is in the table.
    pub(crate) fn contains(&self, line: &str) -> bool {
        self.starts
            .binary_search_by(|&start| self.line(start).cmp(line))
            .is_ok()
    }

    /// The lines.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().map(|&start| self.line(start))
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
        assert!(Table::of("#\n \n".into()).is_empty());
    }
}
