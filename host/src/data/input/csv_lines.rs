//! Finds the line of a table in which a row begins, from the position of its first byte. The `csv`
//! crate's own count is late where lines end in `\r\n`, and early after blank lines.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

/// The lines read so far that no row has been matched to.
#[derive(Default)]
pub(crate) struct Lines {
    /// Number, from 1, and the position after the last byte before the line end. Blank lines are
    /// left out.
    lines: VecDeque<(u64, u64)>,
    number: u64,
    /// Bytes so far, and how many of them belong to the current line.
    bytes: u64,
    in_line: u64,
    /// The last byte was a carriage return.
    returned: bool,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) {
        let mut from = 0;
        for at in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
            let piece = &bytes[from..at];
            self.in_line += piece.len() as u64;
            self.bytes += piece.len() as u64;
            if let Some(last) = piece.last() {
                self.returned = *last == b'\r';
            }
            if at < bytes.len() {
                self.end_line();
            }
            from = at + 1;
        }
    }

    fn end_line(&mut self) {
        self.number += 1;
        let length = self.in_line - u64::from(self.returned && self.in_line > 0);
        if length > 0 {
            self.lines
                .push_back((self.number, self.bytes - (self.in_line - length)));
        }
        self.bytes += 1;
        (self.in_line, self.returned) = (0, false);
    }

    /// The line of the first row that begins at or after `at`, past line ends and blank lines. `at`
    /// must not decrease between calls.
    pub(crate) fn of(&mut self, at: u64) -> u64 {
        while self.lines.pop_front_if(|(_, end)| *end <= at).is_some() {}
        self.lines
            .front()
            .map_or(self.number + 1, |(number, _)| *number)
    }
}

/// Passes bytes through and notes the line ends.
pub(crate) struct Counted<R> {
    pub(crate) inner: R,
    pub(crate) lines: Rc<RefCell<Lines>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(bytes)?;
        self.lines.borrow_mut().add(&bytes[..got]);
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_of_all_kinds_are_counted() {
        for piece in [1, 2, 3, 100] {
            let text = b"a,b\r\n1,2\r\n\r\n\n\"x\ny\",3\nlast";
            let mut lines = Lines::default();
            text.chunks(piece).for_each(|chunk| lines.add(chunk));
            // The second row begins in line 2, also when asked from the `\n` of line 1; the third
            // comes after two blank lines.
            assert_eq!(
                [lines.of(0), lines.of(4), lines.of(9), lines.of(21)],
                [1, 2, 5, 7],
                "{piece}"
            );
        }
    }
}
