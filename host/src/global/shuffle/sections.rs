//! A file of sections, each of which is read by itself, and checked then.
//!
//! The number of sections; for each where it ends, and its checksum; then their bytes. Numbers are
//! 64 bits, little endian.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use xxhash_rust::xxh3::xxh3_64;

use super::number;

/// Bytes of the head of `sections` sections.
fn head(sections: usize) -> usize {
    8 + 16 * sections
}

/// A file being made, of which the sizes of all sections are known.
pub(super) struct Made {
    bytes: Vec<u8>,
    /// Where the next byte of each section goes.
    next: Vec<usize>,
    sizes: Vec<usize>,
}

impl Made {
    pub(super) fn new(sizes: Vec<usize>) -> Self {
        let mut end = head(sizes.len());
        let next = sizes.iter().map(|size| {
            let start = end;
            end += size;
            start
        });
        let next = next.collect();
        Self {
            bytes: vec![0; end],
            next,
            sizes,
        }
    }

    /// Appends to a section.
    pub(super) fn push(&mut self, section: usize, bytes: &[u8]) {
        let at = self.next[section];
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.next[section] = at + bytes.len();
    }

    /// The bytes of the file.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let count = self.sizes.len();
        let mut start = head(count);
        let first = start;
        self.bytes[..8].copy_from_slice(&(count as u64).to_le_bytes());
        for (section, size) in self.sizes.iter().enumerate() {
            debug_assert_eq!(self.next[section], start + size);
            let sum = xxh3_64(&self.bytes[start..start + size]);
            start += size;
            let at = head(section);
            self.bytes[at..at + 8].copy_from_slice(&((start - first) as u64).to_le_bytes());
            self.bytes[at + 8..at + 16].copy_from_slice(&sum.to_le_bytes());
        }
        self.bytes
    }
}

/// Reads the bytes of a file from a place on.
pub(crate) type ReadAt<'a> = Box<dyn Fn(&mut [u8], u64) -> Result<()> + 'a>;

/// Opens a file of sections by its number.
pub(crate) type Open<'a> = &'a dyn Fn(usize) -> Result<SectionFile<'a>>;

/// A file of sections, wherever it is.
pub(crate) struct SectionFile<'a> {
    /// Where it is, for messages.
    place: String,
    read_at: ReadAt<'a>,
    /// Its bytes.
    length: u64,
    sections: usize,
}

impl<'a> SectionFile<'a> {
    /// The file at `place` of `length` bytes that `read_at` reads, which has `sections` sections. Reads
    /// nothing.
    pub(crate) fn new(place: String, read_at: ReadAt<'a>, length: u64, sections: usize) -> Self {
        Self {
            place,
            read_at,
            length,
            sections,
        }
    }

    /// Where the first of some sections starts; where each ends, and its checksum.
    fn about(&self, wanted: &Range<usize>) -> Result<(u64, Vec<(u64, u64)>)> {
        // One request, where each is one.
        let mut bytes = vec![0; head(wanted.end)];
        ensure!(bytes.len() as u64 <= self.length, "it is cut off");
        (self.read_at)(&mut bytes, 0)?;
        let (count, entries) = bytes.split_at(8);
        ensure!(
            number(count) == self.sections as u128,
            "it has another number of sections than {}",
            self.sections
        );
        let all: Vec<(u64, u64)> = entries
            .chunks_exact(16)
            .map(|entry| (number(&entry[..8]) as u64, number(&entry[8..]) as u64))
            .collect();
        ensure!(
            all.is_sorted_by_key(|(end, _)| *end),
            "it is damaged: sections overlap"
        );
        let before = wanted.start.checked_sub(1).map(|before| all[before].0);
        Ok((before.unwrap_or(0), all[wanted.clone()].to_vec()))
    }

    /// Where each of some sections ends, and the bytes of all of them.
    pub(super) fn read(&self, wanted: Range<usize>) -> Result<(Vec<usize>, Vec<u8>)> {
        let read = self.try_read(wanted);
        read.with_context(|| format!("cannot read `{}`", self.place))
    }

    fn try_read(&self, wanted: Range<usize>) -> Result<(Vec<usize>, Vec<u8>)> {
        let (start, about) = self.about(&wanted)?;
        let end = about.last().map_or(start, |(end, _)| *end);
        let first = head(self.sections) as u64;
        ensure!(end <= self.length.saturating_sub(first), "it is cut off");
        let mut bytes = vec![0; (end - start) as usize];
        (self.read_at)(&mut bytes, first + start)?;
        let mut ends = Vec::with_capacity(about.len());
        let mut from = 0;
        for (end, sum) in about {
            let to = (end - start) as usize;
            ensure!(
                xxh3_64(&bytes[from..to]) == sum,
                "it is damaged: its checksum differs"
            );
            ends.push(to);
            from = to;
        }
        Ok((ends, bytes))
    }
}
