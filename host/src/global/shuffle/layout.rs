//! How the keys of a global op are spread over groups of partitions, and sections.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::global::dedup::pass_of;
use crate::global::hamming;

/// Bytes of entries that a split holds, about.
const GROUP: u64 = 128 << 20;
/// The most groups: whoever looks through a section opens a file of each.
const MOST_GROUPS: u64 = 1 << 14;

/// What makes two rows equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Matching {
    /// An equal fingerprint, of those with the same number.
    Equal,
    /// The same, for a grouper.
    Grouped,
    /// Fingerprints that differ in at most `distance` bits.
    Near {
        /// In bits.
        distance: u32,
        /// Blocks that the bits are cut into.
        blocks: usize,
    },
    /// A key in common, which is counted.
    Counted,
}

impl Matching {
    /// Fingerprints that differ in at most `distance` bits; the layout says how they are cut.
    pub(crate) fn near(distance: u32) -> Self {
        Self::Near {
            distance,
            blocks: 0,
        }
    }
}

/// What is known of the keys of one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) rows: u64,
    /// Of the key file.
    pub(crate) bytes: u64,
}

/// How the keys of a global op are spread. A pure function of the keys' sizes and the size of
/// sections; the same for all pieces of the work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) matching: Matching,
    /// Bytes of a fingerprint, 8 or 16.
    pub(crate) width: usize,
    /// Fingerprints of a row, or choices of blocks: an entry each.
    bands: usize,
    /// Sections of each band.
    parts: usize,
    /// Sections that one piece of work looks through.
    at_once: usize,
    /// Entries in all, about.
    entries: u64,
    /// One past the last partition of each group.
    groups: Vec<usize>,
}

impl Layout {
    /// For rows with `per_row` fingerprints of `width` bytes, in sections of about `section` bytes.
    /// `distance` is that of [`Matching::Near`].
    pub(crate) fn new(
        matching: Matching,
        (width, per_row): (usize, usize),
        keys: &[Keys],
        section: u64,
    ) -> Self {
        let rows: u64 = keys.iter().map(|keys| keys.rows).sum();
        let (matching, bands) = match matching {
            Matching::Near { distance, .. } => {
                let blocks = hamming::block_count(rows as usize, distance);
                let choices = hamming::choices(blocks, blocks - distance as usize).len();
                (Matching::Near { distance, blocks }, choices)
            }
            Matching::Equal => (matching, per_row),
            Matching::Grouped | Matching::Counted => (matching, 1),
        };
        let section = section.max(1);
        let of = |keys: &Keys| entries(matching, bands, keys) * (width + 8) as u64;
        let total: u64 = keys.iter().map(of).sum();
        let parts = (total / bands as u64).div_ceil(section).next_power_of_two();
        let sections = bands as u64 * parts;
        let at_once = section / (total / sections).max(1);
        let most = GROUP.min(section).max(total / MOST_GROUPS);
        let (mut groups, mut bytes) = (Vec::new(), 0);
        for (p, keys) in keys.iter().enumerate() {
            let of = of(keys);
            if bytes > 0 && bytes + of > most {
                groups.push(p);
                bytes = 0;
            }
            bytes += of;
        }
        groups.push(keys.len());
        Self {
            matching,
            width,
            bands,
            parts: parts as usize,
            at_once: at_once.clamp(1, sections) as usize,
            entries: total / (width + 8) as u64,
            groups,
        }
    }

    /// Bytes that all entries take.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries * self.entry() as u64
    }

    /// The bytes of an entry: the fingerprint, then partition and row.
    pub(super) fn entry(&self) -> usize {
        self.width + 8
    }

    /// The number of groups of partitions.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The partitions of a group.
    pub(crate) fn partitions(&self, group: usize) -> Range<usize> {
        let start = group.checked_sub(1).map_or(0, |before| self.groups[before]);
        start..self.groups[group]
    }

    /// The group of a partition.
    pub(super) fn group_of(&self, partition: u32) -> usize {
        self.groups
            .partition_point(|end| *end <= partition as usize)
    }

    /// Whether rows have several ways to be equal.
    pub(super) fn joins(&self) -> bool {
        self.bands > 1 || matches!(self.matching, Matching::Near { .. })
    }

    /// The number of sections of entries. A file of [`split`](super::split) has one more.
    pub(crate) fn sections(&self) -> usize {
        self.bands * self.parts
    }

    /// Sections of each band.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// The number of sections of a file of [`find`](super::find).
    pub(crate) fn found_sections(&self) -> usize {
        match self.matching {
            Matching::Equal | Matching::Near { .. } => 1,
            Matching::Counted => self.groups(),
            Matching::Grouped => 2 * self.groups(),
        }
    }

    /// The sections of each piece of work of [`find`](super::find).
    pub(crate) fn pieces(&self) -> Vec<Range<usize>> {
        let all = self.sections();
        let starts = (0..all).step_by(self.at_once);
        starts
            .map(|start| start..all.min(start + self.at_once))
            .collect()
    }

    /// How many entries some sections have, about.
    pub(super) fn entries_of(&self, sections: usize) -> usize {
        (self.entries as usize).div_ceil(self.sections()) * sections
    }

    /// The bits of a fingerprint that are compared, by band.
    pub(super) fn masks(&self) -> Vec<u128> {
        match self.matching {
            Matching::Near { distance, blocks } => {
                let choices = hamming::choices(blocks, blocks - distance as usize);
                choices.into_iter().map(u128::from).collect()
            }
            _ => vec![u128::MAX; self.bands],
        }
    }

    /// The section of an entry of band `band`, of whose fingerprint `masked` is compared.
    pub(super) fn section(&self, band: usize, masked: u128) -> usize {
        let hash = xxh3_64(&masked.to_le_bytes());
        band * self.parts + pass_of(hash, self.parts as u64) as usize
    }

    /// Which of `buckets`, a power of two, of its section an entry is in.
    pub(super) fn bucket(&self, masked: u128, buckets: usize) -> usize {
        let hash = xxh3_64(&masked.to_le_bytes());
        (((hash >> 24) & 0xffff_ffff) / self.parts as u64) as usize & (buckets - 1)
    }
}

fn entries(matching: Matching, bands: usize, keys: &Keys) -> u64 {
    match matching {
        // How many keys rows have, only their file tells.
        Matching::Counted => keys.bytes / 8,
        _ => keys.rows * bands as u64,
    }
}
