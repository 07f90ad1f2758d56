//! ARPA files, line by line.

/// The lines of a file, with the number of the last one.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

/// A line with an n-gram.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// The logarithm of the probability, at most 0.
    pub probability: f32,
    /// 0 if the line has none.
    pub backoff: f32,
    /// What is after the probability: the words, and maybe the backoff.
    words: &'a [u8],
}

/// Whether a file begins as an ARPA file does.
pub(crate) fn is_arpa(start: &[u8]) -> bool {
    let mut lines = Lines::new(start);
    loop {
        match lines.next() {
            Some(line) if line.trim_ascii().is_empty() || line.starts_with(b"#") => {}
            Some(line) => return line == b"\\data\\",
            None => return false,
        }
    }
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

fn number(text: &[u8]) -> Option<f32> {
    let value: f32 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (!value.is_nan()).then_some(value)
}

impl<'a> Lines<'a> {
    pub(crate) fn new(file: &'a [u8]) -> Self {
        Self {
            rest: file,
            number: 0,
        }
    }

    /// The next line, without its end.
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let end = memchr::memchr(b'\n', self.rest);
        let line = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = end.map_or(&[], |end| &self.rest[end + 1..]);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The next line that is not blank.
    fn next_filled(&mut self) -> Option<&'a [u8]> {
        std::iter::from_fn(|| self.next()).find(|line| !line.trim_ascii().is_empty())
    }

    /// The message for the last line.
    pub(crate) fn wrong(&self, what: &str) -> String {
        format!(
            "line {} of the ARPA file: {what}: the file is damaged or was cut off, get it again",
            self.number
        )
    }

    /// Reads the head: the number of n-grams of each length.
    ///
    /// # Errors
    /// With the line that is wrong.
    pub(crate) fn counts(&mut self) -> Result<Vec<u64>, String> {
        let mut first = self.next_filled();
        while first.is_some_and(|line| line.starts_with(b"#")) {
            first = self.next_filled();
        }
        if first != Some(b"\\data\\") {
            return Err(self.wrong("it must be `\\data\\`"));
        }
        let mut counts = Vec::new();
        while let Some(line) = self.next().filter(|line| !line.trim_ascii().is_empty()) {
            let count = std::str::from_utf8(line).ok().and_then(|line| {
                let (words, count) = line.strip_prefix("ngram ")?.split_once('=')?;
                let words: usize = words.trim().parse().ok()?;
                let count = count.trim().parse().ok()?;
                (words == counts.len() + 1).then_some(count)
            });
            let Some(count) = count else {
                return Err(self.wrong("it must be `ngram N=COUNT`, with N from 1 on"));
            };
            counts.push(count);
            // A line takes five bytes at least.
            let most = self.rest.len() as u64 / 5;
            let sum = counts.iter().try_fold(0u64, |sum, n| sum.checked_add(*n));
            if sum.is_none_or(|sum| sum > most) {
                return Err(self.wrong("the file has not as many n-grams as it says"));
            }
        }
        Ok(counts)
    }

    /// Reads the line before the n-grams of so many words.
    ///
    /// # Errors
    /// When it is another one.
    pub(crate) fn section(&mut self, words: usize) -> Result<(), String> {
        let expected = format!("\\{words}-grams:");
        match self.next_filled() {
            Some(line) if line == expected.as_bytes() => Ok(()),
            _ => Err(self.wrong(&format!("it must be `{expected}`"))),
        }
    }

    /// Reads the last line.
    ///
    /// # Errors
    /// When it is another one.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        match (self.next_filled(), self.next_filled()) {
            (Some(b"\\end\\"), None) => Ok(()),
            _ => Err(self.wrong("the file must end with `\\end\\`")),
        }
    }

    /// Reads a line with an n-gram; calls `visit` with each of its words.
    ///
    /// # Errors
    /// When the line has not so many words, or what is no number.
    pub(crate) fn entry(
        &mut self,
        words: usize,
        mut visit: impl FnMut(&'a [u8]),
    ) -> Result<Entry<'a>, String> {
        let line = self.next().unwrap_or_default();
        let mut parts = line.splitn(2, |byte| *byte == b'\t');
        let probability = parts.next().and_then(number);
        let (Some(probability), Some(mut rest)) = (probability, parts.next()) else {
            return Err(self.wrong("it must be a probability, a tab, and words"));
        };
        if probability > 0.0 {
            return Err(self.wrong("the logarithm of a probability is above 0"));
        }
        let whole = rest;
        for _ in 0..words {
            let start = rest.iter().position(|byte| !is_space(byte));
            rest = start.map_or(&[], |start| &rest[start..]);
            let end = rest.iter().position(is_space).unwrap_or(rest.len());
            if end == 0 {
                return Err(self.wrong(&format!("it must have {words} words")));
            }
            visit(&rest[..end]);
            rest = &rest[end..];
        }
        let backoff = match rest {
            [] => Some(0.0),
            [b'\t', backoff @ ..] => number(backoff).filter(|backoff| backoff.is_finite()),
            _ => None,
        };
        let Some(backoff) = backoff else {
            return Err(self.wrong(&format!(
                "after {words} words it must end, or have a backoff"
            )));
        };
        Ok(Entry {
            probability,
            backoff,
            words: whole,
        })
    }
}

impl Entry<'_> {
    /// The words, for a message.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.words)
            .trim()
            .escape_debug()
            .collect()
    }
}
