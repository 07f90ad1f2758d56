//! Puts two patches together: the one that makes the row that was stored last, and what has changed
//! of that row since. So the next checkpoint need not look at what is known of a row again.

use std::ops::Range;

use anyhow::{Context, Result};

use super::patch::{Piece, Pieces, write_step};

/// Writes the patch from the input's row to the current one, while someone goes through the row that
/// was stored last, from front to back.
pub(super) struct Composer<'a> {
    /// What is left of the row that was stored last.
    last: Pieces<'a>,
    out: &'a mut Vec<u8>,
    /// The step that is not written yet: new bytes, then what is copied of the input's row.
    literal: Vec<u8>,
    copy: Range<usize>,
    /// Where the copy of the step before ended.
    copied: usize,
}

impl<'a> Composer<'a> {
    /// Appends to `out`.
    pub(super) fn new(last: Pieces<'a>, out: &'a mut Vec<u8>) -> Self {
        Self {
            last,
            out,
            literal: Vec::new(),
            copy: 0..0,
            copied: 0,
        }
    }

    /// New bytes follow, which `write` appends.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.copy.is_empty() {
            self.end_step();
        }
        write(&mut self.literal);
    }

    /// The next bytes of the last row stay.
    pub(super) fn copy(&mut self, bytes: usize) -> Result<()> {
        self.pass(bytes, |this, piece| match piece {
            Piece::New(bytes) => this.write(|out| out.extend_from_slice(bytes)),
            Piece::Old(range) if !this.copy.is_empty() && this.copy.end == range.start => {
                this.copy.end = range.end;
            }
            Piece::Old(range) => {
                if !this.copy.is_empty() {
                    this.end_step();
                }
                this.copy = range;
            }
        })
    }

    /// The next bytes of the last row are no longer there.
    pub(super) fn skip(&mut self, bytes: usize) -> Result<()> {
        self.pass(bytes, |_, _| ())
    }

    fn pass(&mut self, bytes: usize, mut each: impl FnMut(&mut Self, Piece<'a>)) -> Result<()> {
        let mut left = bytes;
        while left > 0 {
            let piece = self.last.next(left)?;
            let piece = piece.context("internal error: a stored row is shorter than it was")?;
            left -= match &piece {
                Piece::New(bytes) => bytes.len(),
                Piece::Old(range) => range.len(),
            };
            each(self, piece);
        }
        Ok(())
    }

    fn end_step(&mut self) {
        let skip = self.copy.start - self.copied;
        write_step(&self.literal, skip, self.copy.len(), self.out);
        self.literal.clear();
        self.copied = self.copy.end;
        self.copy = self.copied..self.copied;
    }

    /// Bytes of the patch so far.
    pub(super) fn len(&self) -> usize {
        self.out.len() + self.literal.len()
    }

    /// Ends the patch; returns how long `out` is now.
    pub(super) fn finish(mut self) -> usize {
        if !self.literal.is_empty() || !self.copy.is_empty() {
            if self.copy.is_empty() {
                self.copy = self.copied..self.copied;
            }
            self.end_step();
        }
        self.out.len()
    }
}
