use super::entries::{Entries, folded};
use crate::mapped::Bytes;
use crate::{Info, Kind};
use aho_corasick::AhoCorasick;

/// A list with an entry on each line. White space around an entry, empty lines and lines that begin
/// with `#` do not count. It takes the memory of its file and four bytes for each entry, and what
/// [`Kind::Substrings`] needs to search for all entries at once.
pub struct List {
    kind: Kind,
    bytes: u64,
    entries: Entries,
    search: Option<AhoCorasick>,
}

impl List {
    /// Reads a list of the kind [`Kind::Lines`], [`Kind::Words`] or [`Kind::Substrings`].
    ///
    /// # Errors
    /// When the file is not UTF-8, or has 4 GB.
    pub(crate) fn read(file: Bytes, kind: Kind) -> Result<Self, String> {
        let bytes = file.len() as u64;
        let entries = match kind {
            Kind::Words | Kind::Substrings => Entries::of_folded(&file)?,
            _ => Entries::of_lines(file)?,
        };
        let search = match kind == Kind::Substrings && entries.len() > 0 {
            true => Some(
                AhoCorasick::new(entries.iter())
                    .map_err(|error| format!("its entries cannot be searched for: {error}"))?,
            ),
            false => None,
        };
        Ok(Self {
            kind,
            bytes,
            entries,
            search,
        })
    }

    /// Whether `text` is an entry: of [`Kind::Lines`] as it is in the file, of the others as its letters
    /// and digits of ASCII in lower case.
    pub fn contains(&self, text: &str) -> bool {
        self.entries.contains(text)
    }

    /// How often entries stand in the letters and digits of ASCII of `text`, in lower case, also where
    /// they overlap; no further than `most`. Always 0 of other kinds than [`Kind::Substrings`].
    pub fn occurrences(&self, text: &str, most: u32) -> u32 {
        let Some(search) = &self.search else {
            return 0;
        };
        let text: Vec<u8> = folded(text).collect();
        let found = search.find_overlapping_iter(&text);
        found.take(most as usize).count() as u32
    }

    pub(crate) fn info(&self) -> Info {
        let search = self.search.as_ref().map_or(0, AhoCorasick::memory_usage);
        Info {
            kind: self.kind,
            bytes: self.bytes,
            resident: (self.entries.memory() + search) as u64,
            vocabulary: Some(self.entries.len() as u64),
            inputs: Vec::new(),
            outputs: Vec::new(),
            runtime: None,
        }
    }
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "List({} {})", self.entries.len(), self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str, kind: Kind) -> List {
        List::read(Bytes::Loaded(text.into()), kind).unwrap()
    }

    #[test]
    fn lines_are_found_as_they_are() {
        let lines = list(
            "b.org\r\n# a.org\n\n  a b \u{a0}\né\u{2003}\nb.org\nz",
            Kind::Lines,
        );
        for line in ["b.org", "a b", "é", "z"] {
            assert!(lines.contains(line), "{line}");
        }
        for line in ["", "# a.org", "a.org", "b", "b.org\r", "a", "f", "B.org"] {
            assert!(!lines.contains(line), "{line}");
        }
        assert_eq!(lines.info().vocabulary, Some(4));
        assert_eq!(lines.occurrences("b.org", 9), 0);
        assert_eq!(list("#\n \n", Kind::Lines).info().vocabulary, Some(0));
        assert_eq!(list("", Kind::Lines).info().vocabulary, Some(0));
    }

    #[test]
    fn words_are_folded() {
        let words = list("Ca-sino\n ÄÖ\nfree!\n", Kind::Words);
        assert_eq!(words.info().vocabulary, Some(2));
        assert!(words.contains("casino") && words.contains("free"));
        assert!(!words.contains("Casino") && !words.contains("free!") && !words.contains(""));
    }

    #[test]
    fn substrings_are_counted_where_they_overlap() {
        let substrings = list("aa\nA-b\n", Kind::Substrings);
        assert_eq!(substrings.occurrences("http://A-A-aB/", 9), 3);
        assert_eq!(substrings.occurrences("http://A-A-aB/", 1), 1);
        assert_eq!(substrings.occurrences("", 9), 0);
        assert_eq!(list("", Kind::Substrings).occurrences("aa", 9), 0);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let refused = |bytes: &[u8]| List::read(Bytes::Loaded(bytes.into()), Kind::Lines);
        let error = refused(b"\x1f\x8b\x08\x00").unwrap_err();
        assert!(error.contains("must be a text file"), "{error}");
        let long = "x".repeat(5000);
        let error = List::read(Bytes::Loaded(long.into()), Kind::Substrings).unwrap_err();
        assert!(error.contains("has 5000 letters and digits"), "{error}");
        let error = refused(b"example.com\nexample.org\n\xff\n").unwrap_err();
        assert!(error.contains("line 3 is not UTF-8"), "{error}");
    }
}
