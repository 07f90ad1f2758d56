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
    /// What ends lines: a line feed, with or without a carriage return before it, or where the
    /// first line ends so, a carriage return alone. None: no line has ended.
    end: Option<u8>,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) {
        if self.end.is_none() {
            self.look_for_end(bytes);
        }
        let mut from = 0;
        let end = self.end.unwrap_or(b'\n');
        for at in memchr::memchr_iter(end, bytes).chain([bytes.len()]) {
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

    fn look_for_end(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.returned {
            // The first line end, or the first half of it, was the last byte before these.
            if bytes[0] == b'\n' {
                self.end = Some(b'\n');
            } else {
                self.end = Some(b'\r');
                self.in_line -= 1;
                self.bytes -= 1;
                self.returned = false;
                self.end_line();
            }
            return;
        }
        if let Some(at) = memchr::memchr2(b'\r', b'\n', bytes) {
            self.end = match (bytes[at], bytes.get(at + 1)) {
                (b'\r', None) => None,
                (b'\r', Some(next)) if *next != b'\n' => Some(b'\r'),
                _ => Some(b'\n'),
            };
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
            // Carriage returns alone, as on old Macs; a line feed is no end then.
            let mut lines = Lines::default();
            b"a,b\r1,2\r\r\"x\ny\",3\rlast"
                .chunks(piece)
                .for_each(|chunk| lines.add(chunk));
            assert_eq!(
                [lines.of(0), lines.of(4), lines.of(9), lines.of(17)],
                [1, 2, 4, 5],
                "{piece}"
            );
        }
    }
}
