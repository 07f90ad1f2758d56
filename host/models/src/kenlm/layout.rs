//! Where the parts of a binary lie.

use crate::error::damaged;
use std::ops::Range;

/// Gives the parts of a file their places, one after the other, and checks that the file has them.
#[derive(Debug)]
pub(crate) struct Layout {
    at: u64,
    length: u64,
}

impl Layout {
    /// Begins at a place of a file of some length.
    pub(crate) fn new(at: usize, length: usize) -> Self {
        Self {
            at: at as u64,
            length: length as u64,
        }
    }

    /// The place of the next part.
    pub(crate) fn at(&self) -> usize {
        self.at as usize
    }

    /// The place of a part with `count` things of `size` bytes each.
    pub(crate) fn take(
        &mut self,
        count: u64,
        size: u64,
        what: &str,
    ) -> Result<Range<usize>, String> {
        let end = count
            .checked_mul(size)
            .and_then(|bytes| self.at.checked_add(bytes))
            .filter(|end| *end <= self.length)
            .ok_or_else(|| damaged(what))?;
        let start = std::mem::replace(&mut self.at, end);
        Ok(start as usize..end as usize)
    }
}
