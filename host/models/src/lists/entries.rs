//! A sorted table of the lines of a file.
//!
//! By hand although there are sets in the standard library: lists of URLs have millions of lines of 25
//! bytes, and a set of strings takes 70 bytes for each. A finite-state table (the crate `fst`) is smaller
//! only for what shares beginnings, takes ten times the time to build, and could not use the file as it
//! is.

use crate::error::damaged;
use crate::mapped::Bytes;

/// The entries of a list, sorted, in the memory of the file and four bytes for each entry.
pub(super) struct Entries {
    text: Bytes,
    /// Where entries begin in `text`, in their order.
    starts: Vec<u32>,
}

/// Entries are lines without white space around them; empty lines and those that begin with `#` are
/// none.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

impl Entries {
    /// The entries of a file as they are.
    ///
    /// # Errors
    /// When it is not UTF-8, or has 4 GB.
    pub(super) fn of_lines(file: Bytes) -> Result<Self, String> {
        let text = utf8(&file)?;
        let at = |line: &str| (line.as_ptr() as usize - text.as_ptr() as usize) as u32;
        let mut starts = Vec::with_capacity(lines(text).count());
        starts.extend(lines(text).map(at));
        Ok(Self::sorted(file, starts))
    }

    /// The entries of a file without case and all but the letters and digits of ASCII; those of which
    /// nothing is left are none.
    ///
    /// # Errors
    /// When it is not UTF-8, or has 4 GB.
    pub(super) fn of_folded(file: &Bytes) -> Result<Self, String> {
        let mut text = Vec::with_capacity(file.len() + 1);
        let mut starts = Vec::new();
        for line in lines(utf8(file)?) {
            let start = text.len();
            text.extend(folded(line));
            if text.len() > start {
                starts.push(start as u32);
                text.push(b'\n');
            }
        }
        text.shrink_to_fit();
        Ok(Self::sorted(Bytes::Loaded(text), starts))
    }

    fn sorted(text: Bytes, mut starts: Vec<u32>) -> Self {
        starts.sort_unstable_by(|&a, &b| entry(&text, a).cmp(entry(&text, b)));
        // Lists of several sources name much twice.
        starts.dedup_by(|a, b| entry(&text, *a) == entry(&text, *b));
        starts.shrink_to_fit();
        Self { text, starts }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// How much memory they take, the pages of a mapped file included.
    pub(super) fn memory(&self) -> usize {
        self.text.len() + self.starts.len() * size_of::<u32>()
    }

    /// Whether `wanted` is an entry.
    pub(super) fn contains(&self, wanted: &str) -> bool {
        let compare = |&start: &u32| entry(&self.text, start).cmp(wanted.as_bytes());
        self.starts.binary_search_by(compare).is_ok()
    }

    /// The entries, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.starts.iter().map(|&start| entry(&self.text, start))
    }
}

/// The entry that begins at `start`. Of a file that someone writes to meanwhile it may be anything.
fn entry(text: &[u8], start: u32) -> &[u8] {
    let rest = text.get(start as usize..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    match &rest[..end] {
        // Most lines end here.
        ascii if ascii.last().is_none_or(u8::is_ascii_graphic) => ascii,
        line => match std::str::from_utf8(line) {
            Ok(line) => line.trim_end().as_bytes(),
            Err(_) => line.trim_ascii_end(),
        },
    }
}

/// The letters and digits of ASCII of `text`, in lower case.
pub(super) fn folded(text: &str) -> impl Iterator<Item = u8> {
    text.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase())
}

fn utf8(file: &[u8]) -> Result<&str, String> {
    if file.len() >= u32::MAX as usize {
        return Err(format!("it has {} bytes: a list may have 4 GB", file.len()));
    }
    std::str::from_utf8(file).map_err(|error| {
        let line = memchr::memchr_iter(b'\n', &file[..error.valid_up_to()]).count() + 1;
        match line {
            // A file that is packed, or no text at all.
            1 if error.valid_up_to() < 16 => "a list must be a text file in UTF-8".into(),
            _ => damaged(&format!("line {line} is not UTF-8")),
        }
    })
}
