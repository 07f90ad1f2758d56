//! Reads a file from front to end with lookahead.

use super::handle::{FileAt, whole};
use std::io::{self, BufRead, Read};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

/// Reads a file; [`Self::peek`] shows the next bytes without consuming them.
pub(crate) struct Source {
    file: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The unconsumed part of the buffer: `buffer[start..end]`.
    start: usize,
    end: usize,
}

impl Source {
    pub(crate) fn open<'a>(at: impl Into<FileAt<'a>>) -> io::Result<Self> {
        Ok(Self::of(whole(at)?))
    }

    pub(crate) fn of(file: Box<dyn Read + Send>) -> Self {
        Self {
            file,
            buffer: vec![0; PIECE],
            start: 0,
            end: 0,
        }
    }

    /// The next `count` bytes, at most [`PIECE`]; fewer only at the end of the file.
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < count && self.fill()? > 0 {}
        Ok(&self.buffer[self.start..self.end.min(self.start + count)])
    }

    /// Skips zero bytes.
    pub(crate) fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let ready = self.fill_buf()?;
            let zeros = ready.iter().take_while(|byte| **byte == 0).count();
            let more = zeros == ready.len() && zeros > 0;
            self.consume(zeros);
            if !more {
                return Ok(());
            }
        }
    }

    /// Appends to the buffer; returns the number of bytes, 0 at the end of the file.
    fn fill(&mut self) -> io::Result<usize> {
        loop {
            match self.file.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(got) => {
                    self.end += got;
                    return Ok(got);
                }
            }
        }
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }
}

impl Read for Source {
    /// Returns fewer bytes than asked for only at the end: decoders may rely on it.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < bytes.len() {
            let ready = self.fill_buf()?;
            let count = ready.len().min(bytes.len() - done);
            if count == 0 {
                break;
            }
            bytes[done..done + count].copy_from_slice(&ready[..count]);
            self.consume(count);
            done += count;
        }
        Ok(done)
    }
}
