//! Reads the numbers of a model file, never beyond the bytes that are there.

use crate::error::damaged;
use crate::numbers::{all_finite, floats};
use std::ops::Range;

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The place in the file.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The place of the next bytes, and goes beyond them.
    pub(crate) fn skip(&mut self, count: usize, what: &str) -> Result<Range<usize>, String> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.bytes.len())
            .ok_or_else(|| damaged(what))?;
        let from = std::mem::replace(&mut self.at, end);
        Ok(from..end)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], String> {
        let place = self.skip(N, what)?;
        self.bytes[place].try_into().map_err(|_| damaged(what))
    }

    pub(crate) fn i32(&mut self, what: &str) -> Result<i32, String> {
        Ok(i32::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn i64(&mut self, what: &str) -> Result<i64, String> {
        Ok(i64::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn flag(&mut self, what: &str) -> Result<bool, String> {
        match self.array::<1>(what)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(damaged(what)),
        }
    }

    /// A count of things that each take at least `size` bytes of the rest of the file.
    pub(crate) fn count(&self, count: i64, size: usize, what: &str) -> Result<usize, String> {
        let left = self.bytes.len() - self.at;
        usize::try_from(count)
            .ok()
            .filter(|count| count.checked_mul(size).is_some_and(|bytes| bytes <= left))
            .ok_or_else(|| damaged(what))
    }

    /// The bytes up to a zero byte, which is skipped.
    pub(crate) fn string(&mut self, what: &str) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let length = memchr::memchr(0, rest).ok_or_else(|| damaged(what))?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    /// The place of some floats that are all numbers.
    pub(crate) fn floats(&mut self, count: usize, what: &str) -> Result<Range<usize>, String> {
        let size = count.checked_mul(4).ok_or_else(|| damaged(what))?;
        let place = self.skip(size, what)?;
        match all_finite(&self.bytes[place.clone()]) {
            true => Ok(place),
            false => Err(damaged(what)),
        }
    }

    /// The same, copied.
    pub(crate) fn copied(&mut self, count: usize, what: &str) -> Result<Vec<f32>, String> {
        let place = self.floats(count, what)?;
        Ok(floats(&self.bytes[place]).collect())
    }
}
